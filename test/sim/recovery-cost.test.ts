import { describe, expect, test } from 'vitest';
import { type TcpEnd, TcpPair, type TcpPairOptions } from '../netstack/tcp/tcp-pair.ts';
import { losePackets } from './bulk-flow.ts';

const ROUND_TRIP_MS = 40;
/** 20 Mbit/s, with room for all that the window allows: only what a test loses is lost. */
const RATE = { bytesPerMs: 2500, queueBytes: 1e9, sizeOf: (packet: Buffer) => packet.length };
const WINDOW_BYTES = 100_000;
const SMALL_WINDOW = { receiveBufferBytes: WINDOW_BYTES, maxReceiveBufferBytes: WINDOW_BYTES };
/** Beside an IP and a TCP header with timestamps. */
const PAYLOAD_BYTES = 1348;
const SEQUENCE_AT = 24;

function pairOf(
  link: TcpPairOptions['link'],
  client: TcpPairOptions['client'] = {},
  server: TcpPairOptions['server'] = SMALL_WINDOW,
): TcpPair {
  const line = { delayMs: ROUND_TRIP_MS / 2, rate: RATE, ...link };
  return new TcpPair({ seed: 3, link: line, client, server }).connect();
}

/** Sends `bytes` until all is acknowledged; `watch` sees the client after each step. */
function transfer(pair: TcpPair, bytes: number, watch: (client: TcpEnd) => void = () => {}): void {
  const goal = pair.server.received + bytes;
  pair.client.send(Buffer.alloc(bytes), { chunkBytes: 65_536 });
  const finished = pair.runUntil(() => {
    watch(pair.client);
    return pair.server.received === goal && pair.client.connection.info().unacknowledged === 0;
  }, 60_000);
  expect(finished).toBe(true);
}

describe('a single loss', () => {
  test.each([
    { name: 'in the first flight', packet: 5 },
    { name: 'in slow start', packet: 40 },
    { name: 'of a full window', packet: 300 },
  ])('$name costs one retransmission and about one round trip', ({ packet }) => {
    const pair = pairOf({ lose: losePackets([packet]) });
    let beganAt = -1;
    let tookMs = -1;
    transfer(pair, 1_000_000, ({ connection }) => {
      const { recovering } = connection.info();
      if (recovering && beganAt < 0) beganAt = pair.clock.now();
      if (!recovering && beganAt >= 0 && tookMs < 0) tookMs = pair.clock.now() - beganAt;
    });
    const { srttMs, ...info } = pair.client.connection.info();
    const rest = { retransmits: 1, timeouts: 0, probes: 0, spuriousRecoveries: 0 };
    expect(info).toMatchObject({ ...rest, reordering: false });
    const queueMs = WINDOW_BYTES / RATE.bytesPerMs;
    expect(tookMs).toBeLessThan(ROUND_TRIP_MS + queueMs + ROUND_TRIP_MS / 4);
    expect(srttMs).toBeLessThan(ROUND_TRIP_MS + queueMs);
  });

  test('of what was sent again is found without a timeout while data flows', () => {
    const lost = 1 + 100 * PAYLOAD_BYTES;
    let sendings = 0;
    const lose = (packet: Buffer) => {
      const { length } = packet;
      if (length < PAYLOAD_BYTES || packet.readUInt32BE(SEQUENCE_AT) !== lost) return false;
      sendings += 1;
      return sendings <= 3;
    };
    const pair = pairOf({ lose }, {}, {});
    transfer(pair, 2_000_000);
    expect(sendings).toBe(4);
    expect(pair.client.connection.info()).toMatchObject({ retransmits: 3, timeouts: 0 });
  });
});

describe('a lost tail', () => {
  const segments = 75;
  const cases = [true, false].flatMap((timestamps) =>
    [1, 2, 3, 6].map((count) => ({ timestamps, count })),
  );

  test.each(cases)(
    'of $count segments is repaired by a probe, timestamps $timestamps',
    ({ timestamps, count }) => {
      const payload = timestamps ? PAYLOAD_BYTES : PAYLOAD_BYTES + 12;
      const numbers = Array.from({ length: count }, (_, at) => segments - count + 1 + at);
      const pair = pairOf({ lose: losePackets(numbers) }, { timestamps });
      const clean = pairOf({}, { timestamps });
      transfer(pair, segments * payload);
      transfer(clean, segments * payload);
      const { retransmits, timeouts, probes } = pair.client.connection.info();
      expect({ retransmits, timeouts, probes }).toEqual({
        retransmits: count,
        timeouts: 0,
        probes: 1,
      });
      // Two round trips until the probe, with one segment the delay of an acknowledgement too; one
      // for it, and for more than one segment two for the others.
      const least = count === 1 ? 3 * ROUND_TRIP_MS + 200 : 6 * ROUND_TRIP_MS;
      expect(pair.clock.now() - clean.clock.now()).toBeLessThan(least + ROUND_TRIP_MS);
    },
  );
});

describe('where nothing is lost', () => {
  test('a third of the acknowledgements may be: nothing is repeated, and it is nearly as fast', () => {
    const times = [0, 30].map((lossPercent) => {
      const pair = pairOf({});
      let turn = 1;
      const send = pair.server.onPacket;
      pair.server.onPacket = (packet) => {
        turn = (turn * 1_103_515_245 + 12_345) >>> 0;
        if (pair.server.received === 0 || (turn >>> 16) % 100 >= lossPercent) send(packet);
      };
      transfer(pair, 5_000_000);
      expect(pair.client.connection.info()).toMatchObject({ timeouts: 0, spuriousRecoveries: 0 });
      expect(pair.client.connection.info().retransmits).toBeLessThanOrEqual(1);
      return pair.clock.now();
    });
    // In slow start one acknowledgement opens the window by eight segments at most.
    expect(times[1]).toBeLessThan(1.25 * (times[0] ?? 0));
  });

  test('a line that stands still for a second costs what the timer sends, and no window', () => {
    const pair = pairOf({});
    const send = pair.client.onPacket;
    let held: Buffer[] | undefined;
    pair.client.onPacket = (packet) => {
      if (held === undefined) send(packet);
      else held.push(packet);
    };
    let before = 0;
    pair.clock.setTimer(2000, () => {
      held = [];
      before = pair.client.connection.info().cwnd;
    });
    pair.clock.setTimer(3000, () => {
      const packets = held ?? [];
      held = undefined;
      for (const packet of packets) send(packet);
    });
    transfer(pair, 10_000_000);
    const info = pair.client.connection.info();
    expect(info.spuriousRecoveries).toBe(1);
    expect(info.timeouts).toBeGreaterThan(0);
    expect(info.retransmits).toBeLessThanOrEqual(info.timeouts + info.probes);
    expect(info.ssthresh).toBe(Number.POSITIVE_INFINITY);
    expect(info.cwnd).toBeGreaterThanOrEqual(before);
    expect(info.rtoMs).toBeLessThan(400);
  });

  test('a pause of half a minute is followed by the initial window, not by a burst', () => {
    const pair = pairOf({});
    transfer(pair, 2_000_000);
    expect(pair.client.connection.info().cwnd).toBeGreaterThan(50 * PAYLOAD_BYTES);
    pair.clock.advance(30_000);
    const sent = pair.up.sent;
    const at = pair.clock.now();
    pair.client.send(Buffer.alloc(2_000_000), { chunkBytes: 65_536 });
    pair.runUntil(() => pair.clock.now() > at, 1000);
    expect(pair.up.sent - sent).toBe(10);
    pair.runUntil(() => pair.server.received === 4_000_000);
    expect(pair.client.connection.info()).toMatchObject({ retransmits: 0, timeouts: 0 });
  });
});
