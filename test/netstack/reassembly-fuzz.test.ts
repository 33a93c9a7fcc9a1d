import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { IpHeader, IpProtocol } from '../../src/netstack/ip-header.ts';
import {
  MAX_PARTIAL_BYTES,
  MAX_PARTIAL_DATAGRAMS,
  Reassembly,
} from '../../src/netstack/reassembly.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

/** Fragments a family: a million of both take a few seconds. */
const FRAGMENTS = 500_000;

/** The rule in its plainest form: units of 8 bytes, the datagram dead after any conflict. */
class Model {
  readonly #units = new Set<number>();
  readonly #ranges = new Set<number>();
  #end = -1;
  #dead = false;

  /** What becomes of the units from `start` to `end`: whole, kept, repeated or refused. */
  add(start: number, end: number, last: boolean): 'whole' | 'kept' | 'repeated' | 'refused' {
    if (this.#dead) return 'refused';
    const past = [...this.#units].some((unit) => unit >= end);
    const conflict = last
      ? (this.#end !== -1 && this.#end !== end) || past
      : this.#end !== -1 && end > this.#end;
    const repeated = this.#ranges.has(start * UNITS + end);
    const range = Array.from({ length: end - start }, (_, index) => start + index);
    if (conflict || (!repeated && range.some((unit) => this.#units.has(unit)))) {
      this.#dead = true;
      return 'refused';
    }
    if (repeated) return 'repeated';
    for (const unit of range) this.#units.add(unit);
    this.#ranges.add(start * UNITS + end);
    if (last) this.#end = end;
    return this.#units.size === this.#end ? 'whole' : 'kept';
  }
}

const UNITS = 64;

describe.each([{ family: 4 }, { family: 6 }] as const)('Reassembly of IPv$family', ({ family }) => {
  /** Headers of one fragment whose payload begins at 48. */
  function describeFragment(header: IpHeader, offset: number, bytes: number, more: boolean): void {
    header.family = family;
    header.protocol = IpProtocol.UDP;
    header.payloadAt = 48;
    header.payloadLength = bytes;
    header.fragment = true;
    header.fragmentOffset = offset;
    header.moreFragments = more;
    header.unfragmentableLength = family === 4 ? 20 : 40;
    header.nextHeaderAt = 6;
  }

  test('half a million random fragments: within its bounds, whatever comes', () => {
    const random = new SeededRandom(family);
    const reassembly = new Reassembly();
    const header = new IpHeader();
    const packet = Buffer.alloc(48 + 1448);
    let [mostBytes, mostDatagrams, completed] = [0, 0, 0];
    for (let sent = 0; sent < FRAGMENTS; sent += 1) {
      const chance = random.uint32();
      const small = (chance & 3) === 0;
      const bytes = small ? 8 * (1 + ((chance >>> 2) & 3)) : 8 * (1 + ((chance >>> 2) % 181));
      const offset = small ? 8 * ((chance >>> 10) & 7) : 8 * ((chance >>> 10) & 8191);
      describeFragment(header, offset, bytes, (chance & 0xf000) !== 0);
      header.identification = random.uint32() % (small ? 500 : 200);
      header.source3 = small ? 1 : 2;
      const result = reassembly.add(packet.subarray(0, 48 + bytes), header, sent / 50);
      if (result instanceof Buffer) completed += 1;
      mostBytes = Math.max(mostBytes, reassembly.heldBytes);
      mostDatagrams = Math.max(mostDatagrams, reassembly.size);
    }
    expect(mostBytes).toBeLessThanOrEqual(MAX_PARTIAL_BYTES);
    expect(mostDatagrams).toBeLessThanOrEqual(MAX_PARTIAL_DATAGRAMS);
    expect(completed).toBeGreaterThan(100);
    reassembly.onTimeout(1e9);
    expect([reassembly.size, reassembly.heldBytes]).toEqual([0, 0]);
  });

  test('joins, keeps, ignores and refuses as the plainest model does', () => {
    const random = new SeededRandom(family + 2);
    const header = new IpHeader();
    const packet = Buffer.alloc(48 + 512, 7);
    const seen = new Set<string>();
    for (let round = 0; round < 20_000; round += 1) {
      const reassembly = new Reassembly();
      const model = new Model();
      for (let piece = 0; piece < 6; piece += 1) {
        const start = random.uint32() % 6;
        const end = start + 1 + (random.uint32() % 3);
        const last = random.chance(25);
        describeFragment(header, start * 8, (end - start) * 8, !last);
        const result = reassembly.add(packet.subarray(0, 48 + (end - start) * 8), header, 0);
        const expected = start === 0 && last ? 'skip' : model.add(start, end, last);
        if (expected === 'skip') break;
        seen.add(expected);
        const shown = typeof result === 'number' ? (NAMES[result] ?? 'other') : 'whole';
        expect(shown).toBe(expected);
        if (expected === 'whole') break;
      }
    }
    expect([...seen].sort()).toEqual(['kept', 'refused', 'repeated', 'whole']);
  });
});

const NAMES: Readonly<Record<number, string>> = {
  [Drop.NONE]: 'kept',
  [Drop.DUPLICATE]: 'repeated',
  [Drop.MALFORMED]: 'refused',
};
