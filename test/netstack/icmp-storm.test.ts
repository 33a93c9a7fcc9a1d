import { describe, expect, test } from 'vitest';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { StreamEnd } from '../sim/stream-end.ts';
import { icmpError, TIME_EXCEEDED, TOO_BIG } from './icmp-error.ts';
import { FAMILIES } from './socket-logs.ts';
import { serve } from './tcp-ends.ts';

const FLOWS = 20;
const FORGED = 5_000;

/** Everything that a router or a host can say is wrong, as type and code. */
const COMPLAINTS = {
  4: [0x0300, 0x0301, 0x0302, 0x0303, 0x0305, 0x0309, 0x030d, 0x0400, 0x0b00, 0x0c00],
  6: [0x0100, 0x0101, 0x0103, 0x0104, 0x0105, 0x0106, 0x0300, 0x0400, 0x0401],
} as const;

describe.each(FAMILIES)('an ICMP storm over IPv$family', ({ family, left, right, headerBytes }) => {
  const router = family === 4 ? '10.9.9.9' : 'fd99::9';

  /** Flows in the middle of a transfer, and the last segment that each sent. */
  function busy() {
    const sent = new Map<number, Buffer>();
    let held = false;
    const pair = new NetstackPair({
      filter: (packet, from) => {
        if (from === 'left') sent.set(packet.readUInt16BE(headerBytes), packet);
        return held ? undefined : packet;
      },
    });
    const servers = serve(pair, 80);
    const clients = Array.from({ length: FLOWS }, () => {
      const client = new StreamEnd(0);
      client.connection = pair.left.connectTcp(address(right), 80, client);
      return client;
    });
    pair.advance(50);
    held = true;
    for (const { connection } of clients) connection?.write(Buffer.alloc(3000));
    pair.settle();
    const finish = () => {
      held = false;
      for (const { connection } of clients) connection?.shutdown();
      pair.advance(30_000);
    };
    return { pair, servers, clients, segments: [...sent.values()], finish };
  }

  test('kills no flow, whatever it says and however well it guesses', () => {
    const { pair, servers, clients, segments, finish } = busy();
    const random = new SeededRandom(family);
    const inject = (quoted: Buffer, typeAndCode: number) => {
      pair.leftTun.inject(icmpError(quoted, { typeAndCode, from: router, to: left }));
    };
    // The true segments first, as somebody on the path would quote them.
    for (const segment of segments) for (const code of COMPLAINTS[family]) inject(segment, code);
    for (let forged = 0; forged < FORGED; forged += 1) {
      const quoted = Buffer.from(segments[forged % segments.length] ?? Buffer.alloc(60));
      const guess = random.uint32();
      if (random.chance(50)) quoted.writeUInt32BE(guess, headerBytes + 4);
      else quoted.writeUInt16BE(guess & 0xffff, headerBytes + (random.chance(50) ? 0 : 2));
      const codes = COMPLAINTS[family];
      inject(quoted, codes[guess % codes.length] ?? 0);
      if (forged % 100 === 0) pair.settle();
    }
    pair.settle();
    expect(clients.flatMap(({ closings }) => closings)).toEqual([]);
    finish();
    expect(servers.map(({ receivedBytes }) => receivedBytes)).toEqual(Array(FLOWS).fill(3000));
    // Nothing of it was answered with an error.
    expect(clients.flatMap(({ closings }) => closings).filter((why) => why !== undefined)).toEqual(
      [],
    );
  });

  test('that claims an MTU of 68, without seeing a segment, changes nothing', () => {
    const { pair, clients, segments } = busy();
    const before = clients.map(({ connection }) => connection?.info().mss);
    const random = new SeededRandom(family + 10);
    for (let forged = 0; forged < FORGED; forged += 1) {
      const quoted = Buffer.from(segments[forged % segments.length] ?? Buffer.alloc(60));
      const true32 = quoted.readUInt32BE(headerBytes + 4);
      // Anywhere but in flight: the window is 3,000 bytes.
      const guess = (true32 + 10_000 + (random.uint32() % 0xf000_0000)) >>> 0;
      quoted.writeUInt32BE(guess, headerBytes + 4);
      const error = { typeAndCode: TOO_BIG[family], body: 68, from: router, to: left };
      pair.leftTun.inject(icmpError(quoted, error));
      if (forged % 100 === 0) pair.settle();
    }
    pair.settle();
    expect(clients.map(({ connection }) => connection?.info().mss)).toEqual(before);
  });

  test('does not end a handshake that it cannot quote', () => {
    const pair = new NetstackPair({ filter: () => undefined });
    const client = new StreamEnd(0);
    client.connection = pair.left.connectTcp(address(right), 80, client);
    pair.settle();
    const random = new SeededRandom(family);
    for (let forged = 0; forged < FORGED; forged += 1) {
      const quoted = Buffer.concat([Buffer.alloc(headerBytes), random.bytes(20)]);
      quoted.writeUInt16BE(80, headerBytes + 2);
      pair.leftTun.inject(
        icmpError(ipOf(quoted, family, left, right), {
          typeAndCode: random.chance(50) ? COMPLAINTS[family][0] : TIME_EXCEEDED[family],
          from: router,
          to: left,
        }),
      );
      if (forged % 100 === 0) pair.settle();
    }
    pair.settle();
    expect(client.closings).toEqual([]);
  });
});

/** TCP over the family, from and to these. */
function ipOf(packet: Buffer, family: 4 | 6, from: string, to: string): Buffer {
  const at = family === 4 ? 12 : 8;
  packet.writeUInt8(family === 4 ? 0x45 : 0x60, 0);
  packet.writeUInt8(6, family === 4 ? 9 : 6);
  address(from).writeTo(packet, at);
  address(to).writeTo(packet, at + (family === 4 ? 4 : 16));
  return packet;
}
