import { setU8, setU16, setU32, u8, u16, u32 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';
import type { IpAddress } from './ip-address.ts';
import { MAPPED } from './ip-address.ts';
import { type HeaderProblem, HOP_LIMIT, type IpHeader } from './ip-header.ts';

/**
 *      0                   1                   2                   3      RFC 8200 §3
 *     |Version| Traffic Class |           Flow Label                  |
 *     |         Payload Length        |  Next Header  |   Hop Limit   |
 *     |                    Source Address (16 bytes)                  |
 *     |                  Destination Address (16 bytes)               |
 */
export const IPV6_HEADER_BYTES = 40;

/**
 *     |  Next Header  |   Reserved    |      Fragment Offset    |Res|M|   RFC 8200 §4.5
 *     |                         Identification                        |
 */
export const FRAGMENT_HEADER_BYTES = 8;

/** Next-header numbers of the extension headers (RFC 8200 §4). */
export const Extension = { HOP_BY_HOP: 0, ROUTING: 43, FRAGMENT: 44, DESTINATION: 60 } as const;

/** Extension headers of one packet that we walk over; more are refused. */
export const MAX_EXTENSIONS = 8;

/**
 * Reads the headers of an IPv6 packet into `header`; anything but `NONE` refuses the packet, and
 * `header.problem` says whether its sender is to be told.
 */
export function parseIpv6(packet: Buffer, header: IpHeader): Drop {
  header.problem = undefined;
  if (packet.length < IPV6_HEADER_BYTES) return Drop.MALFORMED;
  const end = IPV6_HEADER_BYTES + u16(packet, PAYLOAD_LENGTH_AT);
  if (end > packet.length) return Drop.MALFORMED;
  header.family = 6;
  header.hopLimit = u8(packet, HOP_LIMIT_AT);
  header.source0 = u32(packet, SOURCE_AT) | 0;
  header.source1 = u32(packet, SOURCE_AT + 4) | 0;
  header.source2 = u32(packet, SOURCE_AT + 8) | 0;
  header.source3 = u32(packet, SOURCE_AT + 12) | 0;
  header.destination0 = u32(packet, DESTINATION_AT) | 0;
  header.destination1 = u32(packet, DESTINATION_AT + 4) | 0;
  header.destination2 = u32(packet, DESTINATION_AT + 8) | 0;
  header.destination3 = u32(packet, DESTINATION_AT + 12) | 0;
  if (isMapped(header.source0, header.source1, header.source2)) return Drop.MARTIAN;
  if (isMapped(header.destination0, header.destination1, header.destination2)) return Drop.MARTIAN;
  header.fragment = false;
  header.moreFragments = false;
  header.fragmentOffset = 0;
  header.identification = 0;
  return walkExtensions(packet, end, header);
}

/** `::ffff:0:0/96` is a form for programs, never one on the wire (RFC 4291 §2.5.5.2). */
function isMapped(word0: number, word1: number, word2: number): boolean {
  return word0 === 0 && word1 === 0 && word2 === MAPPED;
}

/**
 * A header that we cannot follow does not end the walk: whether it is answered depends on what is
 * behind it, because errors never are.
 */
function walkExtensions(packet: Buffer, end: number, header: IpHeader): Drop {
  const drop = walk(packet, end, header);
  if (drop === Drop.MALFORMED) header.problem = undefined;
  if (drop !== Drop.NONE || header.problem === undefined) return drop;
  return header.problem === 'bad-header' ? Drop.MARTIAN : Drop.MALFORMED;
}

function walk(packet: Buffer, end: number, header: IpHeader): Drop {
  let next = u8(packet, NEXT_HEADER_AT);
  let nextAt = NEXT_HEADER_AT;
  let at = IPV6_HEADER_BYTES;
  for (let walked = 0; isExtension(next); walked += 1) {
    if (walked === MAX_EXTENSIONS || at + EXTENSION_UNIT > end) return Drop.MALFORMED;
    if (next === Extension.FRAGMENT) {
      readFragment(packet, at, header);
      if (header.fragment) {
        header.unfragmentableLength = at;
        return placePayload(header, u8(packet, at), nextAt, at + FRAGMENT_HEADER_BYTES, end);
      }
      nextAt = at;
      next = u8(packet, at);
      at += FRAGMENT_HEADER_BYTES;
      continue;
    }
    const length = (u8(packet, at + 1) + 1) * EXTENSION_UNIT;
    if (at + length > end) return Drop.MALFORMED;
    // Hop-by-hop options stand first or nowhere.
    if (next === Extension.HOP_BY_HOP && walked > 0) note(header, 'unknown-header', nextAt);
    const drop = checkExtension(packet, next, at, length, header);
    if (drop !== Drop.NONE) return drop;
    nextAt = at;
    next = u8(packet, at);
    at += length;
  }
  header.unfragmentableLength = at;
  return placePayload(header, next, nextAt, at, end);
}

/** Whether `next` names an extension header that we walk over. */
export function isExtension(next: number): boolean {
  return (
    next === Extension.HOP_BY_HOP ||
    next === Extension.ROUTING ||
    next === Extension.FRAGMENT ||
    next === Extension.DESTINATION
  );
}

/** A fragment header with neither offset nor more to come is a whole packet (RFC 6946). */
function readFragment(packet: Buffer, at: number, header: IpHeader): void {
  const field = u16(packet, at + 2);
  header.moreFragments = (field & MORE_FRAGMENTS) !== 0;
  header.fragmentOffset = field & OFFSET_MASK;
  header.identification = u32(packet, at + 4);
  header.fragment = header.moreFragments || header.fragmentOffset !== 0;
}

function checkExtension(
  packet: Buffer,
  kind: number,
  at: number,
  length: number,
  header: IpHeader,
): Drop {
  if (kind !== Extension.ROUTING) return checkOptions(packet, at + 2, at + length, header);
  // A source route, of type 0 (RFC 5095) or any other, is refused.
  if (u8(packet, at + 3) !== 0) note(header, 'bad-header', at + 2);
  return Drop.NONE;
}

/**
 * Options that we do not know and that ask not to be skipped refuse the packet, silently or with
 * an answer (RFC 8200 §4.2).
 */
function checkOptions(packet: Buffer, start: number, end: number, header: IpHeader): Drop {
  let at = start;
  while (at < end) {
    const kind = u8(packet, at);
    if (kind === PAD1) {
      at += 1;
      continue;
    }
    const action = kind >>> UNKNOWN_ACTION_SHIFT;
    if (action === DISCARD || at + 2 > end) return Drop.MALFORMED;
    if (action !== SKIP) note(header, 'unknown-option', at);
    at += 2 + u8(packet, at + 1);
    if (at > end) return Drop.MALFORMED;
  }
  return Drop.NONE;
}

/** Keeps the first problem of a packet. */
function note(header: IpHeader, problem: HeaderProblem, at: number): void {
  if (header.problem !== undefined) return;
  header.problem = problem;
  header.problemAt = at;
}

function placePayload(
  header: IpHeader,
  protocol: number,
  nextHeaderAt: number,
  at: number,
  end: number,
): Drop {
  header.protocol = protocol;
  header.nextHeaderAt = nextHeaderAt;
  header.payloadAt = at;
  header.payloadLength = end - at;
  return Drop.NONE;
}

/**
 * Writes a header of 40 bytes at the start of `packet`, whose length gives the payload's.
 *
 * @param flowLabel 20 bits
 * @param hopLimit 1 … 255
 */
export function writeIpv6(
  packet: Buffer,
  nextHeader: number,
  source: IpAddress,
  destination: IpAddress,
  flowLabel: number,
  hopLimit: number = HOP_LIMIT,
): void {
  setU32(packet, 0, VERSION | (flowLabel & FLOW_LABEL_MASK));
  setU16(packet, PAYLOAD_LENGTH_AT, packet.length - IPV6_HEADER_BYTES);
  setU8(packet, NEXT_HEADER_AT, nextHeader);
  setU8(packet, HOP_LIMIT_AT, hopLimit);
  source.writeTo(packet, SOURCE_AT);
  destination.writeTo(packet, DESTINATION_AT);
}

/** Writes a fragment header behind the IPv6 header. `offset` is a multiple of 8 bytes. */
export function writeFragmentHeader(
  packet: Buffer,
  nextHeader: number,
  offset: number,
  moreFragments: boolean,
  identification: number,
): void {
  setU8(packet, IPV6_HEADER_BYTES, nextHeader);
  setU8(packet, IPV6_HEADER_BYTES + 1, 0);
  setU16(packet, IPV6_HEADER_BYTES + 2, offset | (moreFragments ? MORE_FRAGMENTS : 0));
  setU32(packet, IPV6_HEADER_BYTES + 4, identification);
}

/** Makes the first header again that of one whole packet: `protocol` follows where `nextHeaderAt` says. */
export function mendIpv6(packet: Buffer, nextHeaderAt: number, protocol: number): void {
  setU16(packet, PAYLOAD_LENGTH_AT, packet.length - IPV6_HEADER_BYTES);
  setU8(packet, nextHeaderAt, protocol);
}

const PAYLOAD_LENGTH_AT = 4;
const NEXT_HEADER_AT = 6;
const HOP_LIMIT_AT = 7;
const SOURCE_AT = 8;
const DESTINATION_AT = 24;
const VERSION = 0x6000_0000;
const FLOW_LABEL_MASK = 0xf_ffff;
const EXTENSION_UNIT = 8;
const OFFSET_MASK = 0xfff8;
const MORE_FRAGMENTS = 0x0001;
const PAD1 = 0;
const UNKNOWN_ACTION_SHIFT = 6;
/** What the highest two bits of an option's kind ask of those who do not know it. */
const SKIP = 0b00;
const DISCARD = 0b01;
