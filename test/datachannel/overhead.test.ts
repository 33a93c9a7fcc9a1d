import { describe, expect, test } from 'vitest';
import { dataOverheadBytes } from '../../src/datachannel/overhead.ts';
import { cipherNamed } from './captures.ts';
import { codecFor, FORMATS, sealedBy } from './codecs.ts';

const FORMAT = { auth: 'SHA1', peerId: 7, epoch: false, framing: 'none' } as const;

describe('dataOverheadBytes', () => {
  test.each([
    { name: 'GCM, V2                 ', cipher: 'AES-256-GCM', over: {}, bytes: 24 },
    {
      name: 'GCM, V1                 ',
      cipher: 'AES-256-GCM',
      over: { peerId: undefined },
      bytes: 21,
    },
    { name: 'ChaCha20-Poly1305, V2   ', cipher: 'CHACHA20-POLY1305', over: {}, bytes: 24 },
    { name: 'epoch                   ', cipher: 'AES-256-GCM', over: { epoch: true }, bytes: 28 },
    { name: 'CBC SHA1, V2            ', cipher: 'AES-128-CBC', over: {}, bytes: 60 },
    {
      name: 'CBC SHA1, V1            ',
      cipher: 'AES-128-CBC',
      over: { peerId: undefined },
      bytes: 57,
    },
    {
      name: 'CBC SHA512, V2          ',
      cipher: 'AES-256-CBC',
      over: { auth: 'SHA512' },
      bytes: 104,
    },
    { name: 'GCM with auth NONE      ', cipher: 'AES-256-GCM', over: { auth: 'NONE' }, bytes: 24 },
    {
      name: 'GCM, comp-lzo no        ',
      cipher: 'AES-256-GCM',
      over: { framing: 'comp-lzo-no' },
      bytes: 25,
    },
    {
      name: 'GCM, stub               ',
      cipher: 'AES-256-GCM',
      over: { framing: 'stub' },
      bytes: 25,
    },
    {
      name: 'GCM, stub-v2            ',
      cipher: 'AES-256-GCM',
      over: { framing: 'stub-v2' },
      bytes: 26,
    },
    {
      name: 'epoch, stub             ',
      cipher: 'AES-256-GCM',
      over: { epoch: true, framing: 'stub' },
      bytes: 29,
    },
    {
      name: 'CBC SHA1, stub          ',
      cipher: 'AES-128-CBC',
      over: { framing: 'stub' },
      bytes: 61,
    },
  ] as const)('$name', ({ cipher, over, bytes }) => {
    expect(dataOverheadBytes({ ...FORMAT, ...over, cipher: cipherNamed(cipher) })).toBe(bytes);
  });

  test.each(FORMATS)('is what a packet grows by at most: $name', (format) => {
    const codec = codecFor('client', format);
    const cipher = cipherNamed(format.cipherName);
    const growth = Array.from({ length: 33 }, (_, at) => {
      return sealedBy(codec, Buffer.alloc(at + 1, 1)).length - (at + 1);
    });
    expect(Math.max(...growth)).toBe(dataOverheadBytes({ ...format, cipher, framing: 'none' }));
  });
});
