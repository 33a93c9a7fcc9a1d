/** A TCP segment inside an IP packet, with correct checksums. */
export interface TcpPacketInput {
  /** Default: 4. */
  readonly version?: 4 | 6;
  /** Default: SYN. */
  readonly flags?: number;
  /** TCP options, padded to words with zeros. */
  readonly options?: readonly number[];
  /** Words of IPv4 options. Default: 0. */
  readonly ipOptionWords?: number;
  readonly payload?: Buffer;
}

export const SYN = 0x02;
export const ACK = 0x10;

export function tcpPacket(input: TcpPacketInput = {}): Buffer {
  const { version = 4, flags = SYN, options = [], ipOptionWords = 0 } = input;
  const payload = input.payload ?? Buffer.alloc(0);
  const optionBytes = Math.ceil(options.length / 4) * 4;
  const ipBytes = version === 4 ? 20 + 4 * ipOptionWords : 40;
  const tcpBytes = 20 + optionBytes + payload.length;
  const packet = Buffer.alloc(ipBytes + tcpBytes);
  if (version === 4) {
    packet.writeUInt8(0x45 + ipOptionWords, 0);
    packet.writeUInt16BE(packet.length, 2);
    packet.writeUInt8(6, 9);
    packet.set([10, 8, 0, 2, 10, 8, 0, 1], 12);
    packet.fill(1, 20, ipBytes);
  } else {
    packet.writeUInt8(0x60, 0);
    packet.writeUInt16BE(tcpBytes, 4);
    packet.writeUInt8(6, 6);
    packet.set([0xfd, 0, 0, 2], 8);
    packet.set([0xfd, 0, 0, 1], 24);
  }
  packet.set([0xc0, 0x01, 0x00, 0x50, 1, 2, 3, 4], ipBytes);
  packet.writeUInt8(((20 + optionBytes) / 4) << 4, ipBytes + 12);
  packet.writeUInt8(flags, ipBytes + 13);
  packet.writeUInt16BE(0xfaf0, ipBytes + 14);
  packet.set(options, ipBytes + 20);
  packet.set(payload, ipBytes + 20 + optionBytes);
  packet.writeUInt16BE(~tcpSum(packet) & 0xffff, ipBytes + 16);
  return packet;
}

/** Whether the TCP checksum adds up, counted from scratch (RFC 9293 §3.1). */
export function hasGoodChecksum(packet: Buffer): boolean {
  return tcpSum(packet) === 0xffff;
}

export function tcpOffsetOf(packet: Buffer): number {
  return packet.readUInt8(0) >>> 4 === 6 ? 40 : (packet.readUInt8(0) & 0x0f) * 4;
}

function tcpSum(packet: Buffer): number {
  const isIpv6 = packet.readUInt8(0) >>> 4 === 6;
  const addresses = isIpv6 ? packet.subarray(8, 40) : packet.subarray(12, 20);
  const segment = packet.subarray(tcpOffsetOf(packet));
  let sum = 6 + segment.length;
  for (const bytes of [addresses, segment]) {
    for (const [at, byte] of bytes.entries()) sum += at % 2 === 0 ? byte * 256 : byte;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return sum;
}
