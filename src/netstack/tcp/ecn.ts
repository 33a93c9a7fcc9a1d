import { setU8, setU16, u8, u16 } from '../../core/bytes.ts';
import { updateChecksum } from '../checksum.ts';
import { Flag } from './segment.ts';

/** The two bits of RFC 3168 §5 in IPv4's type of service and IPv6's traffic class. */
const NOT_CAPABLE = 0;
const CAPABLE_0 = 2;
const CONGESTION_EXPERIENCED = 3;

const IPV4_HEADER_BYTES = 20;
const IPV4_CHECKSUM = 10;
/** Byte 1 holds both: IPv4's type of service, and the lower half of IPv6's traffic class. */
const SECOND_BYTE = 1;
const IPV6_SHIFT = 4;

const SETUP_FLAGS = Flag.ECE | Flag.CWR;

/**
 * Explicit congestion notification of one connection (RFC 3168 §6.1): what was agreed, what the
 * receiver echoes, and what the sender owes. Where it was not agreed, the peer's bits say nothing.
 */
export class Ecn {
  readonly #offered: boolean;
  /** Whether both sides use it. */
  agreed = false;
  #echoing = false;
  #reductionOwed = false;

  /** @param offered whether we want to use it */
  constructor(offered: boolean) {
    this.#offered = offered;
  }

  /** What our first SYN says beside SYN; a resent one says nothing (§6.1.1.1). */
  get synFlags(): number {
    return this.#offered ? SETUP_FLAGS : 0;
  }

  /** What our SYN-ACK says beside SYN and ACK. */
  get synAckFlags(): number {
    return this.agreed ? Flag.ECE : 0;
  }

  /** What every segment says after the handshake, but for a RST. */
  get echoFlags(): number {
    return this.#echoing ? Flag.ECE : 0;
  }

  /**
   * Takes the flags of the peer's SYN or SYN-ACK. A SYN-ACK with both bits comes from a host that
   * sends back what it does not know. Of two SYNs that cross, neither agrees.
   *
   * @param passive whether we had sent no SYN
   */
  negotiate(flags: number, passive: boolean): void {
    const answers = (flags & Flag.ACK) !== 0;
    const wanted = answers ? Flag.ECE : SETUP_FLAGS;
    this.agreed = this.#offered && answers !== passive && (flags & SETUP_FLAGS) === wanted;
  }

  /**
   * Looks at an acceptable segment with data; its mark is echoed until the peer has reacted.
   *
   * @returns whether the peer should hear of it at once
   */
  onData(flags: number, packet: Uint8Array): boolean {
    if (!this.agreed) return false;
    if ((flags & Flag.CWR) !== 0) this.#echoing = false;
    if (codepointOf(packet) !== CONGESTION_EXPERIENCED) return false;
    const news = !this.#echoing;
    this.#echoing = true;
    return news;
  }

  /** The sender has slowed down because of the peer's echo: the next new data says so. */
  reduced(): void {
    this.#reductionOwed = this.agreed;
  }

  /** What a segment with new data says; it counts as said. */
  takeReductionFlags(): number {
    if (!this.#reductionOwed) return 0;
    this.#reductionOwed = false;
    return Flag.CWR;
  }
}

/** The codepoint in the IP header that `packet` begins with. */
export function codepointOf(packet: Uint8Array): number {
  const version = u8(packet, 0) >>> 4;
  if (version === 4) return u8(packet, SECOND_BYTE) & 3;
  if (version === 6) return (u8(packet, SECOND_BYTE) >>> IPV6_SHIFT) & 3;
  return NOT_CAPABLE;
}

/** Marks `packet`, whose IP header of so many bytes is finished and has no mark, as ECT(0). */
export function markCapable(packet: Uint8Array, ipHeaderBytes: number): void {
  const second = u8(packet, SECOND_BYTE);
  if (ipHeaderBytes !== IPV4_HEADER_BYTES) {
    setU8(packet, SECOND_BYTE, second | (CAPABLE_0 << IPV6_SHIFT));
    return;
  }
  setU8(packet, SECOND_BYTE, second | CAPABLE_0);
  setU16(packet, IPV4_CHECKSUM, updateChecksum(u16(packet, IPV4_CHECKSUM), 0, CAPABLE_0));
}
