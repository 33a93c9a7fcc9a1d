import type { Secret } from '../core/secret.ts';

/** The auth-token of a client and whose it is, from session to session. */
export class HeldToken {
  #username: string | undefined;
  #token: Secret | undefined;
  #wasRefused = false;

  /** The user name that was sent last. */
  get username(): string | undefined {
    return this.#username;
  }

  get token(): Secret | undefined {
    return this.#token;
  }

  sentAs(username: string | undefined): void {
    this.#username = username;
  }

  /** Takes a newer token. */
  hold(token: Secret): void {
    this.#token = token;
  }

  /** The server does not take it any more: the real password is needed. */
  refuse(): void {
    this.#wasRefused ||= this.#token !== undefined;
    this.#token = undefined;
  }

  /** Whether a token was refused since this was asked last. */
  takeRefusal(): boolean {
    const wasRefused = this.#wasRefused;
    this.#wasRefused = false;
    return wasRefused;
  }

  forget(): void {
    this.#username = undefined;
    this.#token = undefined;
    this.#wasRefused = false;
  }
}
