import { Secret } from '../core/secret.ts';
import type { ControlWrapOptions } from '../model/control-wrap-options.ts';
import type { ConnectionDraft } from './connection-draft.ts';
import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';
import { parseStaticKey } from './static-key.ts';
import { parseTlsCryptV2ClientKey } from './tls-crypt-v2-key.ts';

/** How control packets are protected. */
export const CONTROL_WRAP_READERS: DirectiveReaders = [
  ['tls-auth', readTlsAuth],
  ['key-direction', readKeyDirection],
  ['tls-crypt', readTlsCrypt],
  ['tls-crypt-v2', readTlsCryptV2],
];

/**
 * The control wrap of a connection, whatever the order of its directives; undefined when it names
 * none. There is one at most.
 */
export function controlWrapOf(
  draft: ProfileDraft,
  { wraps, tlsAuthKey, encryptingWrap, keyDirection }: ConnectionDraft,
): ControlWrapOptions | undefined {
  const [first, ...others] = wraps;
  const another = others.find(({ name }) => name !== first?.name);
  if (first !== undefined && another !== undefined) {
    draft.refuse(another, `cannot stand beside ${first.name}`);
  }
  const tlsAuth = wraps.find(({ name }) => name === 'tls-auth');
  if (tlsAuth === undefined) {
    if (keyDirection !== undefined) {
      draft.ignore(keyDirection.directive, 'quiet', 'has a meaning with tls-auth only');
    }
    return encryptingWrap;
  }
  const digest = draft.profile.auth;
  if (digest === 'NONE') draft.refuse(tlsAuth, 'needs a digest, and auth is none');
  if (tlsAuthKey === undefined) return undefined;
  const direction = keyDirection?.value;
  return Object.freeze({ kind: 'tls-auth', key: tlsAuthKey, direction, digest });
}

/** `tls-auth FILE 1`, or `tls-auth [inline] 1` with the block elsewhere, names the direction too. */
function readTlsAuth(draft: ProfileDraft, directive: Directive): void {
  named(draft, directive);
  if (directive.args[1] !== undefined) setDirection(draft, directive, 1);
  const { connection } = draft;
  connection.tlsAuthKey = staticKeyOf(draft, directive) ?? connection.tlsAuthKey;
}

function readKeyDirection(draft: ProfileDraft, directive: Directive): void {
  setDirection(draft, directive, 0);
}

function setDirection(draft: ProfileDraft, directive: Directive, index: number): void {
  const direction = draft.numberOf(directive, index, 0, 1);
  if (direction === undefined) return;
  draft.connection.keyDirection = { directive, value: direction === 0 ? 0 : 1 };
}

/** A direction behind the file has no meaning: each end has its half of the key. */
function readTlsCrypt(draft: ProfileDraft, directive: Directive): void {
  named(draft, directive);
  const key = staticKeyOf(draft, directive);
  if (key !== undefined) {
    draft.connection.encryptingWrap = Object.freeze({ kind: 'tls-crypt', key });
  }
}

function readTlsCryptV2(draft: ProfileDraft, directive: Directive): void {
  named(draft, directive);
  const text = draft.textOf(directive);
  if (text === undefined) return;
  const parsed = parseTlsCryptV2ClientKey(text);
  if (typeof parsed === 'string') {
    draft.invalid(directive, parsed);
    return;
  }
  const { key, wrappedKey } = parsed;
  draft.connection.encryptingWrap = Object.freeze({
    kind: 'tls-crypt-v2',
    key: new Secret(key),
    wrappedKey,
  });
}

function named({ connection }: ProfileDraft, directive: Directive): void {
  connection.wraps = [...connection.wraps, directive];
}

function staticKeyOf(draft: ProfileDraft, directive: Directive): Secret<Buffer> | undefined {
  const text = draft.textOf(directive);
  if (text === undefined) return undefined;
  const key = parseStaticKey(text);
  if (key !== undefined) return new Secret(key);
  draft.invalid(directive, 'expected an OpenVPN static key of 256 bytes');
  return undefined;
}
