import type { Secret } from '../core/secret.ts';
import type { DataCipher } from '../model/ciphers.ts';
import { HeldToken } from './held-token.ts';

/** What key id 0 settled and every later key id of the session keeps. */
export interface Agreement {
  readonly cipher: DataCipher;
  /** undefined: DATA_V1. */
  readonly peerId: number | undefined;
  /** Whether keys come from the TLS exporter; else from the legacy PRF. */
  readonly tlsEkm: boolean;
  /** Whether renegotiations have a control wrap of their own (dynamic tls-crypt). */
  readonly dynTlsCrypt: boolean;
  /** Whether data packets have the epoch format. */
  readonly aeadEpoch: boolean;
}

/** What the handshakes of one session share. */
export class SessionMemory {
  /** Set by key id 0. */
  agreement: Agreement | undefined;
  #held: HeldToken;

  /** @param held what earlier sessions left, and later ones are to find. Default: nothing */
  constructor(held: HeldToken = new HeldToken()) {
    this.#held = held;
  }

  /** The user name that was sent last. */
  get username(): string | undefined {
    return this.#held.username;
  }

  set username(username: string | undefined) {
    this.#held.sentAs(username);
  }

  /** Sent in place of the password once the server gave one; unset where it is refused. */
  get authToken(): Secret | undefined {
    return this.#held.token;
  }

  set authToken(token: Secret | undefined) {
    if (token === undefined) this.#held.refuse();
    else this.#held.hold(token);
  }

  /** Forgets what is secret; what is held for later sessions stays with its owner. */
  forget(): void {
    this.#held = new HeldToken();
  }
}
