import { decode, encode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCheapToDecode, MAX_NAME_STEPS, MAX_POINTER_HOPS } from '../../src/dialer/dns-guard.ts';
import { a, cname, soa } from './dns-server.ts';

const HEADER = [0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const A_RECORD = [0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1];

/** A message of `answers` records made of raw bytes. */
function message(answers: number, ...bytes: number[]): Buffer {
  const header = Buffer.from(HEADER);
  header.writeUInt16BE(answers, 6);
  return Buffer.concat([header, Buffer.from(bytes)]);
}

describe('isCheapToDecode', () => {
  test('takes what a server sends', () => {
    const bytes = encode({
      type: 'response',
      id: 1,
      questions: [{ name: 'www.example.com', type: 'A' }],
      answers: [
        cname('www.example.com', 'b.test'),
        a('b.test', '10.0.0.1'),
        {
          type: 'MX',
          name: 'x.test',
          class: 'IN',
          data: { preference: 1, exchange: 'mail.x.test' },
        },
        { type: 'SRV', name: 'x.test', class: 'IN', data: { port: 1, target: 'srv.x.test' } },
        { type: 'TXT', name: 'x.test', class: 'IN', data: ['a', 'b'] },
        { type: 'CAA', name: 'x.test', class: 'IN', data: { tag: 'issue', value: 'ca' } },
      ],
      authorities: [soa('example.com', 30)],
    });
    expect(isCheapToDecode(bytes)).toBe(true);
  });

  test.each([
    { name: 'a header cut short', bytes: Buffer.from(HEADER.slice(0, 11)) },
    { name: 'a name without an end', bytes: message(1, 3, 97, 97) },
    { name: 'a pointer to itself', bytes: message(1, 0xc0, 12, ...A_RECORD) },
    { name: 'a pointer forwards', bytes: message(1, 0xc0, 20, ...A_RECORD) },
    { name: 'a pointer into the name itself', bytes: message(1, 1, 97, 0xc0, 12, ...A_RECORD) },
    { name: 'half a pointer', bytes: message(1, 0xc0) },
    { name: 'a reserved label type', bytes: message(1, 0x80, ...A_RECORD) },
    { name: 'data beyond the end', bytes: message(1, 0, ...A_RECORD.slice(0, -1)) },
    {
      name: 'an A record of five bytes',
      bytes: message(1, 0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 5, 1, 2, 3, 4, 5),
    },
    {
      name: 'a name longer than its record',
      bytes: message(1, 0, 0, 5, 0, 1, 0, 0, 0, 60, 0, 2, 3, 97, 97, 97, 0),
    },
    {
      name: 'a CAA tag longer than its record',
      bytes: message(1, 0, 1, 1, 0, 1, 0, 0, 0, 60, 0, 4, 0, 9, 97, 97),
    },
    {
      name: 'a CAA record without a tag',
      bytes: message(1, 0, 1, 1, 0, 1, 0, 0, 0, 60, 0, 2, 0, 0),
    },
    {
      name: 'a type that is never asked for',
      bytes: message(1, 0, 0, 46, 0, 1, 0, 0, 0, 60, 0, 0),
    },
  ])('refuses $name', ({ bytes }) => {
    expect(isCheapToDecode(bytes)).toBe(false);
  });

  test('refuses a name of too many pointers', () => {
    // A record of an unknown type holds the root and pointers, each to the one before it.
    const chained = (hops: number) => {
      const rootAt = 12 + 11;
      const chain = [0];
      let target = rootAt;
      for (let hop = 1; hop < hops; hop += 1) {
        chain.push(0xc0, target);
        target = rootAt + chain.length - 2;
      }
      const head = [0, 0xff, 0, 0, 1, 0, 0, 0, 60, 0, chain.length];
      return message(2, ...head, ...chain, 0xc0, target, ...A_RECORD);
    };
    expect(isCheapToDecode(chained(MAX_POINTER_HOPS))).toBe(true);
    expect(isCheapToDecode(chained(MAX_POINTER_HOPS + 1))).toBe(false);
  });

  test('refuses a message whose names are long together', () => {
    const labels = Array.from({ length: 120 }, () => [1, 97]).flat();
    const record = [...labels, 0, ...A_RECORD];
    const count = Math.ceil(MAX_NAME_STEPS / 121) + 1;
    const bytes = message(count, ...Array.from({ length: count }, () => record).flat());
    expect(isCheapToDecode(bytes)).toBe(false);
  });

  test('reads no byte outside of any message, and what it takes is decoded quickly', () => {
    const bytes = fc
      .uint8Array({ maxLength: 300 })
      .map((tail) => message(tail.length % 7, ...tail));
    fc.assert(
      fc.property(bytes, (random) => {
        if (!isCheapToDecode(random)) return;
        const started = performance.now();
        try {
          decode(random);
        } catch {
          // Malformed data is the decoder's to refuse.
        }
        expect(performance.now() - started).toBeLessThan(50);
      }),
    );
  });
});
