import { OvpnAuthError, OvpnPeerError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import type { Profile } from '../model/profile.ts';
import type { DynamicChallenge } from '../tlsstate/control-message.ts';
import type { KeyExchangeCredentials } from '../tlsstate/handshake.ts';
import { HeldToken } from '../tlsstate/held-token.ts';
import { Asking, type ChallengeListeners, NO_LISTENERS, type Wait } from './asking.ts';
import type { ResolvedClientOptions } from './options.ts';
import { ProxySignIn } from './proxy-sign-in.ts';

/**
 * What a client proves to its servers, from `start()` to `down` and over all its sessions:
 *
 *     prepare ─▶ (session) ─▶ credentials ─▶ sent ─▶ … token held: no more questions …
 *        ▲                                             │
 *        └────────────── refused ◀─────────────────────┘
 *
 * A token that the server gives (auth-token) takes the place of the password until it is refused.
 * Answers to challenges are good for one key exchange; with auth-nocache so is the password.
 */
export class SignIn {
  /** The token, for the sessions to share. */
  readonly held: HeldToken = new HeldToken();
  readonly asking: Asking;
  /** For outer proxies. */
  readonly proxies: ProxySignIn;
  readonly #profile: Profile;
  /** What the callback said, until it is refused. */
  #login: KeyExchangeCredentials | undefined;
  /** What the next key exchange sends. */
  #prepared: { readonly credentials: KeyExchangeCredentials | undefined } | undefined;
  #challenge: DynamicChallenge | undefined;
  /** What the profile and the caller have was refused: somebody has to know better. */
  #askAnew = false;

  /** @throws OvpnAuthError when the profile asks for a password and nobody has one */
  constructor(
    profile: Profile,
    { credentials }: Partial<Pick<ResolvedClientOptions, 'credentials'>>,
    listeners: ChallengeListeners = NO_LISTENERS,
  ) {
    this.#profile = profile;
    this.asking = new Asking(credentials, listeners);
    this.proxies = new ProxySignIn(this.asking);
    if (this.#isMissing && credentials === undefined) throw credentialsMissing();
  }

  /**
   * Asks for all that the next session will want, before its clock runs: a user may need minutes,
   * and the server's `hand-window` is one.
   *
   * @throws OvpnAuthError `OVPN_CREDENTIALS_MISSING`: nobody knows it
   * @throws OvpnError `OVPN_ABORTED` by `signal`; whatever the callback throws
   */
  async prepare(signal?: AbortSignal): Promise<void> {
    if (this.held.token !== undefined || this.#prepared !== undefined) return;
    await this.#prepare({ deadlineMs: Number.POSITIVE_INFINITY, signal });
  }

  /** What a key exchange sends while no token is held; undefined for nothing. */
  async credentials(): Promise<KeyExchangeCredentials | undefined> {
    return this.#prepared === undefined
      ? this.#prepare({ deadlineMs: this.#profile.handWindowMs })
      : this.#prepared.credentials;
  }

  /** The key exchange has begun with them: what was good for once is forgotten. */
  sent(): void {
    this.#prepared = undefined;
    this.#challenge = undefined;
    if (this.#profile.authNocache) this.#login = undefined;
  }

  /** The server wants an answer in place of the password (`AUTH_FAILED,CRV1`). */
  challenged(challenge: DynamicChallenge): void {
    this.#challenge = challenge;
  }

  /** A session, or the way to it, has ended by `error`: drops what that proves wrong. */
  refused(error: Error): void {
    this.asking.cancel();
    if (error instanceof OvpnPeerError && error.code === 'OVPN_PEER_RESTART') {
      if (!error.flags.includes('P')) this.forget();
      return;
    }
    const isRefusal = error instanceof OvpnAuthError && error.code === 'OVPN_AUTH_FAILED';
    if (!isRefusal || this.held.takeRefusal() || this.#profile.authRetry !== 'interact') return;
    this.#prepared = undefined;
    this.#login = undefined;
    this.#askAnew = true;
  }

  /** Forgets token and answers; what the profile and the caller have stays theirs. */
  forget(): void {
    this.asking.cancel();
    this.proxies.forget();
    this.held.forget();
    this.#login = undefined;
    this.#prepared = undefined;
    this.#challenge = undefined;
  }

  async #prepare(wait: Wait): Promise<KeyExchangeCredentials | undefined> {
    const challenge = this.#challenge;
    const credentials =
      challenge === undefined
        ? await this.#withStaticChallenge(await this.#userPassword(wait), wait)
        : await this.#answered(challenge, wait);
    this.#prepared = { credentials };
    return credentials;
  }

  /** `CRV1::<state>::<answer>` for a password. */
  async #answered(
    { text, echo, responseRequired, stateId, username: whose }: DynamicChallenge,
    wait: Wait,
  ): Promise<KeyExchangeCredentials> {
    const username = whose === '' ? (this.held.username ?? '') : whose;
    const question = { text, echo, responseRequired, username, web: undefined };
    const answer = await this.asking.answer({ ...question, kind: 'dynamic-challenge' }, wait);
    return {
      username,
      password: new Secret(`CRV1::${stateId.reveal()}::${answer.reveal()}`),
    };
  }

  /** The password with the answer to the profile's own question. */
  async #withStaticChallenge(
    login: KeyExchangeCredentials | undefined,
    wait: Wait,
  ): Promise<KeyExchangeCredentials | undefined> {
    const { staticChallenge } = this.#profile;
    if (login === undefined || staticChallenge === undefined) return login;
    const { text, echo, format } = staticChallenge;
    const { username } = login;
    const question = { text, echo, responseRequired: true, username, web: undefined };
    const given = await this.asking.answer({ ...question, kind: 'static-challenge' }, wait);
    const [password, answer] = [login.password.reveal(), given.reveal()];
    const joined =
      format === 'concat' ? password + answer : `SCRV1:${base64(password)}:${base64(answer)}`;
    return { username, password: new Secret(joined) };
  }

  /** The caller's, else the profile's, else none where the profile wants none. */
  async #userPassword(wait: Wait): Promise<KeyExchangeCredentials | undefined> {
    if (this.#login !== undefined) return this.#login;
    if (this.#askAnew && !this.asking.hasCallback) throw nobodyKnowsBetter();
    const { username, password } = this.#profile.authUserPass ?? {};
    const usernameOnly = username === undefined && password !== undefined;
    const needed = this.#isMissing || this.#askAnew;
    const refused = this.#askAnew;
    const asked = { kind: 'user-password', prompt: undefined, refused } as const;
    const given = await this.asking.userPassword(
      { ...asked, username, needed, usernameOnly },
      wait,
    );
    if (given !== undefined) {
      this.#askAnew = false;
      this.#login = usernameOnly ? { username: given.username, password } : given;
      return this.#login;
    }
    if (needed) throw this.#askAnew ? nobodyKnowsBetter() : credentialsMissing();
    return username === undefined || password === undefined ? undefined : { username, password };
  }

  /** Whether the profile wants a user name and a password that it does not name. */
  get #isMissing(): boolean {
    const { authUserPass } = this.#profile;
    if (authUserPass === undefined) return false;
    return authUserPass.username === undefined || authUserPass.password === undefined;
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function credentialsMissing(): OvpnAuthError {
  return missing(
    'expected a user name and a password, which the profile asks for by auth-user-pass: give `credentials` (on the command line --auth-user-pass FILE, or a terminal to ask on)',
  );
}

function nobodyKnowsBetter(): OvpnAuthError {
  return missing(
    'the server refused user name and password, and auth-retry interact has nobody to ask for others: give `credentials` as a function',
  );
}

function missing(message: string): OvpnAuthError {
  return new OvpnAuthError('OVPN_CREDENTIALS_MISSING', message, {
    layer: 'vpnclient',
    initiator: 'user',
  });
}
