import { createHash } from 'node:crypto';
import type { Millis } from '../../../src/core/machine.ts';
import { IpAddress } from '../../../src/netstack/ip-address.ts';
import { PathMtus } from '../../../src/netstack/path-mtu.ts';
import { TcpConnection } from '../../../src/netstack/tcp/connection.ts';
import { Flag, Segment, segmentIsIntact } from '../../../src/netstack/tcp/segment.ts';
import type { TcpEvents, TcpFailure } from '../../../src/netstack/tcp/tcp-events.ts';
import type { TcpOptions } from '../../../src/netstack/tcp/tcp-options.ts';
import type { TcpPath } from '../../../src/netstack/tcp/tcp-path.ts';
import { LossyLink, type LossyLinkOptions } from '../../sim/lossy-link.ts';
import type { SeededRandom } from '../../sim/seeded-random.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

export const IP_HEADER_BYTES = 20;

/** Sum of the pseudo header that both ends of a test use. */
export const PSEUDO_HEADER_SUM = 0x1_2345;

export function testPath(wake: () => void = () => {}, mtu = 1400): TcpPath {
  const mtus = new PathMtus(mtu);
  const peer = IpAddress.ipv4(0x0a08_0001);
  return {
    knownMtu: (now) => mtus.mtuTo(peer, now),
    mtuKnownUntil: (now) => mtus.knownUntil(peer, now),
    lowerMtu: (narrow, now, age) => void mtus.lower(peer, narrow, now, age),
    localPort: 1000,
    remotePort: 1000,
    ipHeaderBytes: IP_HEADER_BYTES,
    mtu,
    mssLimit: Number.POSITIVE_INFINITY,
    pseudoHeaderSum: PSEUDO_HEADER_SUM,
    finish: (packet) => packet.fill(0, 0, IP_HEADER_BYTES),
    wake,
  };
}

/** Flips one bit behind the IP header. */
export function flipBit(packet: Buffer, random: SeededRandom): Buffer {
  const damaged = Buffer.from(packet);
  const at = IP_HEADER_BYTES + (random.uint32() % (packet.length - IP_HEADER_BYTES));
  damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << (random.uint32() % 8)), at);
  return damaged;
}

export interface EndOptions extends Partial<TcpOptions> {
  readonly mtu?: number;
  /** Reads nothing by itself. */
  readonly paused?: boolean;
}

/** One end of a simulated connection: its owner, and the machine that drives it. */
export class TcpEnd implements TcpEvents {
  readonly connection: TcpConnection;
  readonly log: string[] = [];
  readonly #clock: VirtualClock;
  readonly #hash = createHash('sha256');
  readonly #sentHash = createHash('sha256');
  paused: boolean;
  received = 0;
  failure: TcpFailure | undefined = undefined;
  closedTimes = 0;
  /** Called for every packet that leaves. */
  onPacket: (packet: Buffer) => void = () => {};
  #pending: Buffer[] = [];
  #finishAfter = false;
  #armed = false;
  #timerAt: Millis = Number.POSITIVE_INFINITY;

  constructor(clock: VirtualClock, options: EndOptions) {
    this.#clock = clock;
    this.paused = options.paused ?? false;
    this.connection = new TcpConnection(
      testPath(() => this.arm(), options.mtu),
      this,
      { initialSequence: 0, timestampOffset: 0, ...options },
    );
  }

  connected(): void {
    this.log.push('connected');
  }

  readable(): void {
    this.log.push('readable');
    if (!this.paused) this.readAll();
  }

  writable(): void {
    this.#write();
  }

  closed(failure: TcpFailure | undefined): void {
    this.closedTimes += 1;
    this.failure = failure;
    this.log.push(`closed:${failure ?? 'in order'}`);
  }

  readAll(): void {
    for (let chunk = this.connection.read(); chunk !== undefined; chunk = this.connection.read()) {
      this.received += chunk.length;
      this.#hash.update(chunk);
    }
  }

  /** Writes `bytes` in chunks as fast as the buffer takes them, then ends if asked to. */
  send(bytes: Buffer, { chunkBytes = 8192, finish = false } = {}): void {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      this.#pending.push(bytes.subarray(at, at + chunkBytes));
    }
    this.#finishAfter = finish;
    this.#sentHash.update(bytes);
    this.#write();
  }

  get receivedHash(): string {
    return this.#hash.copy().digest('hex');
  }

  get sentHash(): string {
    return this.#sentHash.copy().digest('hex');
  }

  receive(packet: Buffer): void {
    const { connection } = this;
    connection.fromBelow(
      packet,
      IP_HEADER_BYTES,
      packet.length - IP_HEADER_BYTES,
      this.#clock.now(),
    );
    this.arm();
  }

  /** Runs once everything that came at this moment is there, as the pump does. */
  arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#clock.setImmediate(() => {
      this.#armed = false;
      this.#run();
    });
  }

  #run(): void {
    const now = this.#clock.now();
    const { connection } = this;
    if (connection.nextTimeout() <= now) connection.onTimeout(now);
    connection.endOfBurst(now);
    for (;;) {
      const packet = connection.takeDown(now);
      if (packet === undefined) break;
      this.onPacket(packet);
    }
    const at = connection.nextTimeout();
    if (at === this.#timerAt || at === Number.POSITIVE_INFINITY) return;
    this.#timerAt = at;
    this.#clock.setTimer(at, () => {
      if (this.#timerAt === at) this.#timerAt = Number.POSITIVE_INFINITY;
      this.arm();
    });
  }

  #write(): void {
    while (this.#pending.length > 0) {
      const chunk = this.#pending.shift();
      if (chunk !== undefined && !this.connection.write(chunk)) return;
    }
    if (this.#finishAfter) this.connection.shutdown();
  }
}

export interface TcpPairOptions {
  readonly seed?: number;
  readonly link?: LossyLinkOptions<Buffer>;
  readonly client?: EndOptions;
  readonly server?: EndOptions;
}

/** Two connections over two lossy links on one virtual clock; the server opens passively. */
export class TcpPair {
  readonly clock: VirtualClock = new VirtualClock();
  readonly client: TcpEnd;
  readonly server: TcpEnd;
  readonly up: LossyLink<Buffer>;
  readonly down: LossyLink<Buffer>;
  steps = 0;

  constructor({ seed = 1, link = {}, client = {}, server = {} }: TcpPairOptions = {}) {
    this.client = new TcpEnd(this.clock, client);
    this.server = new TcpEnd(this.clock, server);
    this.up = new LossyLink(this.clock, seed, link, (packet) => this.#toServer(packet));
    this.down = new LossyLink(this.clock, ~seed, link, (packet) => this.client.receive(packet));
    this.client.onPacket = (packet) => this.up.send(packet);
    this.server.onPacket = (packet) => this.down.send(packet);
  }

  connect(): this {
    this.client.connection.connect(this.clock.now());
    return this;
  }

  /** Runs until `done`, or until nothing happens any more; false: it took `limitMs`. */
  runUntil(done: () => boolean, limitMs: Millis = 3_600_000): boolean {
    const end = this.clock.now() + limitMs;
    this.clock.settle();
    while (!done()) {
      if (this.clock.nextAt > end || !this.clock.step()) return false;
      this.steps += 1;
    }
    return true;
  }

  get bothClosed(): boolean {
    return this.client.closedTimes > 0 && this.server.closedTimes > 0;
  }

  #toServer(packet: Buffer): void {
    const { connection } = this.server;
    if (connection.state !== 'CLOSED' || this.server.closedTimes > 0) {
      this.server.receive(packet);
    } else if (isIntactSyn(packet)) {
      connection.accept(packet, IP_HEADER_BYTES, this.clock.now());
      this.server.arm();
    }
  }
}

function isIntactSyn(packet: Buffer): boolean {
  const length = packet.length - IP_HEADER_BYTES;
  const segment = new Segment();
  return (
    segmentIsIntact(packet, IP_HEADER_BYTES, length, PSEUDO_HEADER_SUM) &&
    segment.read(packet, IP_HEADER_BYTES, length) &&
    segment.flags === Flag.SYN
  );
}
