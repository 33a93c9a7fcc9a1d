import type { OuterProxy, Profile } from '../model/profile.ts';

/** Something that a profile leaves to whoever connects. */
export interface ProfileNeed {
  readonly kind:
    | 'user-password'
    | 'username'
    | 'password'
    | 'key-passphrase'
    | 'static-challenge'
    | 'proxy';
  /** The profile's question, of a `static-challenge`. */
  readonly text?: string;
}

/** What a profile will ask for, in the order in which it is asked. The server may ask for more. */
export function profileNeeds(profile: Profile): ProfileNeed[] {
  const { authUserPass, needsKeyPassphrase, proxy, remotes, staticChallenge } = profile;
  const proxies = [proxy, ...remotes.map(({ settings }) => settings?.proxy)];
  const needs: ProfileNeed[] = [];
  if (needsKeyPassphrase) needs.push({ kind: 'key-passphrase' });
  if (proxies.some(asksForUser)) needs.push({ kind: 'proxy' });
  if (authUserPass !== undefined) {
    const { username, password } = authUserPass;
    if (username === undefined) {
      needs.push({ kind: password === undefined ? 'user-password' : 'username' });
    } else if (password === undefined) needs.push({ kind: 'password' });
  }
  if (staticChallenge !== undefined) {
    needs.push({ kind: 'static-challenge', text: staticChallenge.text });
  }
  return needs;
}

function asksForUser(proxy: OuterProxy | undefined): boolean {
  return proxy?.credentials !== undefined && proxy.credentials.password === undefined;
}
