import { Drop, type Millis } from '../core/machine.ts';
import { holdsTransportHeader, TCP_HEADER_BYTES } from './first-fragment.ts';
import { type IpHeader, IpProtocol, MAX_PACKET_BYTES } from './ip-header.ts';
import { mendIpv4, OFFSET_UNIT } from './ipv4.ts';
import { IPV6_HEADER_BYTES, mendIpv6 } from './ipv6.ts';

/** Pieces of one datagram that are kept; one in more pieces is refused. */
export const MAX_PIECES = 128;

/** What one piece costs beside its bytes. Unit: bytes. */
export const PIECE_OVERHEAD_BYTES = 128;

/** One fragment's part of the datagram, inside the packet it came in. */
interface Piece {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/**
 * A datagram of which some fragments have come (RFC 791 §3.2, RFC 8200 §4.5). Pieces that overlap
 * refuse the whole datagram and whatever still comes of it (RFC 5722, for both families); an exact
 * repetition is only ignored.
 */
export class PartialDatagram {
  readonly expiresAt: Millis;
  readonly #family: 4 | 6;
  readonly #source: readonly [number, number, number, number];
  readonly #destination: readonly [number, number, number, number];
  readonly #identification: number;
  readonly #protocol: number;
  #pieces: Piece[] = [];
  #first: Buffer | undefined;
  #headerBytes = 0;
  #headerNextAt = 0;
  #headerProtocol = 0;
  #receivedBytes = 0;
  #totalBytes = -1;
  #refused = false;
  #heldBytes = PIECE_OVERHEAD_BYTES;

  constructor(header: IpHeader, expiresAt: Millis) {
    this.expiresAt = expiresAt;
    this.#family = header.family;
    this.#source = [header.source0, header.source1, header.source2, header.source3];
    this.#destination = [
      header.destination0,
      header.destination1,
      header.destination2,
      header.destination3,
    ];
    this.#identification = header.identification;
    this.#protocol = header.protocol;
  }

  /** Memory it holds. Unit: bytes. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether `header` is that of a fragment of this datagram. */
  owns(header: IpHeader): boolean {
    return (
      this.#identification === header.identification &&
      this.#source[3] === header.source3 &&
      this.#source[2] === header.source2 &&
      this.#source[1] === header.source1 &&
      this.#source[0] === header.source0 &&
      this.#destination[3] === header.destination3 &&
      this.#destination[2] === header.destination2 &&
      this.#destination[1] === header.destination1 &&
      this.#destination[0] === header.destination0 &&
      // IPv6 fragments are joined whatever their next header says (RFC 8200 §4.5).
      (this.#family === 6 || this.#protocol === header.protocol)
    );
  }

  /** Takes one fragment, with the packet it stands in. */
  add(packet: Buffer, header: IpHeader): Drop {
    if (this.#refused) return Drop.MALFORMED;
    const start = header.fragmentOffset;
    const end = start + header.payloadLength;
    const drop = this.#check(packet, header, start, end);
    if (drop !== Drop.NONE) return drop;
    const bytes = packet.subarray(header.payloadAt, header.payloadAt + header.payloadLength);
    const index = this.#placeOf(start);
    const next = this.#pieces[index];
    if (next?.start === start && next.end === end && next.bytes.equals(bytes)) {
      return Drop.DUPLICATE;
    }
    const before = this.#pieces[index - 1];
    const overlaps = (before !== undefined && before.end > start) || (next?.start ?? end) < end;
    if (overlaps || this.#pieces.length === MAX_PIECES) return this.#refuse();
    this.#pieces.splice(index, 0, { start, end, bytes });
    this.#receivedBytes += header.payloadLength;
    this.#heldBytes += packet.length + PIECE_OVERHEAD_BYTES;
    if (!header.moreFragments) this.#totalBytes = end;
    if (start === 0) this.#keepFirst(packet, header);
    return Drop.NONE;
  }

  /** The packet of its first fragment, when that has come. */
  get first(): Buffer | undefined {
    return this.#first;
  }

  /** The datagram as one packet in a buffer of its own; undefined while a piece is missing. */
  whole(): Buffer | undefined {
    const first = this.#first;
    if (first === undefined || this.#receivedBytes !== this.#totalBytes) return undefined;
    const headerBytes = this.#headerBytes;
    const packet = Buffer.allocUnsafe(headerBytes + this.#totalBytes);
    first.copy(packet, 0, 0, headerBytes);
    for (const { start, bytes } of this.#pieces) packet.set(bytes, headerBytes + start);
    if (this.#family === 4) mendIpv4(packet);
    else mendIpv6(packet, this.#headerNextAt, this.#headerProtocol);
    return packet;
  }

  #check(packet: Buffer, header: IpHeader, start: number, end: number): Drop {
    if (start === end || end > this.#longest(header)) return Drop.MALFORMED;
    if (header.moreFragments && (end - start) % OFFSET_UNIT !== 0) return Drop.MALFORMED;
    if (start === 0 && !holdsTransportHeader(packet, header)) return Drop.MALFORMED;
    // One that would write over a TCP header is never honest (RFC 3128).
    if (start > 0 && start < TCP_HEADER_BYTES && header.protocol === IpProtocol.TCP) {
      return this.#refuse();
    }
    const last = this.#pieces.at(-1);
    const known = this.#totalBytes !== -1;
    if (header.moreFragments) return known && end > this.#totalBytes ? this.#refuse() : Drop.NONE;
    if (known && end !== this.#totalBytes) return this.#refuse();
    return last !== undefined && last.end > end ? this.#refuse() : Drop.NONE;
  }

  /** The length field counts the IPv4 header, but not that of IPv6. */
  #longest(header: IpHeader): number {
    const counted = header.unfragmentableLength - (header.family === 6 ? IPV6_HEADER_BYTES : 0);
    return MAX_PACKET_BYTES - counted;
  }

  /** Index of the first piece that does not start before `start`. */
  #placeOf(start: number): number {
    let index = this.#pieces.length;
    while (index > 0 && (this.#pieces[index - 1]?.start ?? 0) >= start) index -= 1;
    return index;
  }

  #keepFirst(packet: Buffer, header: IpHeader): void {
    this.#first = packet;
    this.#headerBytes = header.unfragmentableLength;
    this.#headerNextAt = header.nextHeaderAt;
    this.#headerProtocol = header.protocol;
  }

  #refuse(): Drop {
    this.#refused = true;
    this.#pieces = [];
    this.#first = undefined;
    this.#heldBytes = PIECE_OVERHEAD_BYTES;
    return Drop.MALFORMED;
  }
}
