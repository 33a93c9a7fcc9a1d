import type { Secret } from '../core/secret.ts';

/** A user name and a password, as the server is to see them. */
export interface UserPassword {
  readonly username: string;
  /** At most 65,534 bytes of UTF-8; a stock OpenVPN 2.x server drops more than 127. */
  readonly password: string;
}

/** The answer to any other question. */
export interface ChallengeAnswer {
  readonly response: string;
}

/** A page that the user is to open in order to sign in. tundial never opens it. */
export interface WebSignIn {
  /** `http:` or `https:`, printable, at most 2,048 characters. */
  readonly url: string;
  /** Whether the page may start out of sight (`hidden`), and must be in the user's own browser. */
  readonly hidden: boolean;
  readonly external: boolean;
  /** The proxy through which the page is to be loaded. */
  readonly proxy: WebSignInProxy | undefined;
}

export interface WebSignInProxy {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
}

/** What is asked for when credentials are a callback. */
export interface CredentialsRequest {
  /**
   * `user-password` and `proxy` want {@link UserPassword}, the others {@link ChallengeAnswer}: the
   * server's question (`challenge`), the profile's own beside the password (`static-challenge`),
   * the passphrase of the private key.
   */
  readonly kind: 'user-password' | 'key-passphrase' | 'challenge' | 'static-challenge' | 'proxy';
  /** The question in words, made printable; undefined where there is none. */
  readonly prompt: string | undefined;
  /** Whether the answer may be shown while it is typed. */
  readonly echo: boolean;
  /** Whose password or answer it is, where that is known. */
  readonly username: string | undefined;
  /** Whether it does not work without an answer: the profile has none of its own. */
  readonly needed: boolean;
  /** Whether what was given before was refused. */
  readonly refused: boolean;
  /** Whether only the user name counts (`auth-user-pass username-only`). */
  readonly usernameOnly: boolean;
  /** A page to open in place of an answer, or undefined. */
  readonly web: WebSignIn | undefined;
  /** How long the answer is waited for. Unit: milliseconds; `Infinity` for as long as it takes. */
  readonly deadlineMs: number;
  /** Aborts when the answer is no longer waited for. */
  readonly signal: AbortSignal;
}

/** What a callback gives; undefined leaves it to the profile, or to a listener of `challenge`. */
export type CredentialsAnswer = UserPassword | ChallengeAnswer | undefined;

/** Fixed credentials, or a callback that is asked when they are needed. */
export type Credentials =
  | UserPassword
  | ((request: CredentialsRequest) => CredentialsAnswer | Promise<CredentialsAnswer>);
