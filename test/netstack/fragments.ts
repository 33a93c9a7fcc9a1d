import { Channel } from '../../src/core/channel.ts';
import { IpHeader, IpProtocol } from '../../src/netstack/ip-header.ts';
import { allocatePacket, IpOutput } from '../../src/netstack/ip-output.ts';
import { OFFSET_UNIT, parseIpv4, writeIpv4 } from '../../src/netstack/ipv4.ts';
import { parseIpv6, writeFragmentHeader, writeIpv6 } from '../../src/netstack/ipv6.ts';
import { address } from '../sim/netstack-pair.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

/** Sender and receiver of the fragments here. */
export const ENDS = {
  4: { source: address('10.8.0.1'), destination: address('10.8.0.2') },
  6: { source: address('fd00::1'), destination: address('fd00::2') },
} as const;

/** What a fragment says of itself; offsets in bytes. */
export interface FragmentSpec {
  readonly id?: number;
  readonly offset: number;
  readonly more: boolean;
  readonly payload: Uint8Array;
  readonly protocol?: number;
}

/** The fragment as a packet. */
export function fragment(family: 4 | 6, spec: FragmentSpec): Buffer {
  const { id = 1, offset, more, payload, protocol = IpProtocol.UDP } = spec;
  const { source, destination } = ENDS[family];
  if (family === 4) {
    const packet = Buffer.concat([Buffer.alloc(20), payload]);
    const field = (more ? 0x2000 : 0) | (offset / OFFSET_UNIT);
    writeIpv4(packet, protocol, source, destination, id, field);
    return packet;
  }
  const packet = Buffer.concat([Buffer.alloc(48), payload]);
  writeIpv6(packet, 44, source, destination, 0);
  writeFragmentHeader(packet, protocol, offset, more, id);
  return packet;
}

/** What the headers of a good packet say. @throws Error for a bad one */
export function headerOf(packet: Buffer): IpHeader {
  const header = new IpHeader();
  const drop = ((packet[0] ?? 0) >>> 4 === 4 ? parseIpv4 : parseIpv6)(packet, header);
  if (drop !== 0) throw new Error(`not a packet: ${drop}`);
  return header;
}

/** `payload` as the packets that {@link IpOutput} makes of it. */
export function cut(family: 4 | 6, payload: Uint8Array, mtu: number, seed = 1): Buffer[] {
  const output = new IpOutput(mtu, new SeededRandom(seed));
  const packet = allocatePacket(family, payload.length);
  packet.set(payload, packet.length - payload.length);
  const queue = new Channel<Buffer>('fragments', 4096);
  const { source, destination } = ENDS[family];
  output.send(packet, IpProtocol.UDP, source, destination, queue);
  const packets: Buffer[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) packets.push(next);
  return packets;
}
