import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_WAITING_BYTES, TlsBio } from '../../src/tlsstate/tls-bio.ts';

describe('TlsBio', () => {
  test('a writer is held while too much waits, and released as it is taken', () => {
    let woken = 0;
    const bio = new TlsBio(() => {
      woken += 1;
    });
    const done: number[] = [];
    bio.write(Buffer.alloc(MAX_WAITING_BYTES - 1), () => done.push(1));
    bio.write(Buffer.alloc(10), () => done.push(2));
    bio.write(Buffer.alloc(10), () => done.push(3));
    expect(woken).toBeGreaterThan(0);
    let taken = 0;
    while (taken < 9) taken += bio.takeOutput(3)?.length ?? Number.NaN;
    expect(bio.hasOutput).toBe(true);
    expect(taken).toBe(9);
    for (let chunk = bio.takeOutput(1000); chunk !== undefined; chunk = bio.takeOutput(1000)) {
      expect(chunk.length).toBeLessThanOrEqual(1000);
      taken += chunk.length;
    }
    expect(taken).toBe(MAX_WAITING_BYTES - 1 + 20);
    expect(bio.hasOutput).toBe(false);
  });

  test('input is refused while node:tls does not read', () => {
    const bio = new TlsBio(() => {});
    bio.feed(Buffer.alloc(MAX_WAITING_BYTES - 1));
    expect(bio.acceptsInput).toBe(true);
    bio.feed(Buffer.alloc(1));
    expect(bio.acceptsInput).toBe(false);
    bio.read();
    expect(bio.acceptsInput).toBe(true);
  });

  test('after destroy it swallows what comes', () => {
    const bio = new TlsBio(() => {});
    bio.destroy();
    bio.feed(Buffer.alloc(10));
    expect(bio.acceptsInput).toBe(true);
    expect(bio.takeOutput(10)).toBeUndefined();
  });

  test('any cut gives the same bytes in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 10 }),
        fc.integer({ min: 1, max: 60 }),
        (writes, max) => {
          const bio = new TlsBio(() => {});
          for (const bytes of writes) bio.write(Buffer.from(bytes));
          const chunks: Buffer[] = [];
          for (let chunk = bio.takeOutput(max); chunk !== undefined; chunk = bio.takeOutput(max)) {
            chunks.push(chunk);
          }
          expect(Buffer.concat(chunks)).toEqual(Buffer.concat(writes));
        },
      ),
    );
  });
});
