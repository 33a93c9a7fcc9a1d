import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { IpProtocol } from '../../src/netstack/ip-header.ts';
import { MAX_PIECES } from '../../src/netstack/partial-datagram.ts';
import {
  MAX_PARTIAL_BYTES,
  MAX_PARTIAL_DATAGRAMS,
  REASSEMBLY_TIMEOUT_MS,
  Reassembly,
} from '../../src/netstack/reassembly.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { cut, type FragmentSpec, fragment, headerOf } from './fragments.ts';

const FAMILIES = [{ family: 4 }, { family: 6 }] as const;

function add(reassembly: Reassembly, packet: Buffer, now = 0): Buffer | Drop {
  return reassembly.add(packet, headerOf(packet), now);
}

function bytes(length: number, fill: number): Buffer {
  return Buffer.alloc(length, fill);
}

describe.each(FAMILIES)('Reassembly of IPv$family', ({ family }) => {
  test('joins the pieces in any order into one packet that is whole again', () => {
    const lengths = fc.integer({ min: 1481, max: 65_515 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 576, max: 1500 }), fc.nat(), (length, mtu, seed) => {
        const random = new SeededRandom(seed);
        const payload = random.bytes(length);
        const pieces = cut(family, payload, mtu)
          .map((packet) => ({ packet, rank: random.uint32() }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ packet }) => packet);
        for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(mtu);
        const reassembly = new Reassembly();
        const results = pieces.map((piece) => add(reassembly, piece));
        expect(results.slice(0, -1).every((result) => result === Drop.NONE)).toBe(true);
        const whole = results.at(-1);
        if (!(whole instanceof Buffer)) throw new Error('not joined');
        const header = headerOf(whole);
        expect(header).toMatchObject({ fragment: false, protocol: 17, payloadLength: length });
        expect(whole.subarray(header.payloadAt).equals(payload)).toBe(true);
        expect(reassembly.size).toBe(0);
        expect(reassembly.heldBytes).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  const A: FragmentSpec = { offset: 0, more: true, payload: bytes(24, 1) };
  const B: FragmentSpec = { offset: 24, more: true, payload: bytes(24, 2) };
  const C: FragmentSpec = { offset: 48, more: false, payload: bytes(5, 3) };
  // biome-ignore format: one case a line
  test.each([
    { name: 'in order',                      pieces: [A, B, C],                                               result: 'whole' },
    { name: 'an exact repetition',           pieces: [A, B, B, A, C],                                         result: 'whole' },
    { name: 'the same range, other bytes',   pieces: [A, B, { ...B, payload: bytes(24, 9) }, C],              result: 'refused' },
    { name: 'an overlap with the one before', pieces: [A, { offset: 16, more: true, payload: bytes(32, 2) }, C], result: 'refused' },
    { name: 'an overlap with the one after', pieces: [B, { offset: 0, more: true, payload: bytes(32, 1) }, C], result: 'refused' },
    { name: 'a piece around another',        pieces: [B, { offset: 0, more: true, payload: bytes(64, 1) }, C], result: 'refused' },
    { name: 'the same start, longer',        pieces: [A, { offset: 0, more: true, payload: bytes(32, 1) }, C], result: 'refused' },
    { name: 'two different ends',            pieces: [A, C, { ...C, payload: bytes(4, 3) }, B],               result: 'refused' },
    { name: 'a piece behind the end',        pieces: [A, C, { offset: 56, more: true, payload: bytes(8, 1) }, B], result: 'refused' },
    { name: 'an end before a piece',         pieces: [B, { offset: 8, more: false, payload: bytes(8, 1) }, A, C], result: 'refused' },
    { name: 'without the first',             pieces: [B, C],                                                  result: 'waiting' },
    { name: 'without the last',              pieces: [A, B],                                                  result: 'waiting' },
    { name: 'without the middle',            pieces: [A, C],                                                  result: 'waiting' },
    { name: 'another identification',        pieces: [A, { ...B, id: 2 }, C],                                 result: 'waiting' },
  ] satisfies { name: string; pieces: FragmentSpec[]; result: string }[])('$name: $result', ({ pieces, result }) => {
    const reassembly = new Reassembly();
    const results = pieces.map((piece) => add(reassembly, fragment(family, piece)));
    const whole = results.some((one) => one instanceof Buffer);
    const refused = results.includes(Drop.MALFORMED);
    expect(whole ? 'whole' : refused ? 'refused' : 'waiting').toBe(result);
    // What was refused stays so, whatever else comes of it.
    if (result === 'refused') {
      for (const piece of [A, B, C]) expect(add(reassembly, fragment(family, piece))).toBe(Drop.MALFORMED);
    }
  });

  // biome-ignore format: one case a line
  test.each([
    { name: 'no payload',                           spec: { offset: 8, more: true, payload: bytes(0, 0) } },
    { name: 'an odd length that is not the last',   spec: { offset: 8, more: true, payload: bytes(9, 0) } },
    { name: 'half a TCP header in the first',       spec: { offset: 0, more: true, payload: bytes(16, 0), protocol: IpProtocol.TCP } },
    { name: 'a piece that would write over a TCP header', spec: { offset: 8, more: true, payload: bytes(16, 0), protocol: IpProtocol.TCP } },
    { name: 'an end past 65,535',                   spec: { offset: 65_528, more: false, payload: bytes(8, 0) } },
  ] satisfies { name: string; spec: FragmentSpec }[])('refuses $name', ({ spec }) => {
    expect(add(new Reassembly(), fragment(family, spec))).toBe(Drop.MALFORMED);
  });

  test('forgets a datagram 15 s after its first piece', () => {
    const reassembly = new Reassembly();
    add(reassembly, fragment(family, A), 1000);
    add(reassembly, fragment(family, B), 9000);
    expect(reassembly.nextTimeout()).toBe(1000 + REASSEMBLY_TIMEOUT_MS);
    reassembly.onTimeout(1000 + REASSEMBLY_TIMEOUT_MS - 1);
    expect(reassembly.size).toBe(1);
    reassembly.onTimeout(1000 + REASSEMBLY_TIMEOUT_MS);
    expect(reassembly.size).toBe(0);
    expect(reassembly.heldBytes).toBe(0);
    expect(reassembly.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    expect(add(reassembly, fragment(family, C), 20_000)).toBe(Drop.NONE);
  });

  test('keeps 64 datagrams: the oldest gives way', () => {
    const reassembly = new Reassembly();
    for (let id = 0; id <= MAX_PARTIAL_DATAGRAMS; id += 1) {
      add(reassembly, fragment(family, { ...A, id }));
    }
    expect(reassembly.size).toBe(MAX_PARTIAL_DATAGRAMS);
    add(reassembly, fragment(family, { ...B, id: 1 }));
    expect(add(reassembly, fragment(family, { ...C, id: 1 }))).toBeInstanceOf(Buffer);
    add(reassembly, fragment(family, { ...B, id: 0 }));
    expect(add(reassembly, fragment(family, { ...C, id: 0 }))).toBe(Drop.NONE);
  });

  test('refuses a datagram of more than 128 pieces', () => {
    const reassembly = new Reassembly();
    const results = Array.from({ length: MAX_PIECES + 1 }, (_, index) =>
      add(reassembly, fragment(family, { offset: 16 * index, more: true, payload: bytes(8, 0) })),
    );
    expect(results.indexOf(Drop.MALFORMED)).toBe(MAX_PIECES);
  });

  test('random fragments never throw, and never hold more than 512 KiB', () => {
    const random = new SeededRandom(family);
    const reassembly = new Reassembly();
    let largest = 0;
    for (let sent = 0; sent < 20_000; sent += 1) {
      const packet = fragment(family, {
        id: random.uint32() % 200,
        offset: (random.uint32() % 8192) * 8,
        more: random.chance(90),
        payload: random.bytes((random.uint32() % 180) * 8),
        protocol: random.chance(50) ? IpProtocol.UDP : IpProtocol.TCP,
      });
      add(reassembly, packet, sent / 10);
      largest = Math.max(largest, reassembly.heldBytes);
      expect(reassembly.size).toBeLessThanOrEqual(MAX_PARTIAL_DATAGRAMS);
    }
    expect(largest).toBeLessThanOrEqual(MAX_PARTIAL_BYTES);
    reassembly.onTimeout(1e9);
    expect(reassembly.heldBytes).toBe(0);
  });

  test('a flood of pieces that never complete stays under 512 KiB', () => {
    const reassembly = new Reassembly();
    let largest = 0;
    for (let sent = 0; sent < 5000; sent += 1) {
      const offset = 8 + (Math.floor(sent / 60) % 40) * 1400;
      const piece = { id: sent % 60, offset, more: true, payload: bytes(1400, 0) };
      add(reassembly, fragment(family, piece));
      largest = Math.max(largest, reassembly.heldBytes);
    }
    expect(largest).toBeLessThanOrEqual(MAX_PARTIAL_BYTES);
    expect(largest).toBeGreaterThan(MAX_PARTIAL_BYTES - 2000);
  });
});

test('a small piece of a large packet counts with the whole packet', () => {
  const reassembly = new Reassembly();
  const packet = fragment(4, { offset: 0, more: true, payload: bytes(8, 1) });
  const padded = Buffer.concat([packet, Buffer.alloc(1000)]);
  add(reassembly, padded);
  expect(reassembly.heldBytes).toBeGreaterThan(1000);
});

describe('equal to a naive model', () => {
  test.each(FAMILIES)('IPv$family', ({ family }) => {
    const piece = fc.record({
      start: fc.nat(7),
      length: fc.integer({ min: 1, max: 4 }),
      last: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const reassembly = new Reassembly();
        const model = new Model();
        for (const { start, length, last } of pieces) {
          const payload = bytes(length * 8, 7);
          const packet = fragment(family, { offset: start * 8, more: !last, payload });
          const result = add(reassembly, packet);
          const whole = result instanceof Buffer;
          expect(whole).toBe(model.add(start, start + length, last));
          if (whole) return;
        }
      }),
      { numRuns: 3000 },
    );
  });
});

/** The rule in its plainest form: units of 8 bytes in a set, the datagram dead after any conflict. */
class Model {
  readonly #ranges = new Set<string>();
  readonly #units = new Set<number>();
  #end = -1;
  #dead = false;

  add(start: number, end: number, last: boolean): boolean {
    const key = `${start}-${end}`;
    const endConflict = last
      ? (this.#end !== -1 && this.#end !== end) || [...this.#units].some((unit) => unit >= end)
      : this.#end !== -1 && end > this.#end;
    const range = Array.from({ length: end - start }, (_, index) => start + index);
    const repeated = this.#ranges.has(key);
    const overlap = !repeated && range.some((unit) => this.#units.has(unit));
    if (this.#dead || endConflict || overlap) {
      this.#dead = true;
      return false;
    }
    if (repeated) return false;
    for (const unit of range) this.#units.add(unit);
    this.#ranges.add(key);
    if (last) this.#end = end;
    return this.#end !== -1 && this.#units.size === this.#end;
  }
}
