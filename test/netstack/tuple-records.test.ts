import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlowKey } from '../../src/netstack/flow-key.ts';
import { NO_RECORD, TupleRecords } from '../../src/netstack/tuple-records.ts';
import { address } from '../sim/netstack-pair.ts';

const ADDRESSES = [address('10.8.0.1'), address('fd00::1')] as const;
const LIMIT = 40;

function key(number: number): FlowKey {
  const localAddress = ADDRESSES[number % 2] ?? ADDRESSES[0];
  return new FlowKey().readTuple({
    localAddress,
    localPort: number,
    remoteAddress: localAddress,
    remotePort: 0xffff - number,
  });
}

describe('TupleRecords', () => {
  test('keeps what a map in order of age would keep', () => {
    const step = fc.record({
      what: fc.constantFrom('add', 'remove', 'renew', 'find'),
      number: fc.nat(60),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.integer(), (steps, seed) => {
        const records = new TupleRecords(LIMIT, 2, seed);
        const model = new Map<number, number>();
        let value = 0xffff_0000;
        for (const { what, number } of steps) {
          const record = records.find(key(number));
          expect(record !== NO_RECORD).toBe(model.has(number));
          if (record === NO_RECORD) {
            if (what !== 'add') continue;
            if (model.size === LIMIT) model.delete([...model.keys()][0] ?? -1);
            const added = records.add(key(number));
            expect([records.word(added, 0), records.word(added, 1)]).toEqual([0, 0]);
            value += 1;
            records.setWord(added, 1, value);
            records.setTime(added, value / 8);
            model.set(number, value);
            continue;
          }
          expect(records.word(record, 1)).toBe(model.get(number));
          expect(records.time(record)).toBe((model.get(number) ?? 0) / 8);
          if (what === 'remove') {
            records.remove(record);
            model.delete(number);
          } else if (what === 'renew') {
            records.renew(record);
            const kept = model.get(number) ?? 0;
            model.delete(number);
            model.set(number, kept);
          }
        }
        expect(records.size).toBe(model.size);
        const inOrder: number[] = [];
        for (let at = records.oldest; at !== NO_RECORD; at = records.newer(at)) {
          expect(records.key(at).equals(key(records.key(at).localPort))).toBe(true);
          inOrder.push(records.key(at).localPort);
        }
        expect(inOrder).toEqual([...model.keys()]);
      }),
      { numRuns: 300 },
    );
  });

  test('gives its memory back when it is empty', () => {
    const records = new TupleRecords(1000, 4, 7);
    expect(records.bytes).toBe(0);
    for (let number = 0; number < 1500; number += 1) records.add(key(number));
    expect(records.size).toBe(1000);
    expect(records.bytes).toBeLessThan(1000 * 96);
    while (records.oldest !== NO_RECORD) records.remove(records.oldest);
    expect(records.bytes).toBe(0);
    expect(records.find(key(1))).toBe(NO_RECORD);
  });
});
