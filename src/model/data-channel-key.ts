import type { DataCipher } from './ciphers.ts';
import type { Role } from './ids.ts';

/** Length of the block from which all four keys of a key id are cut. */
export const KEY2_BYTES = 256;

/** The secrets of both sides for the legacy derivation (ssl_common.h `key_source2`). */
export interface PrfSecrets {
  /** 48 bytes, from the client */
  readonly premaster: Buffer;
  /** 32 bytes each */
  readonly clientRandom1: Buffer;
  readonly clientRandom2: Buffer;
  readonly serverRandom1: Buffer;
  readonly serverRandom2: Buffer;
  /** 8 bytes each */
  readonly clientSessionId: Buffer;
  readonly serverSessionId: Buffer;
}

/**
 * What `tlsstate` hands to `datachannel` once a key exchange is done. The receiver derives the
 * keys and overwrites the buffers.
 */
export interface DataChannelKey {
  /** 0 … 7 */
  readonly keyId: number;
  readonly role: Role;
  readonly cipher: DataCipher;
  /** 0 … 0xfffffe: DATA_V2 with this id; undefined: DATA_V1. */
  readonly peerId: number | undefined;
  /** Whether packets have the epoch format: only with an AEAD cipher and a peer id. */
  readonly epoch: boolean;
  /** 256 bytes of the TLS exporter (`tls-ekm`), or the secrets of the TLS 1.0 PRF. */
  readonly material: Buffer | PrfSecrets;
  /** When this key's negotiation began, on the session's clock. Unit: milliseconds. */
  readonly startedAt: number;
}
