import { checksumOf, sumBytes } from '../../src/netstack/checksum.ts';
import { icmpProtocol } from '../../src/netstack/icmp.ts';
import { outgoingPseudoSum } from '../../src/netstack/pseudo-header.ts';
import { address } from '../sim/netstack-pair.ts';
import { ip } from './socket-logs.ts';

/** An ICMP error as a router or a host writes it: type and code as on the wire, and its body. */
export interface ErrorSpec {
  readonly typeAndCode: number;
  readonly body?: number;
  readonly from: string;
  readonly to: string;
}

export const TIME_EXCEEDED = { 4: 0x0b00, 6: 0x0300 } as const;
export const TOO_BIG = { 4: 0x0304, 6: 0x0200 } as const;

/** The error that quotes `quoted`, as an IP packet. */
export function icmpError(quoted: Buffer, { typeAndCode, body = 0, from, to }: ErrorSpec): Buffer {
  const [source, destination] = [address(from), address(to)];
  const { family } = source;
  const at = family === 4 ? 20 : 40;
  const quote = quoted.subarray(0, (family === 4 ? 576 : 1280) - at - 8);
  const packet = Buffer.concat([Buffer.alloc(at + 8), quote]);
  packet.writeUInt16BE(typeAndCode, at);
  packet.writeUInt32BE(body, at + 4);
  const length = packet.length - at;
  const pseudo =
    family === 4 ? 0 : outgoingPseudoSum(source, destination, icmpProtocol(6)) + length;
  packet.writeUInt16BE(checksumOf(pseudo + sumBytes(packet, at, length)), at + 2);
  return ip(packet, icmpProtocol(family), from, to);
}
