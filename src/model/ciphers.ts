/** One data channel cipher, as `data-ciphers` spells it. */
export interface DataCipher {
  /** Upper case, as on the wire. */
  readonly name: string;
  /** The name `node:crypto` knows it by. */
  readonly nodeName: string;
  readonly keyBytes: number;
  /** Whether it authenticates by itself; the others (CBC) need the digest of `auth` beside them. */
  readonly aead: boolean;
}

/** Ciphers that the data channel can use, by wire name. */
export const DATA_CIPHERS: ReadonlyMap<string, DataCipher> = new Map(
  (
    [
      ['AES-128-GCM', 16, true],
      ['AES-192-GCM', 24, true],
      ['AES-256-GCM', 32, true],
      ['CHACHA20-POLY1305', 32, true],
      ['AES-128-CBC', 16, false],
      ['AES-192-CBC', 24, false],
      ['AES-256-CBC', 32, false],
    ] as const
  ).map(([name, keyBytes, aead]) => [name, { name, nodeName: name.toLowerCase(), keyBytes, aead }]),
);

/** What is offered when a profile names nothing (OpenVPN 2.6's default). */
export const DEFAULT_DATA_CIPHERS: readonly string[] = [
  'AES-256-GCM',
  'AES-128-GCM',
  'CHACHA20-POLY1305',
];
