import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BerNode, octetsOf, oidOf, readBer, wholeNumberOf } from '../../src/config/ber.ts';
import { openPkcs12 } from '../../src/config/pkcs12.ts';
import { keyFile } from './key-files.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** `node` with indefinite lengths, and strings in pieces of 100 bytes. */
function asBer(node: BerNode): Buffer {
  const der = node.der();
  const first = der.readUInt8(0);
  if (node.children.length > 0) {
    return Buffer.concat([Buffer.of(first, 0x80), ...node.children.map(asBer), Buffer.alloc(2)]);
  }
  if (octetsOf(node) === undefined) return der;
  const pieces: Buffer[] = [];
  for (let at = 0; at < node.content.length; at += 100) {
    const piece = node.content.subarray(at, at + 100);
    pieces.push(Buffer.of(0x04, piece.length), piece);
  }
  return Buffer.concat([Buffer.of(0x24, 0x80), ...pieces, Buffer.alloc(2)]);
}

describe('readBer', () => {
  test('a file in BER opens like the same one in DER', () => {
    for (const name of ['modern.p12', 'legacy.p12', 'plain.p12']) {
      const file = keyFile(name);
      const tree = readBer(file);
      const ber = tree === undefined ? Buffer.alloc(0) : asBer(tree);
      expect(ber.length).toBeGreaterThan(file.length);
      expect(openPkcs12(ber, 'secret')).toEqual(openPkcs12(file, 'secret'));
      expect(openPkcs12(ber, 'wrong')).toMatchObject({ locked: 'wrong-passphrase' });
    }
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'nothing',                  bytes: '' },
    { name: 'a cut value',              bytes: '04 05 01 02' },
    { name: 'bytes behind it',          bytes: '02 01 05 00' },
    { name: 'no end of contents',       bytes: '30 80 02 01 05' },
    { name: 'a length beyond anything', bytes: '04 84 ff ff ff ff 00' },
    { name: 'a thousand sequences',     bytes: '30 80'.repeat(1000) },
  ])('$name is nothing', ({ bytes }) => {
    expect(readBer(hex(bytes))).toBeUndefined();
  });

  test('any bytes give a tree or nothing', () => {
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(0x30, 0x24, 0x80, 0x04, 0x00, 0x06));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 200 }), (bytes) => {
        const tree = readBer(Buffer.from(bytes));
        expect(tree?.content.length ?? 0).toBeLessThanOrEqual(bytes.length);
        oidOf(tree);
        wholeNumberOf(tree, 10);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('wholeNumberOf', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { bytes: '02 01 00',                      value: 0 },
    { bytes: '02 02 08 00',                   value: 2048 },
    { bytes: '02 04 7f ff ff ff',             value: 0x7fffffff },
    { bytes: '02 05 00 80 00 00 00',          value: undefined },
    { bytes: '02 01 ff',                      value: undefined },
    { bytes: '02 00',                         value: undefined },
    { bytes: '02 08 00 00 00 00 00 00 00 01', value: undefined },
    { bytes: '04 01 05',                      value: undefined },
    { bytes: '82 01 05',                      value: undefined },
  ])('$bytes: $value', ({ bytes, value }) => {
    expect(wholeNumberOf(readBer(hex(bytes)), 0x7fffffff)).toBe(value);
  });
});
