import { Drop } from '../../src/core/machine.ts';
import { sessionIdOf } from '../../src/model/ids.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import { encodeControlPacket } from '../../src/packetmuxer/control-packet-codec.ts';
import { isDataPacket } from '../../src/packetmuxer/route.ts';
import { RECEIVE_WINDOW } from '../../src/reliable/constants.ts';
import { answerWrap, authenticFrom, type NoisyCase } from './million-steps-cases.ts';
import { NoisyEnd, resetAnswer } from './million-steps-end.ts';
import { DataLedger } from './million-steps-ledger.ts';
import { SeededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface NoisyPairOptions extends NoisyCase {
  readonly seed: number;
  /** Data packets each way at most. */
  readonly limit: number;
}

/** What can happen in a step, by how often of a thousand times; the rest is a renegotiation. */
const LIKELIHOODS = [
  ['send', 300],
  ['write', 20],
  ['deliver', 400],
  ['drop', 40],
  ['duplicate', 40],
  ['corrupt', 40],
  ['nonsense', 5],
  ['passTime', 154],
] as const;

/** A line holds so much; then the oldest packet is lost. */
const MAX_FLYING = 64;
const MAX_WRITE_BYTES = 1_500;
const MAX_PAUSE_MS = 250;
const ROUND_TRIP_MS = 100;
const MAX_FAULTS = 5;
const OPENING_ROUNDS = 200;

/**
 * Two ends and a line on which anything happens to packets, one thing a step: after the idea of
 * OpenVPN 3's `test_proto.cpp` NoisyWire.
 */
export class NoisyPair {
  readonly clock = new VirtualClock();
  readonly faults: string[] = [];
  readonly client: NoisyEnd;
  readonly server: NoisyEnd;
  readonly up: DataLedger;
  readonly down: DataLedger;
  /** Corrupted packets that were delivered. */
  corrupted = 0;
  steps = 0;
  readonly #random: SeededRandom;
  readonly #isWrapped: boolean;
  readonly #authenticFrom: number;
  readonly #ways: readonly [Way, Way];
  /** Packets still on the line of which a copy was taken. */
  readonly #taken = new WeakSet<Buffer>();

  private constructor(options: NoisyPairOptions) {
    const { seed, limit, dynamic, data } = options;
    const { clock } = this;
    const random = new SeededRandom(seed);
    const fault = (text: string) => this.#fault(text);
    const clientId = sessionIdOf(random.bytes(8));
    const serverId = sessionIdOf(random.bytes(8));
    const common = { clock, dynamic, data, fault };
    this.client = new NoisyEnd({
      ...common,
      role: 'client',
      wrap: options.client,
      ids: { local: clientId, remote: serverId },
      peerWrote: (generation) => this.server.tls.wrote(generation),
    });
    this.server = new NoisyEnd({
      ...common,
      role: 'server',
      wrap: options.server,
      ids: { local: serverId, remote: clientId },
      peerWrote: (generation) => this.client.tls.wrote(generation),
    });
    const { client, server } = this;
    this.up = ledger(client, server, limit, fault);
    this.down = ledger(server, client, limit, fault);
    this.#random = random;
    this.#isWrapped = options.client.kind !== 'none';
    this.#authenticFrom = authenticFrom(data);
    this.#ways = [
      { from: client, to: server, flying: [], ledger: this.up },
      { from: server, to: client, flying: [], ledger: this.down },
    ];
    // What a responder does before there is a session: it takes the reset, and answers.
    this.#settle();
    this.#ways[0].flying.length = 0;
    const answer = encodeControlPacket(resetAnswer(serverId, clientId));
    client.receive(answerWrap(options.server, clock).wrap(answer));
  }

  /** Two ends with key id 0 established. @throws Error when it does not come to that */
  static open(options: NoisyPairOptions): NoisyPair {
    const pair = new NoisyPair(options);
    if (!pair.calm(() => pair.client.isEstablished && pair.server.isEstablished)) {
      throw new Error(`no tunnel, seed ${options.seed}: ${pair.faults.join('; ')}`);
    }
    return pair;
  }

  /** One thing happens. */
  step(): void {
    this.steps += 1;
    const way = this.#ways[this.#random.chance(50) ? 0 : 1];
    let dice = this.#random.fraction() * 1_000;
    for (const [event, likelihood] of LIKELIHOODS) {
      dice -= likelihood;
      if (dice >= 0) continue;
      this[event](way);
      this.#settle();
      return;
    }
    way.from.renegotiate();
    if (this.#random.chance(25)) way.to.renegotiate();
    this.#settle();
  }

  /** Everything arrives, in order, until `done`; false when it does not come to that. */
  calm(done: () => boolean): boolean {
    for (let round = 0; round < OPENING_ROUNDS; round += 1) {
      if (done()) return true;
      this.#settle();
      for (const { flying, to } of this.#ways) {
        for (const packet of flying.splice(0)) to.receive(packet);
      }
      this.#settle();
      this.clock.advance(ROUND_TRIP_MS);
    }
    return done();
  }

  /** Whether nothing is left to be said. */
  get isQuiet(): boolean {
    return this.#ways.every(
      ({ from, flying }) =>
        flying.length === 0 &&
        from.tls.flushed &&
        from.keys.pendingKeyId === undefined &&
        from.channels.tunToData.empty &&
        from.channels.tlsToControl.empty &&
        from.channels.controlToReliable.empty &&
        from.tls.totals.every(({ keyId }) => from.reliable.isAcknowledged(keyId)),
    );
  }

  stop(): void {
    this.client.stop();
    this.server.stop();
  }

  send({ ledger }: Way): void {
    ledger.send();
  }

  write({ from }: Way): void {
    from.tls.write(1 + Math.floor(this.#random.fraction() ** 2 * MAX_WRITE_BYTES));
  }

  /** The oldest packet arrives, or any other that overtakes it. */
  deliver({ flying, to }: Way): void {
    const packet = this.#random.chance(70) ? flying.shift() : this.#pick(flying, 1);
    if (packet === undefined) return;
    if (this.#taken.has(packet)) this.#mustRefuse(to, packet, 'packet that was taken before');
    else to.receive(packet);
  }

  drop({ flying }: Way): void {
    this.#pick(flying, 1);
  }

  /** A packet arrives and will arrive again; once it was taken, it must be refused then. */
  duplicate({ flying, to }: Way): void {
    const packet = this.#pick(flying, 0);
    if (packet === undefined || !this.#isProtected(packet)) return;
    const refused = to.refused;
    to.receive(Buffer.from(packet));
    this.#settle();
    if (to.refused === refused) this.#taken.add(packet);
  }

  /** A packet arrives of which one bit is not what it was. */
  corrupt({ flying, to }: Way): void {
    const original = this.#pick(flying, 1);
    if (original === undefined || !this.#isProtected(original)) return;
    const first = isDataPacket(original) ? this.#authenticFrom : 0;
    const packet = Buffer.from(original);
    const at = first + Math.floor(this.#random.fraction() * (packet.length - first));
    packet.writeUInt8(packet.readUInt8(at) ^ (1 << (this.#random.uint32() & 7)), at);
    this.#mustRefuse(to, packet, 'corrupted packet');
    this.corrupted += 1;
  }

  /** A packet arrives that is authentic but just behind the receive window. */
  nonsense({ from, to }: Way): void {
    const packet = new ControlPacket(Opcode.P_CONTROL_V1, to.keys.activeKeyId, NOBODY);
    const ahead = Math.floor(this.#random.fraction() ** 4 * 1_000);
    packet.packetId = to.watch.firstMissing(packet.keyId) + RECEIVE_WINDOW + ahead;
    packet.payload = Buffer.from('nonsense');
    const refused = to.reliable.drops.of(Drop.OUT_OF_WINDOW);
    to.receive(from.sealed(packet));
    this.#settle();
    if (to.reliable.drops.of(Drop.OUT_OF_WINDOW) === refused + 1) return;
    this.#fault(`${to.role}: took id ${packet.packetId}, behind its window`);
  }

  passTime(): void {
    this.clock.advance(this.#random.fraction() * MAX_PAUSE_MS);
  }

  /** Whether changes and repetitions of a packet are noticed below reliable. */
  #isProtected(packet: Buffer): boolean {
    return this.#isWrapped || isDataPacket(packet);
  }

  #mustRefuse(to: NoisyEnd, packet: Buffer, what: string): void {
    const refused = to.refused;
    to.receive(packet);
    this.#settle();
    if (to.refused !== refused + 1) this.#fault(`${to.role}: took a ${what}`);
  }

  /** Lets both ends do what they can, and takes what they have sent. */
  #settle(): void {
    this.clock.settle();
    for (const { from, flying, ledger } of this.#ways) {
      const { muxerToNetwork } = from.channels;
      for (let packet = muxerToNetwork.take(); packet !== undefined; ) {
        flying.push(packet);
        if (flying.length > MAX_FLYING) flying.shift();
        packet = muxerToNetwork.take();
      }
      ledger.read();
      if (from.error !== undefined) this.#fault(`${from.role}: ${from.error.message}`);
    }
  }

  #fault(text: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push(`step ${this.steps}: ${text}`);
  }

  /** Any packet of those on the line; `removed` 0 leaves it there. */
  #pick(flying: Buffer[], removed: 0 | 1): Buffer | undefined {
    const at = Math.floor(this.#random.fraction() * flying.length);
    const packet = flying[at];
    flying.splice(at, removed);
    return packet;
  }
}

/** One direction of the line. */
interface Way {
  readonly from: NoisyEnd;
  readonly to: NoisyEnd;
  /** oldest first */
  readonly flying: Buffer[];
  readonly ledger: DataLedger;
}

const NOBODY = sessionIdOf(Buffer.alloc(8));

function ledger(
  from: NoisyEnd,
  to: NoisyEnd,
  limit: number,
  fault: (text: string) => void,
): DataLedger {
  const { tunToData } = from.channels;
  const { dataToTun } = to.channels;
  return new DataLedger({ tunToData, dataToTun }, limit, fault);
}
