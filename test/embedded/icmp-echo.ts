import { isIPv4 } from 'node:net';

export const ECHO_REQUEST = 8;
export const ECHO_REPLY = 0;

const IPV4_HEADER = 20;
const ICMP_HEADER = 8;
const ICMP = 1;

/** An IPv4 packet with an ICMP echo request (RFC 792), written without the library's help. */
export function echoRequest(from: string, to: string, sequence: number, payload = 32): Buffer {
  const packet = Buffer.alloc(IPV4_HEADER + ICMP_HEADER + payload);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt16BE(packet.length, 2);
  packet.writeUInt8(64, 8);
  packet.writeUInt8(ICMP, 9);
  address(from).copy(packet, 12);
  address(to).copy(packet, 16);
  packet.writeUInt16BE(checksum(packet.subarray(0, IPV4_HEADER)), 10);
  const icmp = packet.subarray(IPV4_HEADER);
  icmp.writeUInt8(ECHO_REQUEST, 0);
  icmp.writeUInt16BE(0x1234, 4);
  icmp.writeUInt16BE(sequence, 6);
  icmp.writeUInt16BE(checksum(icmp), 2);
  return packet;
}

/** What an IPv4 packet with ICMP inside says. @throws Error for any other packet */
export function icmpOf(packet: Buffer): { type: number; from: string; sequence: number } {
  if (packet.readUInt8(0) !== 0x45 || packet.readUInt8(9) !== ICMP) {
    throw new Error(`expected ICMP, got ${packet.toString('hex')}`);
  }
  return {
    type: packet.readUInt8(IPV4_HEADER),
    from: [...packet.subarray(12, 16)].join('.'),
    sequence: packet.readUInt16BE(IPV4_HEADER + 6),
  };
}

function address(text: string): Buffer {
  if (!isIPv4(text)) throw new Error(`expected an IPv4 address, got ${text}`);
  return Buffer.from(text.split('.').map(Number));
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += (bytes.readUInt8(at) << 8) + (at + 1 < bytes.length ? bytes.readUInt8(at + 1) : 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
