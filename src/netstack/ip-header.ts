import { IpAddress } from './ip-address.ts';

/** Upper-layer protocol numbers (IANA). */
export const IpProtocol = {
  ICMP: 1,
  TCP: 6,
  UDP: 17,
  ICMPV6: 58,
  /** IPv6: nothing follows (RFC 8200 §4.7). */
  NO_NEXT_HEADER: 59,
} as const;

/** Largest IPv4 packet, and largest IPv6 payload without a jumbogram. Unit: bytes. */
export const MAX_PACKET_BYTES = 0xffff;

/** Hop limit of what we send (RFC 1700). */
export const HOP_LIMIT = 64;

/** What a packet with headers that we cannot follow is answered with (RFC 8200 §4, §4.2, §4.4). */
export type HeaderProblem = 'bad-header' | 'unknown-header' | 'unknown-option';

/**
 * What the headers of one packet say, of either family. One object is filled again for every
 * packet: keep nothing of it but what `source()` and `destination()` make.
 */
export class IpHeader {
  family: 4 | 6 = 4;
  protocol = 0;
  hopLimit = 0;
  source0 = 0;
  source1 = 0;
  source2 = 0;
  source3 = 0;
  destination0 = 0;
  destination1 = 0;
  destination2 = 0;
  destination3 = 0;
  /** Where the payload starts, behind options and extension headers. */
  payloadAt = 0;
  payloadLength = 0;
  /** Whether only a part of a datagram is inside; the payload is that part. */
  fragment = false;
  /** Unit: bytes. */
  fragmentOffset = 0;
  moreFragments = false;
  identification = 0;
  /** IPv6: where the byte stands that names what follows: the fragment header, or the payload. */
  nextHeaderAt = 0;
  /** Where the headers end that every fragment repeats. */
  unfragmentableLength = 0;
  /** Why a refused packet asks for an answer; undefined when it asks for none. */
  problem: HeaderProblem | undefined = undefined;
  /** The byte that the answer points at. */
  problemAt = 0;

  source(): IpAddress {
    return IpAddress.fromWords(this.source0, this.source1, this.source2, this.source3);
  }

  destination(): IpAddress {
    return IpAddress.fromWords(
      this.destination0,
      this.destination1,
      this.destination2,
      this.destination3,
    );
  }
}
