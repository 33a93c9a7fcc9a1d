import { describe, expect, test } from 'vitest';
import type { ControlPacket } from '../../src/model/packet.ts';
import { RECEIVE_WINDOW, SEND_WINDOW } from '../../src/reliable/constants.ts';
import { Reliable } from '../../src/reliable/reliable.ts';
import { packetOf } from '../sim/packet-notation.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

/** Both ends of one key id, with everything that one has sent and the other may yet get. */
class TwoEnds {
  readonly random: SeededRandom;
  readonly ends: readonly [End, End] = [new End(), new End()];
  now = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  /** One thing happens to one end: write, send, time, delivery, loss, repetition, nonsense. */
  step(): void {
    const [here, there] = this.random.chance(50) ? this.ends : this.ends.toReversed();
    if (here === undefined || there === undefined) return;
    const dice = this.random.fraction();
    if (dice < 0.2) here.write();
    else if (dice < 0.45) here.send(this.now);
    else if (dice < 0.5) this.#passTime();
    else if (dice < 0.85) here.receive(this.#pick(there.flying, 1));
    else if (dice < 0.9) here.receive(this.#pick(there.flying, 0));
    else if (dice < 0.95) this.#pick(there.flying, 1);
    else here.receive(this.#nonsense());
  }

  /** Everything arrives from now on. */
  drain(): void {
    while (this.ends.some((end) => !end.machine.isAcknowledged)) {
      for (const end of this.ends) {
        end.machine.onTimeout(this.now);
        while (end.send(this.now)) {}
      }
      const [left, right] = this.ends;
      for (const packet of left.flying.splice(0)) right.receive(packet);
      for (const packet of right.flying.splice(0)) left.receive(packet);
      this.now += 100;
    }
  }

  #passTime(): void {
    this.now += this.random.fraction() * 400;
    for (const { machine } of this.ends) machine.onTimeout(this.now);
  }

  /** Any packet in flight, so order means nothing; `removed` 0 leaves it there to come again. */
  #pick(flying: ControlPacket[], removed: 0 | 1): ControlPacket | undefined {
    const at = Math.floor(this.random.fraction() * flying.length);
    const packet = flying[at];
    flying.splice(at, removed);
    return packet;
  }

  /** A packet that the peer never sent: outside of every window, acknowledging anything. */
  #nonsense(): ControlPacket {
    const packet = packetOf('[0]');
    packet.packetId = 0xffff_0000 + Math.floor(this.random.fraction() * 0xffff);
    packet.ackedPacketIds = [0xfff_ffff, this.random.uint32() | 0x8000_0000];
    return packet;
  }
}

class End {
  readonly machine = new Reliable({
    keyId: 1,
    firstSendId: 0,
    firstReceiveId: 0,
    tlsTimeoutMs: 500,
    ackV1Limit: 8,
  });
  readonly flying: ControlPacket[] = [];
  written = 0;
  released = 0;
  /** what went wrong first */
  fault = '';

  write(): void {
    if (!this.machine.acceptsFromAbove()) return;
    const packet = packetOf('CONTROL_V1');
    packet.payload = Buffer.from(String(this.written));
    this.machine.fromAbove(packet);
    this.written += 1;
  }

  send(now: number): boolean {
    const packet = this.machine.takeDown(now);
    if (packet === undefined) return false;
    const limit = packet.hasPacketId ? 4 : 8;
    this.#check(packet.ackedPacketIds.length <= limit, 'too many acknowledgements');
    this.flying.push(packet);
    // A link holds only so much: the oldest packet is lost.
    if (this.flying.length > 30) this.flying.shift();
    return true;
  }

  receive(packet: ControlPacket | undefined): void {
    if (packet === undefined) return;
    this.machine.fromBelow(packet);
    this.#check(this.machine.buffered <= RECEIVE_WINDOW, 'too many packets kept');
    for (let next = this.machine.takeUp(); next !== undefined; next = this.machine.takeUp()) {
      this.#check(next.payload.toString() === String(this.released), 'not the next message');
      this.released += 1;
    }
  }

  #check(holds: boolean, fault: string): void {
    if (!holds) this.fault ||= fault;
  }
}

describe('Reliable over a link that loses, repeats and reorders', () => {
  test.each([1, 2, 3, 4, 5])('releases exactly what was sent, seed %d', (seed) => {
    const link = new TwoEnds(seed);
    for (let step = 0; step < 200_000; step += 1) link.step();
    const [left, right] = link.ends;
    expect(left.written - right.released).toBeLessThanOrEqual(SEND_WINDOW);
    link.drain();
    expect([left.fault, right.fault]).toEqual(['', '']);
    expect([right.released, left.released]).toEqual([left.written, right.written]);
    expect(left.written).toBeGreaterThan(500);
  });
});
