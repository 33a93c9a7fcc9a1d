/** A piece of the TLS byte stream of one key id, on its way between controlchannel and tlsstate. */
export interface TlsChunk {
  /** 0 … 7 */
  readonly keyId: number;
  readonly bytes: Buffer;
}

/** Both session ids, fixed by the hard reset. */
export interface SessionIds {
  readonly local: Buffer;
  readonly remote: Buffer;
}
