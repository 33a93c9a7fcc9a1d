import ipaddr from 'ipaddr.js';
import { setU32, u32 } from '../core/bytes.ts';

/** The third word of an IPv4 address: `::ffff:a.b.c.d` keeps both families in one shape. */
export const MAPPED = 0xffff;

/**
 * An IPv4 or IPv6 address. Beside its bytes it has four 32-bit words (signed, IPv4 in its mapped
 * form), so that two addresses are compared by four integers, whatever their family.
 */
export class IpAddress {
  readonly family: 4 | 6;
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  #text = '';

  private constructor(family: 4 | 6, word0: number, word1: number, word2: number, word3: number) {
    this.family = family;
    this.word0 = word0 | 0;
    this.word1 = word1 | 0;
    this.word2 = word2 | 0;
    this.word3 = word3 | 0;
  }

  /**
   * Reads dotted IPv4 of four parts or IPv6 without a zone; undefined for anything else. An
   * IPv4-mapped IPv6 address is its IPv4 address.
   */
  static parse(text: string): IpAddress | undefined {
    if (ipaddr.IPv4.isValidFourPartDecimal(text)) {
      return IpAddress.fromBytes(ipaddr.IPv4.parse(text).toByteArray());
    }
    if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
    return IpAddress.fromBytes(ipaddr.IPv6.parse(text).toByteArray());
  }

  /** From 4 or 16 bytes in network order; keeps no reference to them. */
  static fromBytes(bytes: ArrayLike<number>): IpAddress {
    const copy = Uint8Array.from(bytes);
    if (copy.length === IPV4_BYTES) return IpAddress.ipv4(u32(copy, 0));
    return IpAddress.fromWords(u32(copy, 0), u32(copy, 4), u32(copy, 8), u32(copy, 12));
  }

  /** From an IPv4 address as one 32-bit number. */
  static ipv4(word: number): IpAddress {
    return new IpAddress(4, 0, 0, MAPPED, word);
  }

  /** From four words, a mapped IPv4 address being IPv4. */
  static fromWords(word0: number, word1: number, word2: number, word3: number): IpAddress {
    const mapped = word0 === 0 && word1 === 0 && word2 === MAPPED;
    return new IpAddress(mapped ? 4 : 6, word0, word1, word2, word3);
  }

  /** 4 or 16 bytes in network order, in a buffer of their own. */
  get bytes(): Buffer {
    const bytes = Buffer.alloc(this.family === 4 ? IPV4_BYTES : IPV6_BYTES);
    this.writeTo(bytes, 0);
    return bytes;
  }

  /** Writes 4 or 16 bytes at `at`. */
  writeTo(packet: Uint8Array, at: number): void {
    if (this.family === 4) {
      setU32(packet, at, this.word3);
      return;
    }
    setU32(packet, at, this.word0);
    setU32(packet, at + 4, this.word1);
    setU32(packet, at + 8, this.word2);
    setU32(packet, at + 12, this.word3);
  }

  equals(other: IpAddress): boolean {
    return this.matches(other.word0, other.word1, other.word2, other.word3);
  }

  /** Whether these are its words. */
  matches(word0: number, word1: number, word2: number, word3: number): boolean {
    return (
      this.word3 === word3 && this.word2 === word2 && this.word1 === word1 && this.word0 === word0
    );
  }

  /** 127.0.0.0/8 or ::1 */
  get isLoopback(): boolean {
    if (this.family === 4) return this.word3 >>> 24 === LOOPBACK_NET;
    return this.matches(0, 0, 0, 1);
  }

  /** 224.0.0.0/4 or ff00::/8 */
  get isMulticast(): boolean {
    if (this.family === 4) return this.word3 >>> 28 === MULTICAST_NIBBLE;
    return this.word0 >>> 24 === MULTICAST_BYTE;
  }

  /** 0.0.0.0 or :: */
  get isUnspecified(): boolean {
    return this.word3 === 0 && this.word0 === 0 && this.word1 === 0 && this.word2 === this.#mapping;
  }

  /** As people write it; IPv6 in the form of RFC 5952. */
  toString(): string {
    if (this.#text === '') this.#text = ipaddr.fromByteArray([...this.bytes]).toString();
    return this.#text;
  }

  get #mapping(): number {
    return this.family === 4 ? MAPPED : 0;
  }
}

/** Length of an address. */
export const IPV4_BYTES = 4;
/** Length of an address. */
export const IPV6_BYTES = 16;

const LOOPBACK_NET = 127;
const MULTICAST_NIBBLE = 0xe;
const MULTICAST_BYTE = 0xff;
