import { describe, expect, test } from 'vitest';
import { flowLabelOf } from '../../src/netstack/flow-label.ts';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { EchoLog, UdpLog, udpPacket } from './socket-logs.ts';

const [SOURCE, DESTINATION] = [address('fd00::1'), address('fd00::2')];

function labelOf(fromPort: number, toPort: number, seed = 1, destination = DESTINATION): number {
  const packet = udpPacket('fd00::1', fromPort, 'fd00::2', toPort);
  return flowLabelOf(seed, packet, 17, SOURCE, destination);
}

describe('flowLabelOf', () => {
  test('is the same for all packets of a flow, and different for another', () => {
    expect(labelOf(1000, 53)).toBe(labelOf(1000, 53));
    const others = [
      labelOf(1001, 53),
      labelOf(1000, 54),
      labelOf(1000, 53, 2),
      labelOf(1000, 53, 1, address('fd00::3')),
      labelOf(1000, 53, 1, address('fd01::2')),
    ];
    expect(others).not.toContain(labelOf(1000, 53));
  });

  test('has 20 bits and uses them', () => {
    const labels = Array.from({ length: 4000 }, (_, port) => labelOf(port + 1, 53));
    expect(Math.max(...labels)).toBeLessThan(2 ** 20);
    expect(Math.min(...labels)).toBeGreaterThanOrEqual(0);
    expect(new Set(labels).size).toBeGreaterThan(3950);
  });
});

test('all fragments of a datagram carry the label of its flow, and pings have one', () => {
  const labels = new Map<number, Set<number>>();
  const pair = new NetstackPair({
    filter: (packet, from) => {
      const kind = packet.length > 1000 ? 0 : packet.length;
      const seen = labels.get(kind) ?? new Set();
      if (from === 'left') labels.set(kind, seen.add(packet.readUInt32BE(0) & 0xf_ffff));
      return undefined;
    },
  });
  const endpoint = pair.left.openUdp({ family: 6 }, new UdpLog());
  endpoint.send(Buffer.alloc(6000), address('fd00::2'), 9);
  pair.left.openEcho(address('fd00::2'), new EchoLog()).send(1, 8);
  pair.settle();
  expect([...labels.values()].map(({ size }) => size)).toEqual([1, 1, 1]);
  const echo = [...(labels.get(56) ?? [])][0];
  expect(echo).toBeGreaterThan(0);
});
