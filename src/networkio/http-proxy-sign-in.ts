import { hasControlCharacter } from '../core/log.ts';
import type { RandomSource } from '../core/random.ts';
import type { OuterProxy } from '../model/profile.ts';
import { type AuthChallenge, readChallenges } from './auth-challenges.ts';
import {
  bestDigest,
  type DigestChallenge,
  digestAuthorization,
  digestChallenge,
} from './digest-authorization.ts';
import {
  type AskProxyCredentials,
  type ProxyCredentials,
  proxyCredentials,
  proxyRefused,
} from './outer-proxy.ts';

const CNONCE_BYTES = 18;

/** Answers to nonces that the proxy calls stale. */
const MAX_STALE = 2;

export interface HttpProxySignInParts {
  readonly proxy: OuterProxy;
  readonly ask: AskProxyCredentials | undefined;
  readonly random: RandomSource;
  /** What is asked of the proxy: the target with its port. */
  readonly authority: string;
}

/**
 * What an HTTP proxy is told in `Proxy-Authorization`, request by request, until it lets us through
 * or has nothing left to ask for.
 */
export class HttpProxySignIn {
  readonly #parts: HttpProxySignInParts;
  #credentials: ProxyCredentials | undefined;
  #answered: 'basic' | 'digest' | undefined;
  #stale = 0;

  constructor(parts: HttpProxySignInParts) {
    this.#parts = parts;
  }

  /** The field of the first request; undefined for none. */
  async first(): Promise<string | undefined> {
    return this.#parts.proxy.auth === 'basic' ? this.#basic() : undefined;
  }

  /**
   * The field that answers a reply 407.
   *
   * @param fields all `Proxy-Authenticate` of the reply
   * @throws OvpnNetworkError `OVPN_PROXY_AUTH`
   */
  async next(fields: readonly string[]): Promise<string> {
    const { proxy } = this.#parts;
    const { auth } = proxy;
    if (auth === 'none') {
      throw proxyRefused(
        proxy,
        'wants to know who we are, and the profile says to tell nothing: name the file with user and password, or `auto`, in `http-proxy`',
      );
    }
    const challenges = readChallenges(fields);
    const schemes = challenges.map(({ scheme }) => scheme);
    if (this.#isRefusal(challenges)) {
      throw proxyRefused(proxy, 'refused the user name or the password');
    }
    const digests = challenges.map(digestChallenge).filter((found) => found !== undefined);
    const digest = auth === 'basic' ? undefined : bestDigest(digests);
    if (digest !== undefined) return this.#digest(digest);
    if (auth === 'auto' && schemes.includes('basic')) return this.#basic();
    throw proxyRefused(proxy, noCommonScheme(schemes, auth));
  }

  /** Whether `challenges` say no to what was answered, and not only that its nonce is too old. */
  #isRefusal(challenges: readonly AuthChallenge[]): boolean {
    const again = challenges.filter(({ scheme }) => scheme === this.#answered);
    if (this.#answered !== 'digest') return again.length > 0;
    this.#stale += 1;
    return this.#stale > MAX_STALE || !again.some(isStale);
  }

  async #basic(): Promise<string> {
    const { proxy } = this.#parts;
    const { username, password } = await this.#signIn();
    if (username.includes(':')) {
      throw proxyRefused(proxy, 'cannot be told a user name with a colon by Basic: use `digest`');
    }
    this.#answered = 'basic';
    return `Basic ${Buffer.from(`${username}:${password.reveal()}`, 'utf8').toString('base64')}`;
  }

  async #digest(challenge: DigestChallenge): Promise<string> {
    const { random, authority } = this.#parts;
    const credentials = await this.#signIn();
    this.#answered = 'digest';
    return digestAuthorization(challenge, {
      method: 'CONNECT',
      uri: authority,
      credentials,
      cnonce: random.bytes(CNONCE_BYTES).toString('base64url'),
    });
  }

  async #signIn(): Promise<ProxyCredentials> {
    const { proxy, ask } = this.#parts;
    this.#credentials ??= await proxyCredentials(proxy, ask);
    const { username, password } = this.#credentials;
    if (!hasControlCharacter(username) && !hasControlCharacter(password.reveal())) {
      return this.#credentials;
    }
    throw proxyRefused(proxy, 'cannot be told a user name or a password with control characters');
  }
}

function isStale({ params }: AuthChallenge): boolean {
  return params.get('stale')?.toLowerCase() === 'true';
}

function noCommonScheme(schemes: readonly string[], auth: OuterProxy['auth']): string {
  const offers = [...new Set(schemes)].filter((scheme) => KNOWN.has(scheme)).join(', ');
  const hint = schemes.some((scheme) => scheme === 'ntlm' || scheme === 'negotiate')
    ? '; NTLM and Negotiate are not supported: let the proxy offer Digest or Basic, or put a proxy that knows them (such as cntlm) in between'
    : '';
  return `wants to know who we are by ${offers || 'no scheme that we know'}, expected ${WANTED[auth]}${hint}`;
}

/** Schemes whose names are shown: what else the proxy names is its own text. */
const KNOWN: ReadonlySet<string> = new Set(['basic', 'digest', 'ntlm', 'negotiate', 'bearer']);

const WANTED: Record<OuterProxy['auth'], string> = {
  none: 'none',
  basic: 'Basic',
  digest: 'Digest',
  auto: 'Digest or Basic',
  'auto-nct': 'Digest (Basic would show the password to everybody on the way)',
};
