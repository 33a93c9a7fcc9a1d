/** One data channel cipher, as `data-ciphers` spells it. */
export interface DataCipher {
  /** Upper case, as on the wire. */
  readonly name: string;
  /** The name `node:crypto` knows it by. */
  readonly nodeName: string;
  readonly keyBytes: number;
  readonly aead: boolean;
}

/** Ciphers that the data channel can use, by wire name. */
export const DATA_CIPHERS: ReadonlyMap<string, DataCipher> = new Map(
  (
    [
      ['AES-128-GCM', 'aes-128-gcm', 16, true],
      ['AES-256-GCM', 'aes-256-gcm', 32, true],
      ['CHACHA20-POLY1305', 'chacha20-poly1305', 32, true],
    ] as const
  ).map(([name, nodeName, keyBytes, aead]) => [name, { name, nodeName, keyBytes, aead }]),
);

/** What is offered when a profile names nothing (OpenVPN 2.6's default). */
export const DEFAULT_DATA_CIPHERS: readonly string[] = [
  'AES-256-GCM',
  'AES-128-GCM',
  'CHACHA20-POLY1305',
];
