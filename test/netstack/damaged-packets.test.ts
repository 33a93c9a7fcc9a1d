import { describe, expect, test } from 'vitest';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { StreamEnd } from '../sim/stream-end.ts';
import { EchoLog, FAMILIES, UdpLog } from './socket-logs.ts';

/**
 * Bits of an IPv6 header that nothing sums: traffic class, flow label and hop limit. Whoever
 * changes them changes nothing of what arrives.
 */
function isUnprotected(family: 4 | 6, bit: number): boolean {
  return family === 6 && ((bit >= 4 && bit < 32) || (bit >= 56 && bit < 64));
}

/** A pair whose right end speaks, and whose packets to the left are caught when told to. */
function caught(family: 4 | 6) {
  const held: Buffer[] = [];
  let catching = false;
  const pair = new NetstackPair({
    filter: (packet, from) => {
      if (!catching || from === 'left') return packet;
      held.push(packet);
      return undefined;
    },
  });
  const [left, right] = family === 4 ? ['10.8.0.1', '10.8.0.2'] : ['fd00::1', 'fd00::2'];
  return { pair, held, left, right, begin: () => (catching = true) };
}

interface Scene {
  readonly pair: NetstackPair;
  /** The packet that is to be damaged. */
  readonly packet: Buffer;
  /** How much the receiver has heard. */
  heard(): number;
}

const SCENES: Readonly<
  Record<'TCP' | 'UDP' | 'ICMP echo' | 'ICMP error', (family: 4 | 6) => Scene>
> = {
  TCP: (family) => {
    const { pair, held, right, begin } = caught(family);
    const server = new StreamEnd(0);
    pair.right.listenTcp({ port: 80 }, (connection) => {
      server.connection = connection;
      return server;
    });
    const client = new StreamEnd(0);
    client.connection = pair.left.connectTcp(address(right), 80, client);
    pair.advance(10);
    begin();
    server.connection?.write(Buffer.from('some data to be damaged'));
    pair.settle();
    const packet = held.find(({ length }) => length > 70) ?? Buffer.alloc(0);
    return { pair, packet, heard: () => client.receivedBytes + client.closings.length };
  },
  UDP: (family) => {
    const { pair, held, left, begin } = caught(family);
    const log = new UdpLog();
    pair.left.openUdp({ family, port: 9 }, log);
    begin();
    pair.right.openUdp({ family }, new UdpLog()).send(Buffer.from('datagram'), address(left), 9);
    pair.settle();
    return { pair, packet: held[0] ?? Buffer.alloc(0), heard: () => log.received.length };
  },
  'ICMP echo': (family) => {
    const { pair, held, right, begin } = caught(family);
    const log = new EchoLog();
    begin();
    pair.left.openEcho(address(right), log).send(1, 24);
    pair.settle();
    const heard = () => log.replies.length + log.errors.length;
    return { pair, packet: held[0] ?? Buffer.alloc(0), heard };
  },
  'ICMP error': (family) => {
    const { pair, held, right, begin } = caught(family);
    const log = new UdpLog();
    const remote = { address: address(right), port: 9 };
    begin();
    pair.left.openUdp({ family, remote }, log).send(Buffer.from('x'), remote.address, 9);
    pair.settle();
    return { pair, packet: held[0] ?? Buffer.alloc(0), heard: () => log.failures.length };
  },
};

describe.each(FAMILIES)('a single flipped bit over IPv$family', ({ family }) => {
  test.each(Object.entries(SCENES))('is always found in %s', (_, scene) => {
    const { pair, packet, heard } = scene(family);
    expect(packet.length).toBeGreaterThan(30);
    const drops = () => Object.values(pair.left.stats().drops).reduce((sum, one) => sum + one, 0);
    const dropped: number[] = [];
    const flipped: number[] = [];
    for (let bit = 0; bit < packet.length * 8; bit += 1) {
      if (isUnprotected(family, bit)) continue;
      const damaged = Buffer.from(packet);
      damaged[bit >>> 3] = (damaged[bit >>> 3] ?? 0) ^ (0x80 >>> (bit & 7));
      const before = drops();
      pair.leftTun.inject(damaged);
      pair.settle();
      flipped.push(bit);
      if (drops() === before + 1) dropped.push(bit);
    }
    expect(heard()).toBe(0);
    expect(dropped).toEqual(flipped);
    pair.leftTun.inject(packet);
    pair.settle();
    expect(heard()).toBeGreaterThan(0);
  });
});
