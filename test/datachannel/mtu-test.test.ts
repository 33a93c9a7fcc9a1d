import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import {
  OCC_MAGIC,
  OccOpcode,
  occMessage,
  occNumberOf,
  occNumbers,
} from '../../src/datachannel/in-band-message.ts';
import { MtuTest, mtuTestText, PROBE_INTERVAL_MS } from '../../src/datachannel/mtu-test.ts';
import { connectedPair, type End, eventsOf } from './ends.ts';
import { inParts, PLAIN_FORMAT } from './formats.ts';

const OVERHEAD = 24;

/** Every message of a test that nobody answers, and when it is over. */
function run(test: MtuTest): { messages: Buffer[]; overAt: number } {
  const messages: Buffer[] = [];
  for (let now = 0; ; now += PROBE_INTERVAL_MS) {
    if (test.onTimeout(now)) return { messages, overAt: now };
    const message = test.take();
    if (message !== undefined) messages.push(message);
  }
}

describe('MtuTest', () => {
  test('sends each probe before it asks for one, from short to long, then asks what came', () => {
    const test = new MtuTest(1524, OVERHEAD, { received: 0, sent: 0 });
    const { messages } = run(test);
    const told = messages.map((message) => {
      const opcode = message[OCC_MAGIC.length];
      if (opcode === OccOpcode.MTU_LOAD) return `load ${message.length + OVERHEAD}`;
      return opcode === OccOpcode.MTU_REQUEST ? 'sizes?' : `load ${occNumberOf(message, 0)}?`;
    });
    const sizes = [524, 774, 1024, 1124, 1224, 1324, 1374, 1424, 1474, 1524];
    expect(told).toEqual([
      ...sizes.flatMap((size) => [0, 1].flatMap(() => [`load ${size}`, `load ${size}?`])),
      ...new Array(10).fill('sizes?'),
    ]);
  });

  test('gives up after the last question, and is silent from then on', () => {
    const test = new MtuTest(1524, OVERHEAD, { received: 0, sent: 0 });
    expect(run(test).overAt).toBe(50 * PROBE_INTERVAL_MS);
    expect(test.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    expect(test.onTimeout(1e9)).toBe(false);
    expect(test.receive(occNumbers(OccOpcode.MTU_REPLY, 1, 1))).toBeUndefined();
  });

  test('does nothing before a probe is due', () => {
    const test = new MtuTest(1524, OVERHEAD, { received: 0, sent: 0 });
    test.onTimeout(0);
    test.take();
    expect(test.onTimeout(PROBE_INTERVAL_MS - 1)).toBe(false);
    expect(test.take()).toBeUndefined();
    expect(test.nextTimeout()).toBe(PROBE_INTERVAL_MS);
  });

  test('a small tunnel has no probes shorter than 100 bytes', () => {
    const { messages } = run(new MtuTest(600, OVERHEAD, { received: 0, sent: 0 }));
    for (const message of messages) {
      if (message[OCC_MAGIC.length] === OccOpcode.MTU_LOAD) {
        expect(message.length + OVERHEAD).toBeGreaterThanOrEqual(100);
      }
    }
    expect(messages).toHaveLength(8 * 4 + 10);
  });

  test('a reply ends it; an empty one and other messages do not', () => {
    const test = new MtuTest(1524, OVERHEAD, { received: 1300, sent: 1524 });
    test.onTimeout(0);
    expect(test.receive(occNumbers(OccOpcode.MTU_REPLY, 0, 0))).toBeUndefined();
    expect(test.receive(occMessage(OccOpcode.MTU_REPLY))).toBeUndefined();
    expect(test.receive(occNumbers(OccOpcode.MTU_LOAD_REQUEST, 7, 7))).toBeUndefined();
    const result = test.receive(occNumbers(OccOpcode.MTU_REPLY, 1450, 1524));
    expect(result).toEqual({
      toPeer: { tried: 1524, arrived: 1450 },
      fromPeer: { tried: 1524, arrived: 1300 },
    });
    expect(test.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    expect(mtuTestText(result)).toBe(
      'mtu-test: of 1524 bytes sent, 1450 arrived; of 1524 the peer sent, 1300 came (longest outer packets)',
    );
  });
});

describe('DataChannel with mtu-test', () => {
  /** Carries all that is owed for a minute, but packets above `limit`. */
  function exchange(client: End, server: End, limit: number): void {
    for (let now = 0; now < 60_000; now += PROBE_INTERVAL_MS) {
      for (const { channel } of [client, server]) channel.onTimeout(now);
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        for (;;) {
          const packet = from.channel.takeMessage(now);
          if (packet === undefined) break;
          if (packet.length > limit) continue;
          expect(to.channel.open(packet, now)).toSatisfy(
            (drop) => drop === Drop.NONE || drop === Drop.RATE_LIMITED,
          );
        }
      }
    }
  }

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'any length passes',           limit: 9000, format: PLAIN_FORMAT,  tried: 1524, arrived: 1524 },
    { name: 'no more than 1,400 pass',     limit: 1400, format: PLAIN_FORMAT,  tried: 1524, arrived: 1374 },
    { name: 'with fragment, in two parts', limit: 9000, format: inParts(1000), tried: 780,  arrived: 780 },
  ])('$name', ({ limit, format, tried, arrived }) => {
    const { server } = connectedPair();
    const tester = connectedPair({ mtuTest: true }).client;
    tester.channel.useFormat(format);
    server.channel.useFormat(format);
    exchange(tester, server, limit);
    const [event, ...rest] = eventsOf(tester.channel);
    expect(rest).toEqual([]);
    if (event?.kind !== 'mtu-tested') return expect.fail();
    expect(event.result?.toPeer.arrived).toBeLessThanOrEqual(arrived);
    expect(event.result?.toPeer.arrived).toBeGreaterThan(arrived - 60);
    expect(event.result?.toPeer.tried).toBeLessThanOrEqual(tried);
    expect(event.result?.fromPeer.arrived).toBeLessThanOrEqual(arrived);
    expect(event.result?.fromPeer.arrived).toBeGreaterThan(arrived - 60);
  });

  test('a peer that does not answer: told so once', () => {
    const { client } = connectedPair({ mtuTest: true });
    client.channel.useFormat(PLAIN_FORMAT);
    for (let now = 0; now < 60_000; now += PROBE_INTERVAL_MS) {
      client.channel.onTimeout(now);
      client.channel.takeMessage(now);
    }
    expect(eventsOf(client.channel)).toEqual([{ kind: 'mtu-tested', result: undefined }]);
    expect(mtuTestText(undefined)).toContain('got none');
  });

  test('without it, nothing is sent unasked', () => {
    const { client } = connectedPair();
    client.channel.useFormat(PLAIN_FORMAT);
    client.channel.onTimeout(60_000);
    expect(client.channel.takeMessage(60_000)).toBeUndefined();
    expect(client.channel.nextTimeout()).toBeGreaterThan(60_000);
  });
});
