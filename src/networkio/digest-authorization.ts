import { createHash } from 'node:crypto';
import type { AuthChallenge } from './auth-challenges.ts';
import type { ProxyCredentials } from './outer-proxy.ts';

/** Names of RFC 7616 §6.1 without `-sess`, best first, and what node:crypto calls them. */
const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['SHA-512-256', 'sha512-256'],
  ['SHA-256', 'sha256'],
  ['MD5', 'md5'],
]);

const SESSION_SUFFIX = '-SESS';

/** A Digest challenge that can be answered. */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  /** As the proxy spells it; undefined: it named none, which is MD5. */
  readonly algorithm: string | undefined;
  /** node:crypto's name. */
  readonly hash: string;
  /** The first hash also covers both nonces. */
  readonly session: boolean;
  /** Whether the answer counts and has a nonce of its own; not so before RFC 2617. */
  readonly qop: boolean;
  readonly userhash: boolean;
}

/** What is answered for, and by whom. */
export interface DigestAnswer {
  readonly method: string;
  readonly uri: string;
  readonly credentials: ProxyCredentials;
  /** Fresh for every answer. */
  readonly cnonce: string;
}

/** `challenge` as a Digest one; undefined when it is none, or asks for what we have not. */
export function digestChallenge({ scheme, params }: AuthChallenge): DigestChallenge | undefined {
  const realm = params.get('realm');
  const nonce = params.get('nonce');
  if (scheme !== 'digest' || realm === undefined || nonce === undefined) return undefined;
  const algorithm = params.get('algorithm');
  const upper = (algorithm ?? 'MD5').toUpperCase();
  const session = upper.endsWith(SESSION_SUFFIX);
  const hash = ALGORITHMS.get(session ? upper.slice(0, -SESSION_SUFFIX.length) : upper);
  if (hash === undefined) return undefined;
  const qop = params.get('qop');
  if (qop !== undefined && !qop.toLowerCase().split(',').some(isAuth)) return undefined;
  return {
    realm,
    nonce,
    opaque: params.get('opaque'),
    algorithm,
    hash,
    session,
    qop: qop !== undefined,
    userhash: params.get('userhash')?.toLowerCase() === 'true',
  };
}

/** The one with the best hash; of equals the first. */
export function bestDigest(challenges: readonly DigestChallenge[]): DigestChallenge | undefined {
  for (const hash of ALGORITHMS.values()) {
    const found = challenges.find((challenge) => challenge.hash === hash);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The credentials of a first answer to `challenge` (RFC 7616 §3.4), for a field of the name
 * `Authorization` or `Proxy-Authorization`.
 */
export function digestAuthorization(
  challenge: DigestChallenge,
  { method, uri, credentials: { username, password }, cnonce }: DigestAnswer,
): string {
  const { realm, nonce, opaque, algorithm, session, qop, userhash } = challenge;
  const hash = (...parts: string[]): string =>
    createHash(challenge.hash).update(parts.join(':'), 'latin1').digest('hex');
  const secret = hash(utf8(username), realm, utf8(password.reveal()));
  const a1 = session ? hash(secret, nonce, cnonce) : secret;
  const a2 = hash(method, uri);
  const response = qop ? hash(a1, nonce, FIRST_USE, cnonce, 'auth', a2) : hash(a1, nonce, a2);
  const parts = [
    userParam(userhash ? hash(utf8(username), realm) : username),
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(uri)}`,
    `response="${response}"`,
  ];
  if (algorithm !== undefined) parts.push(`algorithm=${algorithm}`);
  if (qop) parts.push('qop=auth', `nc=${FIRST_USE}`);
  if (qop || session) parts.push(`cnonce=${quoted(cnonce)}`);
  if (opaque !== undefined) parts.push(`opaque=${quoted(opaque)}`);
  if (userhash) parts.push('userhash=true');
  return `Digest ${parts.join(', ')}`;
}

/** Every connection asks for a nonce of its own. */
const FIRST_USE = '00000001';

/** `text` with a character a byte, as fields of a reply come. */
function utf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function isAuth(word: string): boolean {
  return word.trim() === 'auth';
}

/** A name that is not ASCII has a form of its own (RFC 8187). */
function userParam(username: string): string {
  return /^[\x20-\x7e]*$/.test(username)
    ? `username=${quoted(username)}`
    : `username*=UTF-8''${encodeURIComponent(username).replace(/['()*]/g, percent)}`;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
