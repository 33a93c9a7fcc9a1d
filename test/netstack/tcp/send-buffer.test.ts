import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serialAdd } from '../../../src/core/serial.ts';
import { SendBuffer } from '../../../src/netstack/tcp/send-buffer.ts';

const START = 0xffff_fff0;

describe('SendBuffer', () => {
  test('gives any part of what it holds, at any time', () => {
    const action = fc.record({
      append: fc.nat(40),
      release: fc.nat(60),
      from: fc.nat(100),
      length: fc.nat(100),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
        const buffer = new SendBuffer(START);
        let model = Buffer.alloc(0);
        let released = 0;
        let next = 0;
        for (const { append, release, from, length } of actions) {
          const chunk = Buffer.from(Array.from({ length: append }, () => next++ & 0xff));
          buffer.append(chunk);
          model = Buffer.concat([model, chunk]);
          const gone = Math.min(release, model.length);
          released += gone;
          model = model.subarray(gone);
          buffer.release(serialAdd(START, released));
          expect(buffer.length).toBe(model.length);
          expect(buffer.end).toBe(serialAdd(START, released + model.length));
          const at = Math.min(from, model.length);
          const part = model.subarray(at, at + length);
          const target = Buffer.alloc(part.length + 2, 0xee);
          buffer.copy(serialAdd(START, released + at), target, 1, part.length);
          expect(target.subarray(1, -1)).toEqual(part);
          expect([target.at(0), target.at(-1)]).toEqual([0xee, 0xee]);
        }
      }),
    );
  });

  test('releases no more than it holds: the FIN is not a byte of it', () => {
    const buffer = new SendBuffer(START);
    buffer.append(Buffer.alloc(10));
    buffer.finish();
    buffer.release(serialAdd(START, 11));
    expect(buffer).toMatchObject({ length: 0, end: serialAdd(START, 10), finished: true });
  });

  test('an older number releases nothing', () => {
    const buffer = new SendBuffer(START);
    buffer.append(Buffer.alloc(10));
    buffer.release(serialAdd(START, -5));
    expect(buffer.length).toBe(10);
  });

  test('charges for chunks beside their bytes', () => {
    const buffer = new SendBuffer(START);
    for (let count = 0; count < 100; count += 1) buffer.append(Buffer.alloc(1));
    expect(buffer.charge).toBeGreaterThan(10_000);
    buffer.release(serialAdd(START, 100));
    expect(buffer.charge).toBe(0);
    buffer.append(Buffer.alloc(0));
    expect(buffer.charge).toBe(0);
  });

  test('forgets everything', () => {
    const buffer = new SendBuffer(START);
    buffer.append(Buffer.alloc(10));
    buffer.clear();
    expect(buffer).toMatchObject({ length: 0, charge: 0, end: serialAdd(START, 10) });
  });
});
