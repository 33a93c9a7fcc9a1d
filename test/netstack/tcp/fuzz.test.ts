import { describe, expect, test } from 'vitest';
import { serialAdd } from '../../../src/core/serial.ts';
import { sealSegment } from '../../../src/netstack/tcp/segment.ts';
import type { TcpState } from '../../../src/netstack/tcp/state.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';
import {
  buildSegment,
  inState,
  LOCAL_ISN,
  REMOTE_ISN,
  type ScriptedPeer,
} from './scripted-peer.ts';
import { IP_HEADER_BYTES, PSEUDO_HEADER_SUM, TcpPair } from './tcp-pair.ts';

const STATES: readonly TcpState[] = [
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
];
const SEEDS = 40;
const ACTIONS = 400;
/** Packets that one event may cause. */
const MOST_PACKETS = 300;

/** A number near 0, near an edge of the window, or anywhere. */
function near(random: SeededRandom, isn: number): number {
  const spread = [3, 100, 3000, 70_000, 0x1_0000_0000][random.uint32() % 5] ?? 3;
  return serialAdd(isn, (random.uint32() % spread) - Math.floor(spread / 4));
}

function randomSegment(random: SeededRandom): Buffer {
  const letters = ['S', 'F', 'R', 'P', 'A', 'A', 'A'].filter(() => random.chance(35));
  const packet = buildSegment(letters.join(''), near(random, REMOTE_ISN), near(random, LOCAL_ISN), {
    data: random.chance(50) ? random.uint32() % 1400 : 0,
    window: random.uint32() & (random.chance(20) ? 0 : 0xffff),
    ...(random.chance(10) ? { mss: random.uint32() & 0xffff } : {}),
    ...(random.chance(10) ? { timestamps: [random.uint32(), random.uint32()] as const } : {}),
  });
  return random.chance(20) ? mutated(packet, random) : packet;
}

/** Some bytes changed; sometimes the checksum is made right again. */
function mutated(packet: Buffer, random: SeededRandom): Buffer {
  const bytes = packet.subarray(0, packet.length - (random.uint32() % packet.length));
  for (let count = random.uint32() % 4; count >= 0 && bytes.length > IP_HEADER_BYTES; count -= 1) {
    const at = IP_HEADER_BYTES + (random.uint32() % (bytes.length - IP_HEADER_BYTES));
    bytes.writeUInt8(random.uint32() & 0xff, at);
  }
  if (random.chance(80) && bytes.length >= IP_HEADER_BYTES + 20) {
    sealSegment(bytes, IP_HEADER_BYTES, PSEUDO_HEADER_SUM);
  }
  return bytes;
}

/** Something that the application may do. */
function act(peer: ScriptedPeer, random: SeededRandom): void {
  const { connection } = peer;
  switch (random.uint32() % 40) {
    case 0:
      connection.shutdown();
      break;
    case 1:
      connection.setKeepAlive({ enabled: random.chance(50), idleMs: 1000, count: 2 });
      break;
    case 2:
      connection.pathMtu(random.uint32() % 2000, near(random, LOCAL_ISN), peer.now);
      break;
    case 3:
      connection.icmpError('unreachable', near(random, LOCAL_ISN));
      break;
    case 4:
      if (random.chance(5)) connection.close();
      break;
    case 5:
    case 6:
    case 7:
      connection.write(Buffer.alloc(random.uint32() % 5000));
      break;
    default:
      if (random.chance(50)) connection.read();
  }
}

function checkInvariants(peer: ScriptedPeer): void {
  const info = peer.connection.info();
  expect(info.inFlight).toBeGreaterThanOrEqual(0);
  expect(info.rcvWnd).toBeGreaterThanOrEqual(0);
  expect(info.cwnd).toBeGreaterThan(0);
  expect(info.unread).toBeLessThanOrEqual(4 * 1024 * 1024);
  expect(info.aheadOfGap).toBeLessThanOrEqual(8 * 1024 * 1024);
  expect(Number.isFinite(info.rtoMs)).toBe(true);
  expect(peer.events.filter((event) => event.startsWith('closed')).length).toBeLessThan(2);
}

describe.each(STATES.map((state) => ({ state })))('random segments in $state', ({ state }) => {
  test('never throw, never loop, never break what holds', () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const random = new SeededRandom(seed);
      const peer = inState(state);
      for (let count = 0; count < ACTIONS; count += 1) {
        act(peer, random);
        peer.feed(randomSegment(random));
        if (random.chance(50)) expect(peer.take().length).toBeLessThan(MOST_PACKETS);
        if (random.chance(10)) {
          expect(peer.pass(random.uint32() % 2000).length).toBeLessThan(MOST_PACKETS);
        }
        checkInvariants(peer);
      }
      peer.connection.abort();
      peer.take();
      expect(peer.connection.done).toBe(true);
      expect(peer.connection.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    }
  });
});

test('a stranger who guesses cannot change the stream', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = new SeededRandom(seed);
    const pair = new TcpPair({ seed, link: { delayMs: 10, jitterMs: 3 } }).connect();
    pair.client.send(random.bytes(200_000), { finish: true });
    pair.runUntil(() => pair.server.log.length > 0);
    pair.server.send(random.bytes(1000), { finish: true });
    const guess = () => {
      const flags = ['R', 'S', 'A', 'RA', 'FA'][random.uint32() % 5] ?? 'R';
      const segment = buildSegment(flags, random.uint32(), random.uint32(), { data: 3 });
      pair.server.receive(segment);
      pair.client.receive(segment);
      if (!pair.bothClosed) pair.clock.setTimer(pair.clock.now() + 1, guess);
    };
    guess();
    expect(pair.runUntil(() => pair.bothClosed)).toBe(true);
    expect([pair.client.failure, pair.server.failure]).toEqual([undefined, undefined]);
    expect(pair.server.receivedHash).toBe(pair.client.sentHash);
    expect(pair.client.receivedHash).toBe(pair.server.sentHash);
  }
});
