import { describe, expect, test } from 'vitest';
import { BufferPool } from '../../src/netstack/buffer-pool.ts';
import { IpProtocol } from '../../src/netstack/ip-header.ts';
import { LocalAddresses } from '../../src/netstack/local-addresses.ts';
import type { TcpConnection } from '../../src/netstack/tcp/connection.ts';
import { Segment, sealSegment } from '../../src/netstack/tcp/segment.ts';
import type { TcpEvents } from '../../src/netstack/tcp/tcp-events.ts';
import { MAX_FLOWS } from '../../src/netstack/tcp-flows.ts';
import { TcpTable } from '../../src/netstack/tcp-table.ts';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { StreamEnd } from '../sim/stream-end.ts';
import { codeOf, ip } from './socket-logs.ts';
import { connect, serve } from './tcp-ends.ts';

const IP_BYTES = 20;
/** 20 Mbit/s each way, 20 ms. */
const LINE = { delayMs: 10, rate: { bytesPerMs: 2500, queueBytes: 100_000 } };

describe('the number of flows', () => {
  test('is 65,536; one more is ENOBUFS, until one has ended', () => {
    expect(MAX_FLOWS).toBe(65_536);
    const addresses = new LocalAddresses({ address: '10.8.0.1', prefixLength: 24 }, undefined);
    const table = new TcpTable(
      {
        random: new SeededRandom(1),
        mtu: 1500,
        mssLimit4: Number.POSITIVE_INFINITY,
        mssLimit6: Number.POSITIVE_INFINITY,
        wakeSource: () => {},
        maxFlows: 3,
      },
      addresses,
    );
    const open = () => table.connect(address('10.8.0.2'), 80, new StreamEnd(0), {}, 0);
    const first = open();
    open();
    open();
    expect(codeOf(open)).toBe('ENOBUFS');
    first.abort();
    table.flows.endOfBurst(0);
    expect(codeOf(open)).toBe('nothing');
  });
});

describe('memory for what was received', () => {
  test('when it is used up, callers get no answer; they do when some was read', () => {
    const pool = new BufferPool(100_000);
    const pair = new NetstackPair({ rightTcp: { pool } });
    serve(pair, 80);
    pool.claim(pool.limitBytes);
    const caller = connect(pair, '10.8.0.2', 80);
    pair.advance(900);
    expect(caller.connects).toBe(0);
    expect(pair.right.stats().drops).toEqual({ 'no-room': 1 });
    pool.claim(-pool.limitBytes);
    pair.advance(200);
    expect(caller.connects).toBe(1);
  });
});

const QUIET: TcpEvents = { connected() {}, readable() {}, writable() {}, closed() {} };

/** A client on the left whose peer on the right is ours to play: single bytes ahead of a gap. */
class FloodedFlow {
  readonly connection: TcpConnection;
  readonly #pair: NetstackPair;
  readonly #segment = new Segment();
  readonly #first: number;
  readonly #firstStamp: number;
  #turn = 0;

  constructor(pair: NetstackPair, port: number) {
    this.#pair = pair;
    pair.right.listenTcp({ port }, () => QUIET);
    let last = Buffer.alloc(0);
    const { inject } = pair.leftTun;
    pair.leftTun.inject = (packet) => {
      if (packet.readUInt16BE(IP_BYTES) === port) last = Buffer.from(packet);
      inject.call(pair.leftTun, packet);
    };
    this.connection = pair.left.connectTcp(address('10.8.0.2'), port, QUIET);
    pair.advance(100);
    pair.leftTun.inject = inject;
    this.#segment.read(last, IP_BYTES, last.length - IP_BYTES);
    this.#first = this.#segment.sequence;
    this.#firstStamp = this.#segment.options.timestamp;
  }

  /** One byte more, each behind a hole of its own. */
  flood(now: number): void {
    const segment = this.#segment;
    this.#turn += 1;
    segment.sequence = (this.#first + 2 + 2 * (this.#turn % 30_000)) >>> 0;
    segment.flags = 0x10;
    segment.options.clear();
    segment.options.hasTimestamps = true;
    segment.options.timestamp = (this.#firstStamp + now) >>> 0;
    const packet = Buffer.alloc(IP_BYTES + segment.headerBytes + 1, 0x61);
    segment.write(packet, IP_BYTES);
    sealSegment(packet, IP_BYTES, pseudoSum());
    this.#pair.leftTun.inject(ip(packet, IpProtocol.TCP, '10.8.0.2', '10.8.0.1'));
  }
}

function pseudoSum(): number {
  return 2 * 0x0a08 + 0x0001 + 0x0002 + IpProtocol.TCP;
}

describe('10,000 single bytes a second ahead of a gap (CVE-2018-5390)', () => {
  test('leave another flow of the same stack four fifths of its rate', () => {
    const received = [0, 10].map((packetsPerMs) => {
      const pair = new NetstackPair({ line: LINE });
      const victim = new FloodedFlow(pair, 81);
      serve(pair, 80, 1e9);
      const download = connect(pair, '10.8.0.2', 80);
      pair.advance(2000);
      const before = download.receivedBytes;
      for (let now = 0; now < 3000; now += 1) {
        for (let sent = 0; sent < packetsPerMs; sent += 1) victim.flood(now);
        pair.advance(1);
      }
      const info = victim.connection.info();
      expect(info.state).toBe('ESTABLISHED');
      if (packetsPerMs > 0) expect(info.aheadOfGap).toBeGreaterThan(0);
      expect(info.aheadOfGap).toBeLessThan(256 * 1024);
      return download.receivedBytes - before;
    });
    expect(received[0]).toBeGreaterThan(0.8 * 3000 * LINE.rate.bytesPerMs);
    expect(received[1]).toBeGreaterThan(0.8 * (received[0] ?? 0));
  });
});
