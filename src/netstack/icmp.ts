import { setU8, setU16, setU32, u8, u16, u32 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';
import { checksumOf, sumBytes, sumIsIntact } from './checksum.ts';
import type { IpAddress } from './ip-address.ts';
import { type HeaderProblem, type IpHeader, IpProtocol } from './ip-header.ts';
import { allocatePacket } from './ip-output.ts';
import { incomingPseudoSum, outgoingPseudoSum } from './pseudo-header.ts';
import type { UnreachableKind } from './unreachable.ts';

/**
 *      0                   1                   2                   3      RFC 792, RFC 4443
 *     |     Type      |     Code      |          Checksum             |
 *     |     identifier and sequence, or MTU, or unused                |
 *     |     echoed data, or the packet that caused the error …        |
 */
export const ICMP_HEADER_BYTES = 8;

/** What a message is, whichever family it came in. */
export type IcmpMessage = 'echo-request' | 'echo-reply' | 'error' | 'other';

/** The protocol number of the family's ICMP. */
export function icmpProtocol(family: 4 | 6): number {
  return family === 4 ? IpProtocol.ICMP : IpProtocol.ICMPV6;
}

/** Whether length and checksum of the message in `packet` are right. */
export function checkIcmp(packet: Buffer, header: IpHeader): Drop {
  const length = header.payloadLength;
  if (length < ICMP_HEADER_BYTES) return Drop.MALFORMED;
  const pseudo = header.family === 4 ? 0 : incomingPseudoSum(header, IpProtocol.ICMPV6) + length;
  const sum = pseudo + sumBytes(packet, header.payloadAt, length);
  return sumIsIntact(sum) ? Drop.NONE : Drop.BAD_CHECKSUM;
}

/** What kind of message `packet` holds. */
export function icmpMessage(packet: Buffer, header: IpHeader): IcmpMessage {
  const type = u8(packet, header.payloadAt);
  const types = header.family === 4 ? Icmp4 : Icmp6;
  if (type === types.ECHO_REQUEST) return 'echo-request';
  if (type === types.ECHO_REPLY) return 'echo-reply';
  return isError(header.family, type) ? 'error' : 'other';
}

/** ICMPv6 gives its errors the lower half; ICMP has these five, two of them obsolete. */
function isError(family: 4 | 6, type: number): boolean {
  if (family === 6) return type < FIRST_ICMP6_QUERY;
  return (
    type === Icmp4.UNREACHABLE ||
    type === Icmp4.SOURCE_QUENCH ||
    type === Icmp4.REDIRECT ||
    type === Icmp4.TIME_EXCEEDED ||
    type === Icmp4.PARAMETER_PROBLEM
  );
}

/** What an error message says; undefined for one that we do not act on. */
export function unreachableKind(packet: Buffer, header: IpHeader): UnreachableKind | undefined {
  const type = u8(packet, header.payloadAt);
  const code = u8(packet, header.payloadAt + 1);
  return header.family === 4 ? kind4(type, code) : kind6(type, code);
}

function kind4(type: number, code: number): UnreachableKind | undefined {
  if (type === Icmp4.UNREACHABLE) return UNREACHABLE4[code];
  if (type === Icmp4.TIME_EXCEEDED) return 'time-exceeded';
  return type === Icmp4.PARAMETER_PROBLEM ? 'parameter-problem' : undefined;
}

function kind6(type: number, code: number): UnreachableKind | undefined {
  if (type === Icmp6.UNREACHABLE) return UNREACHABLE6[code];
  if (type === Icmp6.TOO_BIG) return 'too-big';
  if (type === Icmp6.TIME_EXCEEDED) return 'time-exceeded';
  if (type !== Icmp6.PARAMETER_PROBLEM) return undefined;
  return code === UNKNOWN_NEXT_HEADER ? 'protocol-unreachable' : 'parameter-problem';
}

/** The MTU that a `too-big` error names. Unit: bytes. */
export function namedMtu(packet: Buffer, header: IpHeader): number {
  const at = header.payloadAt + BODY_AT;
  return header.family === 4 ? u16(packet, at + 2) : u32(packet, at);
}

/** Who asked: the identifier of an echo request or reply. */
export function echoIdentifier(packet: Buffer, header: IpHeader): number {
  return u16(packet, header.payloadAt + BODY_AT);
}

/** The sequence number of an echo request or reply. */
export function echoSequence(packet: Buffer, header: IpHeader): number {
  return u16(packet, header.payloadAt + BODY_AT + 2);
}

/** An echo request; copies `payload`. */
export function buildEchoRequest(
  source: IpAddress,
  destination: IpAddress,
  identifier: number,
  sequence: number,
  payload: Uint8Array,
): Buffer {
  const packet = allocatePacket(source.family, ICMP_HEADER_BYTES + payload.length);
  const at = packet.length - ICMP_HEADER_BYTES - payload.length;
  setU8(packet, at, source.family === 4 ? Icmp4.ECHO_REQUEST : Icmp6.ECHO_REQUEST);
  setU8(packet, at + 1, 0);
  setU16(packet, at + BODY_AT, identifier);
  setU16(packet, at + BODY_AT + 2, sequence);
  packet.set(payload, at + ICMP_HEADER_BYTES);
  return summed(packet, at, source, destination);
}

/** The reply to the echo request in `packet`, from `source`. */
export function buildEchoReply(
  packet: Buffer,
  header: IpHeader,
  source: IpAddress,
  destination: IpAddress,
): Buffer {
  const reply = allocatePacket(source.family, header.payloadLength);
  const at = reply.length - header.payloadLength;
  packet.copy(reply, at, header.payloadAt, header.payloadAt + header.payloadLength);
  setU8(reply, at, source.family === 4 ? Icmp4.ECHO_REPLY : Icmp6.ECHO_REPLY);
  setU8(reply, at + 1, 0);
  return summed(reply, at, source, destination);
}

/** Errors that we send. */
export type SentError =
  | 'port-unreachable'
  | 'protocol-unreachable'
  | 'reassembly-timed-out'
  | HeaderProblem;

/**
 * The error that answers `packet`, with as much of it as fits into the least MTU of the family.
 *
 * @param pointer the byte at which an ICMPv6 parameter problem points; other errors ignore it
 */
export function buildError(
  error: SentError,
  packet: Buffer,
  pointer: number,
  source: IpAddress,
  destination: IpAddress,
): Buffer {
  const limit = source.family === 4 ? ERROR_BYTES_4 : ERROR_BYTES_6;
  const quoted = packet.subarray(0, limit);
  const built = allocatePacket(source.family, ICMP_HEADER_BYTES + quoted.length);
  const at = built.length - ICMP_HEADER_BYTES - quoted.length;
  const typeAndCode = (source.family === 4 ? ERROR_4 : ERROR_6)[error];
  const isParameterProblem = source.family === 6 && typeAndCode >>> 8 === Icmp6.PARAMETER_PROBLEM;
  setU16(built, at, typeAndCode);
  setU32(built, at + BODY_AT, isParameterProblem ? pointer : 0);
  built.set(quoted, at + ICMP_HEADER_BYTES);
  return summed(built, at, source, destination);
}

function summed(packet: Buffer, at: number, source: IpAddress, destination: IpAddress): Buffer {
  const length = packet.length - at;
  const pseudo =
    source.family === 4 ? 0 : outgoingPseudoSum(source, destination, IpProtocol.ICMPV6) + length;
  setU16(packet, at + CHECKSUM_AT, 0);
  setU16(packet, at + CHECKSUM_AT, checksumOf(pseudo + sumBytes(packet, at, length)));
  return packet;
}

const CHECKSUM_AT = 2;
const BODY_AT = 4;
const FIRST_ICMP6_QUERY = 128;
const UNKNOWN_NEXT_HEADER = 1;

/** Quoted bytes: with our headers at most 576 (RFC 1812 §4.3.2.3) and 1280 (RFC 4443 §2.4). */
const ERROR_BYTES_4 = 576 - 20 - ICMP_HEADER_BYTES;
const ERROR_BYTES_6 = 1280 - 40 - ICMP_HEADER_BYTES;

const Icmp4 = {
  ECHO_REPLY: 0,
  UNREACHABLE: 3,
  SOURCE_QUENCH: 4,
  REDIRECT: 5,
  ECHO_REQUEST: 8,
  TIME_EXCEEDED: 11,
  PARAMETER_PROBLEM: 12,
} as const;

const Icmp6 = {
  UNREACHABLE: 1,
  TOO_BIG: 2,
  TIME_EXCEEDED: 3,
  PARAMETER_PROBLEM: 4,
  ECHO_REQUEST: 128,
  ECHO_REPLY: 129,
} as const;

/** Type and code of the errors that we send. */
const ERROR_4: Readonly<Record<SentError, number>> = {
  'port-unreachable': 0x0303,
  'protocol-unreachable': 0x0302,
  'reassembly-timed-out': 0x0b01,
  'bad-header': 0x0c00,
  'unknown-header': 0x0302,
  'unknown-option': 0x0c00,
};
const ERROR_6: Readonly<Record<SentError, number>> = {
  'port-unreachable': 0x0104,
  'protocol-unreachable': 0x0401,
  'reassembly-timed-out': 0x0301,
  'bad-header': 0x0400,
  'unknown-header': 0x0401,
  'unknown-option': 0x0402,
};

/** Codes of ICMP type 3 (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1). */
const UNREACHABLE4: readonly (UnreachableKind | undefined)[] = [
  'network-unreachable',
  'host-unreachable',
  'protocol-unreachable',
  'port-unreachable',
  'too-big',
  'host-unreachable',
  'network-unreachable',
  'host-unreachable',
  'host-unreachable',
  'prohibited',
  'prohibited',
  'network-unreachable',
  'host-unreachable',
  'prohibited',
];

/** Codes of ICMPv6 type 1 (RFC 4443 §3.1). */
const UNREACHABLE6: readonly (UnreachableKind | undefined)[] = [
  'network-unreachable',
  'prohibited',
  'host-unreachable',
  'host-unreachable',
  'port-unreachable',
  'prohibited',
  'prohibited',
];
