import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { codecFor, key2, sealedBy } from './codecs.ts';
import { ReferenceEpochs } from './reference-epochs.ts';

const PAYLOAD = Buffer.from('payload');
const WINDOW = 64;

interface Step {
  /** Of the packet, counted from the epoch that the model receives. */
  readonly ahead: number;
  readonly counter: number;
  readonly kind: 'genuine' | 'forged' | 'sealed';
}

const steps = fc.array(
  fc.record<Step>({
    ahead: fc.constantFrom(-3, -2, -1, -1, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 100),
    counter: fc.oneof(
      fc.integer({ min: 0, max: 140 }),
      fc.integer({ min: 2 ** 32 - 70, max: 2 ** 32 + 70 }),
      fc.integer({ min: 2 ** 48 - 70, max: 2 ** 48 - 1 }),
    ),
    kind: fc.constantFrom('genuine', 'genuine', 'genuine', 'forged', 'sealed'),
  }),
  { maxLength: 60 },
);

describe('AeadEpochCodec', () => {
  test('equals the rules in their plainest form', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const codec = codecFor('client', {
          epoch: true,
          limits: { epochUsage: 6 },
          replayWindow: { packets: WINDOW, ms: 0 },
        });
        const peer = new ReferenceEpochs(key2().subarray(128, 160));
        const model = new EpochModel(6);
        for (const { ahead, counter, kind } of sequence) {
          if (kind === 'sealed') {
            const packet = sealedBy(codec, PAYLOAD);
            expect([packet.readUInt16BE(4), packet.readUIntBE(6, 6)]).toEqual(model.seal());
            continue;
          }
          const epoch = Math.max(0, model.current + ahead);
          const packet = peer.seal(epoch, counter, PAYLOAD);
          if (kind === 'forged') packet.writeUInt8(packet.readUInt8(20) ^ 4, 20);
          const opened = codec.open(packet, 0);
          const drop = typeof opened === 'number' ? opened : Drop.NONE;
          expect(drop).toBe(model.open(epoch, counter, kind === 'genuine'));
          expect(codec.epoch).toBe(model.sendEpoch);
        }
      }),
      { numRuns: 150 },
    );
  });
});

/** A receiver that remembers everything, and a sender that counts. */
class EpochModel {
  readonly #limit: number;
  readonly #seen = new Map<number, Set<number>>();
  #retiring = -1;
  #received = 0;
  #sent = 0;
  current = 1;
  sendEpoch = 1;

  constructor(limit: number) {
    this.#limit = limit;
  }

  open(epoch: number, counter: number, genuine: boolean): Drop {
    const opens = epoch === this.#retiring || epoch >= this.current;
    if (!opens || epoch === 0 || epoch > this.current + 4) return Drop.UNKNOWN_KEY;
    if (!genuine) return Drop.BAD_AUTH;
    const seen = this.#seen.get(epoch) ?? new Set();
    const isLate = Math.max(...seen, 0) - counter >= WINDOW;
    if (counter === 0 || seen.has(counter) || isLate) return Drop.REPLAY;
    this.#seen.set(epoch, seen.add(counter));
    this.#follow(epoch);
    // A packet and the one block that the payload fills.
    if (epoch === this.current) this.#received += 2;
    return Drop.NONE;
  }

  seal(): [epoch: number, counter: number] {
    const isWorn = this.#received >= this.#limit && this.current === this.sendEpoch;
    if (isWorn || this.#sent * 2 >= this.#limit) this.#sendIn(this.sendEpoch + 1);
    this.#sent += 1;
    return [this.sendEpoch, this.#sent];
  }

  #follow(epoch: number): void {
    if (epoch > this.current) {
      this.#retiring = this.current;
      this.current = epoch;
      this.#received = 0;
    }
    if (epoch > this.sendEpoch) this.#sendIn(epoch);
  }

  #sendIn(epoch: number): void {
    this.sendEpoch = epoch;
    this.#sent = 0;
  }
}
