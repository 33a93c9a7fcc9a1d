import { setU16, setU32, u8, u16, u32 } from '../core/bytes.ts';
import type { ClientNat } from '../model/profile.ts';

/** One rule with its addresses as numbers. */
interface Rule {
  readonly kind: ClientNat['kind'];
  readonly mask: number;
  /** What this end sees. */
  readonly network: number;
  /** What the server sees. */
  readonly alias: number;
}

/**
 * `client-nat`: translates IPv4 addresses one to one, in place. `snat` rules are for addresses of
 * this end, `dnat` rules for those behind the tunnel; of several rules for one address the first
 * counts. Checksums follow by RFC 1624, and so does the packet that an ICMP error quotes. Nothing is
 * remembered.
 *
 *              out, source   out, destination   in, source   in, destination
 *     snat     net → alias                                   alias → net
 *     dnat                   net → alias        alias → net
 */
export class NatTranslator {
  readonly #rules: readonly Rule[];

  constructor(rules: readonly ClientNat[]) {
    this.#rules = rules.map(({ kind, network, prefixLength, alias }) => ({
      kind,
      mask: prefixLength === 0 ? 0 : -1 << (32 - prefixLength),
      network: wordOf(network),
      alias: wordOf(alias),
    }));
  }

  /** A packet that goes into the tunnel. What is no IPv4 packet stays as it is. */
  outgoing(packet: Buffer): void {
    this.#translate(packet, 'network', 'alias');
  }

  /** A packet that came out of it. */
  incoming(packet: Buffer): void {
    this.#translate(packet, 'alias', 'network');
  }

  #translate(packet: Buffer, from: View, to: View): void {
    const headerBytes = ipv4HeaderBytes(packet, 0, packet.length);
    if (headerBytes === 0) return;
    const sourceKind = from === 'network' ? 'snat' : 'dnat';
    const destinationKind = from === 'network' ? 'dnat' : 'snat';
    this.#translateAt(packet, 0, headerBytes, sourceKind, destinationKind, from, to);
    if (isIcmpError(packet, headerBytes)) {
      // What it quotes goes the other way: its source is whom we tell, or who we are.
      this.#translateQuoted(packet, headerBytes, destinationKind, sourceKind, from, to);
    }
  }

  #translateQuoted(
    packet: Buffer,
    icmpAt: number,
    sourceKind: ClientNat['kind'],
    destinationKind: ClientNat['kind'],
    from: View,
    to: View,
  ): void {
    const at = icmpAt + ICMP_HEADER_BYTES;
    const headerBytes = ipv4HeaderBytes(packet, at, packet.length);
    if (headerBytes === 0) return;
    const end = at + headerBytes;
    const addresses = [u32(packet, at + SOURCE_AT), u32(packet, at + DESTINATION_AT)] as const;
    const ipChecksum = u16(packet, at + CHECKSUM_AT);
    const fieldAt = checksumField(packet, at, end);
    const checksum = fieldAt < 0 ? 0 : u16(packet, fieldAt);
    this.#translateAt(packet, at, headerBytes, sourceKind, destinationKind, from, to);
    // The ICMP checksum covers all of it. A transport checksum always lies on a word's edge.
    const sum = new ChecksumChange();
    sum.word32(addresses[0], u32(packet, at + SOURCE_AT));
    sum.word32(addresses[1], u32(packet, at + DESTINATION_AT));
    sum.word16(ipChecksum, u16(packet, at + CHECKSUM_AT));
    if (fieldAt >= 0) sum.word16(checksum, u16(packet, fieldAt));
    setU16(packet, icmpAt + ICMP_CHECKSUM_AT, sum.applyTo(u16(packet, icmpAt + ICMP_CHECKSUM_AT)));
  }

  #translateAt(
    packet: Buffer,
    at: number,
    headerBytes: number,
    sourceKind: ClientNat['kind'],
    destinationKind: ClientNat['kind'],
    from: View,
    to: View,
  ): void {
    const source = u32(packet, at + SOURCE_AT);
    const destination = u32(packet, at + DESTINATION_AT);
    const newSource = this.#address(source, sourceKind, from, to);
    const newDestination = this.#address(destination, destinationKind, from, to);
    if (newSource === source && newDestination === destination) return;
    const sum = new ChecksumChange();
    sum.word32(source, newSource);
    sum.word32(destination, newDestination);
    setU32(packet, at + SOURCE_AT, newSource);
    setU32(packet, at + DESTINATION_AT, newDestination);
    setU16(packet, at + CHECKSUM_AT, sum.applyTo(u16(packet, at + CHECKSUM_AT)));
    const fieldAt = checksumField(packet, at, at + headerBytes);
    if (fieldAt < 0) return;
    const fixed = sum.applyTo(u16(packet, fieldAt));
    // Zero would say that UDP has no checksum (RFC 768).
    setU16(packet, fieldAt, fixed === 0 && isUdp(packet, at) ? 0xffff : fixed);
  }

  #address(address: number, kind: ClientNat['kind'], from: View, to: View): number {
    for (const rule of this.#rules) {
      if (rule.kind !== kind || ((address ^ rule[from]) & rule.mask) !== 0) continue;
      return ((rule[to] & rule.mask) | (address & ~rule.mask)) >>> 0;
    }
    return address;
  }
}

type View = 'network' | 'alias';

const SOURCE_AT = 12;
const DESTINATION_AT = 16;
const CHECKSUM_AT = 10;
const PROTOCOL_AT = 9;
const MIN_HEADER_BYTES = 20;
const ICMP = 1;
const TCP = 6;
const UDP = 17;
const TCP_CHECKSUM_AT = 16;
const UDP_CHECKSUM_AT = 6;
const ICMP_CHECKSUM_AT = 2;
const ICMP_HEADER_BYTES = 8;
/** Destination unreachable, source quench, redirect, time exceeded, parameter problem. */
const ICMP_ERRORS: ReadonlySet<number> = new Set([3, 4, 5, 11, 12]);

/** Length of the IPv4 header at `at`; 0 when there is no whole one. */
function ipv4HeaderBytes(packet: Buffer, at: number, end: number): number {
  if (end - at < MIN_HEADER_BYTES || u8(packet, at) >>> 4 !== 4) return 0;
  const bytes = (u8(packet, at) & 0x0f) << 2;
  return bytes < MIN_HEADER_BYTES || at + bytes > end ? 0 : bytes;
}

function isLaterFragment(packet: Buffer, at: number): boolean {
  return (u16(packet, at + 6) & 0x1fff) !== 0;
}

function isUdp(packet: Buffer, at: number): boolean {
  return u8(packet, at + PROTOCOL_AT) === UDP;
}

/** Where the checksum stands that covers the addresses of the packet at `at`, or −1. */
function checksumField(packet: Buffer, at: number, payloadAt: number): number {
  if (isLaterFragment(packet, at)) return -1;
  const protocol = u8(packet, at + PROTOCOL_AT);
  if (protocol === TCP) {
    return payloadAt + TCP_CHECKSUM_AT + 2 <= packet.length ? payloadAt + TCP_CHECKSUM_AT : -1;
  }
  if (protocol !== UDP || payloadAt + UDP_CHECKSUM_AT + 2 > packet.length) return -1;
  return u16(packet, payloadAt + UDP_CHECKSUM_AT) === 0 ? -1 : payloadAt + UDP_CHECKSUM_AT;
}

/** Only the first fragment begins with an ICMP header. */
function isIcmpError(packet: Buffer, headerBytes: number): boolean {
  if (u8(packet, PROTOCOL_AT) !== ICMP || isLaterFragment(packet, 0)) return false;
  if (packet.length < headerBytes + ICMP_HEADER_BYTES) return false;
  return ICMP_ERRORS.has(u8(packet, headerBytes));
}

/** What a checksum owes to words that have changed under it (RFC 1624 §3, equation 3). */
class ChecksumChange {
  #sum = 0;

  word16(before: number, after: number): void {
    this.#sum += (~before & 0xffff) + after;
  }

  word32(before: number, after: number): void {
    if (before === after) return;
    this.word16(before >>> 16, after >>> 16);
    this.word16(before & 0xffff, after & 0xffff);
  }

  applyTo(checksum: number): number {
    let sum = (~checksum & 0xffff) + this.#sum;
    sum = (sum & 0xffff) + (sum >>> 16);
    sum = (sum & 0xffff) + (sum >>> 16);
    return ~sum & 0xffff;
  }
}

function wordOf(address: string): number {
  return address.split('.').reduce((word, part) => ((word << 8) | Number(part)) >>> 0, 0);
}
