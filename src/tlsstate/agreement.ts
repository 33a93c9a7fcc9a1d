import type { Secret } from '../core/secret.ts';
import type { DataCipher } from '../model/ciphers.ts';

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
  /** The user name that was sent last. */
  username: string | undefined;
  /** Sent in place of the password once the server gave one. */
  authToken: Secret | undefined;

  /** Forgets what is secret. */
  forget(): void {
    this.username = undefined;
    this.authToken = undefined;
  }
}
