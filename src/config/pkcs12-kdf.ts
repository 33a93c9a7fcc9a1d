import { createHash } from 'node:crypto';

/** What a key is derived for. Source: RFC 7292 appendix B.3. */
export const Pkcs12Purpose = { KEY: 1, IV: 2, MAC: 3 } as const;
export type Pkcs12Purpose = (typeof Pkcs12Purpose)[keyof typeof Pkcs12Purpose];

export interface Pkcs12Derivation {
  /** `sha1`, `sha224`, `sha256`, `sha384` or `sha512`. */
  readonly hash: string;
  readonly purpose: Pkcs12Purpose;
  /** UTF-16, big-endian, with two zero bytes at its end; empty for no passphrase at all. */
  readonly passphrase: Buffer;
  readonly salt: Buffer;
  readonly rounds: number;
  readonly bytes: number;
}

/** The key derivation of PKCS#12. Source: RFC 7292 appendix B.2. */
export function pkcs12Key(wanted: Pkcs12Derivation): Buffer {
  const { hash, purpose, passphrase, salt, rounds, bytes } = wanted;
  const block = BLOCK_BYTES.get(hash) ?? 64;
  const diversifier = Buffer.alloc(block, purpose);
  const input = Buffer.concat([filled(salt, block), filled(passphrase, block)]);
  const parts: Buffer[] = [];
  for (let length = 0; length < bytes; ) {
    let part = createHash(hash).update(diversifier).update(input).digest();
    for (let round = 1; round < rounds; round += 1) part = createHash(hash).update(part).digest();
    parts.push(part);
    length += part.length;
    addToBlocks(input, filled(part.subarray(0, block), block), block);
  }
  return Buffer.concat(parts, bytes);
}

/** `bytes` again and again up to a multiple of `block`. */
function filled(bytes: Buffer, block: number): Buffer {
  const length = Math.ceil(bytes.length / block) * block;
  return length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, bytes);
}

/** Adds `addend` + 1 to each block of `input`, modulo its size. */
function addToBlocks(input: Buffer, addend: Buffer, block: number): void {
  for (let start = 0; start < input.length; start += block) {
    let carry = 1;
    for (let at = block - 1; at >= 0; at -= 1) {
      const sum = input.readUInt8(start + at) + addend.readUInt8(at) + carry;
      input.writeUInt8(sum & 0xff, start + at);
      carry = sum >>> 8;
    }
  }
}

const BLOCK_BYTES: ReadonlyMap<string, number> = new Map([
  ['sha1', 64],
  ['sha224', 64],
  ['sha256', 64],
  ['sha384', 128],
  ['sha512', 128],
]);

/** A passphrase as PKCS#12 derives keys from it. */
export function pkcs12Passphrase(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf16le').swap16();
}
