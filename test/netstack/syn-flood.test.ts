import { describe, expect, test } from 'vitest';
import { writeIpv4 } from '../../src/netstack/ipv4.ts';
import { MAX_HALF_OPEN } from '../../src/netstack/syn-queue.ts';
import { Flag, Segment, sealSegment } from '../../src/netstack/tcp/segment.ts';
import { heapBytes } from '../sim/heap-bytes.ts';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { StreamEnd } from '../sim/stream-end.ts';
import { connect } from './tcp-ends.ts';

const SYN_PER_MS = 10;
const SECONDS = 3;
/** Between two calls in earnest. */
const CALL_MS = 20;
const TARGET = address('10.8.0.2');
const IP_BYTES = 20;

/** A SYN from anywhere. */
function forgedSyn(random: SeededRandom): Buffer {
  const source = address(`198.18.${random.uint32() & 0xff}.${random.uint32() % 254}`);
  const segment = new Segment();
  segment.sourcePort = 1024 + (random.uint32() % 60_000);
  segment.destinationPort = 80;
  segment.sequence = random.uint32();
  segment.flags = Flag.SYN;
  segment.window = 1024;
  segment.options.mss = 1460;
  const packet = Buffer.alloc(IP_BYTES + segment.headerBytes);
  segment.write(packet, IP_BYTES);
  const sum = (source.word3 >>> 16) + (source.word3 & 0xffff) + 0x0a08 + 0x0002 + 6;
  sealSegment(packet, IP_BYTES, sum);
  writeIpv4(packet, 6, source, TARGET, 1, 0);
  return packet;
}

/** Calls by strangers and, every 20 ms, one in earnest. */
class Flood {
  readonly pair: NetstackPair = new NetstackPair({ line: { delayMs: 40 } });
  readonly accepted: StreamEnd[] = [];
  readonly #random = new SeededRandom(11);
  readonly #packets: readonly Buffer[];
  #clients: StreamEnd[] = [];

  constructor() {
    this.#packets = Array.from({ length: 1000 }, () => forgedSyn(this.#random));
    this.pair.right.listenTcp({ port: 80 }, (connection) => {
      const end = new StreamEnd(0).start(connection);
      this.accepted.push(end);
      return end;
    });
  }

  run(durationMs: number): void {
    for (let now = 0; now < durationMs; now += 1) {
      for (let sent = 0; sent < SYN_PER_MS; sent += 1) this.pair.rightTun.inject(this.#syn());
      if (now % CALL_MS === 0) this.#clients.push(connect(this.pair, '10.8.0.2', 80, 100));
      this.pair.advance(1);
    }
  }

  /** How many of the calls in earnest got through; they are forgotten. */
  takeConnected(): number {
    return this.#clients.splice(0).filter(({ connects }) => connects === 1).length;
  }

  /** Another port for each; the checksum moves the other way. */
  #syn(): Buffer {
    const packet = Buffer.from(this.#packets[this.#random.uint32() % 1000] ?? Buffer.alloc(0));
    const port = packet.readUInt16BE(IP_BYTES);
    const other = 1024 + (this.#random.uint32() % 60_000);
    packet.writeUInt16BE(other, IP_BYTES);
    let checksum = packet.readUInt16BE(IP_BYTES + 16) + port + (~other & 0xffff);
    while (checksum > 0xffff) checksum = (checksum & 0xffff) + (checksum >>> 16);
    packet.writeUInt16BE(checksum, IP_BYTES + 16);
    return packet;
  }
}

describe('a flood of SYNs (RFC 4987)', () => {
  test('10,000 a second: little memory, and who calls in earnest gets through', async () => {
    // Compiled code is not what a flood leaves behind.
    new Flood().run(SECONDS * 1000);
    const flood = new Flood();
    const { pair, accepted } = flood;
    const before = await heapBytes();
    flood.run(SECONDS * 1000);
    const during = await heapBytes();
    const late = flood.takeConnected();
    const total = (SECONDS * 1000) / CALL_MS;
    pair.advance(500);
    expect(late).toBeGreaterThanOrEqual(total - 1 - 100 / CALL_MS);
    expect(accepted.length).toBeGreaterThanOrEqual(0.99 * total);
    // The connections in earnest are in the figure too, at both ends.
    expect(during - before).toBeLessThan(4 * 1024 * 1024 + 2 * total * 12 * 1024);
    expect(pair.right.stats().drops['bad-checksum']).toBeUndefined();
    accepted.length = 0;
    pair.advance(120_000);
    expect(pair.right.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    const after = await heapBytes();
    expect(after - before).toBeLessThan(2 * 1024 * 1024);
  }, 60_000);

  test('the records of half-open callers take less than 4 MiB', () => {
    expect(MAX_HALF_OPEN * 128).toBeLessThanOrEqual(4 * 1024 * 1024);
  });
});
