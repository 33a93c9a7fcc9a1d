/** A digest for HMACs, as `auth` spells it. */
export interface Digest {
  /** Upper case, as OpenVPN writes it into the options string. */
  readonly name: string;
  /** The name `node:crypto` knows it by. */
  readonly nodeName: string;
  readonly bytes: number;
}

/** Digests that `auth` may name, by upper-case name; OpenSSL's aliases lead to the digest they mean. */
export const DIGESTS: ReadonlyMap<string, Digest> = new Map(
  (
    [
      ['MD5', 16, 'RSA-MD5'],
      ['RIPEMD160', 20, 'RSA-RIPEMD160'],
      ['SHA1', 20, 'RSA-SHA1', 'SHA-1'],
      ['SHA224', 28, 'RSA-SHA224', 'SHA-224', 'SHA2-224'],
      ['SHA256', 32, 'RSA-SHA256', 'SHA-256', 'SHA2-256'],
      ['SHA384', 48, 'RSA-SHA384', 'SHA-384', 'SHA2-384'],
      ['SHA512', 64, 'RSA-SHA512', 'SHA-512', 'SHA2-512'],
      ['SHA512-224', 28, 'RSA-SHA512/224', 'SHA-512/224', 'SHA2-512/224'],
      ['SHA512-256', 32, 'RSA-SHA512/256', 'SHA-512/256', 'SHA2-512/256'],
      ['SHA3-224', 28, 'RSA-SHA3-224'],
      ['SHA3-256', 32, 'RSA-SHA3-256'],
      ['SHA3-384', 48, 'RSA-SHA3-384'],
      ['SHA3-512', 64, 'RSA-SHA3-512'],
      ['BLAKE2S256', 32, 'BLAKE2S-256'],
      ['BLAKE2B512', 64, 'BLAKE2B-512'],
    ] as const
  ).flatMap(([name, bytes, ...aliases]) => {
    const digest = { name, nodeName: name.toLowerCase(), bytes };
    return [name, ...aliases].map((alias) => [alias, digest] as const);
  }),
);

/** `auth` where nothing is said (OpenVPN's default). */
export const DEFAULT_DIGEST = 'SHA1';
