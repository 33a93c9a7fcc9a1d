import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMPTY } from '../../src/core/bytes.ts';
import { OvpnProtocolError } from '../../src/core/errors.ts';
import { Secret } from '../../src/core/secret.ts';
import {
  decodeKeyMethod2,
  encodeKeyMethod2,
  type KeyMethod2,
  MAX_KEY_METHOD2_BYTES,
} from '../../src/tlsstate/key-method2.ts';
import { makeKeySource, prfSecrets, wipeKeySource } from '../../src/tlsstate/key-source2.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { capturedPlaintexts, isKeyMethod2, senderOf } from './captures.ts';

const captured = capturedPlaintexts().filter(isKeyMethod2);

function read(bytes: Buffer, sender: 'client' | 'server'): KeyMethod2 {
  const message = decodeKeyMethod2(bytes, sender);
  if (message instanceof OvpnProtocolError) throw message;
  return message;
}

const text = fc.option(
  fc.string({ unit: 'grapheme', maxLength: 100 }).filter((value) => !value.includes('\0')),
  { nil: undefined },
);

describe('decodeKeyMethod2', () => {
  test('every captured message is read and written back byte for byte', () => {
    expect(captured.length).toBeGreaterThan(100);
    for (const message of captured) {
      const decoded = read(message.bytes, senderOf(message));
      expect(encodeKeyMethod2(decoded).equals(message.bytes), message.capture).toBe(true);
    }
  });

  test('the fields of a captured client with a password', () => {
    const message = captured.find(
      (one) => one.capture.startsWith('40-') && senderOf(one) === 'client',
    );
    const decoded = read(message?.bytes ?? EMPTY, 'client');
    expect(decoded.options).toMatch(/^V4,dev-type tun,/);
    expect(decoded.username).toBe('alice');
    expect(decoded.password?.reveal().length).toBeGreaterThan(3);
    expect(decoded.peerInfo).toMatch(/^IV_VER=2\.6\.14\n/);
    expect(decoded.source.premaster).toHaveLength(48);
  });

  test('every truncation of a server message gives absent strings or a typed error', () => {
    const message = captured.find((one) => senderOf(one) === 'server');
    const bytes = message?.bytes ?? EMPTY;
    for (let length = 0; length < bytes.length; length += 1) {
      const decoded = decodeKeyMethod2(bytes.subarray(0, length), 'server');
      if (decoded instanceof OvpnProtocolError) expect(decoded.code).toBe('OVPN_PROTOCOL');
      else expect(decoded.source.random2).toHaveLength(32);
    }
    expect(read(bytes.subarray(0, 69), 'server').options).toBeUndefined();
  });

  test.each([
    { name: 'another key method', at: 4, value: 1 },
    { name: 'a first word that is not zero', at: 0, value: 1 },
    { name: 'a string without its NUL', at: 70, value: 1 },
  ])('refuses $name', ({ at, value }) => {
    const bytes = Buffer.from(captured.find((one) => senderOf(one) === 'server')?.bytes ?? EMPTY);
    bytes[at] = value;
    expect(decodeKeyMethod2(bytes, 'server')).toBeInstanceOf(OvpnProtocolError);
  });

  test('only the low bits of the method count', () => {
    const bytes = Buffer.from(captured.find((one) => senderOf(one) === 'server')?.bytes ?? EMPTY);
    bytes[4] = 0xf2;
    expect(decodeKeyMethod2(bytes, 'server')).not.toBeInstanceOf(OvpnProtocolError);
  });

  test('a user name that is not UTF-8 is refused', () => {
    const head = Buffer.alloc(5 + 48 + 64);
    head[4] = 2;
    const bytes = Buffer.concat([head, Buffer.from('00000002ff00', 'hex')]);
    expect(decodeKeyMethod2(bytes, 'client')).toBeInstanceOf(OvpnProtocolError);
  });

  test('reads back what is written', () => {
    fc.assert(
      fc.property(text, text, text, text, fc.boolean(), (options, username, word, info, client) => {
        const sender = client ? 'client' : 'server';
        const message: KeyMethod2 = {
          source: makeKeySource(sender, new SeededRandom(1)),
          options,
          username,
          password: word === undefined ? undefined : new Secret(word),
          peerInfo: info,
        };
        const decoded = read(encodeKeyMethod2(message), sender);
        expect(decoded.source).toEqual(message.source);
        expect([decoded.options, decoded.username, decoded.peerInfo]).toEqual([
          options,
          username,
          info,
        ]);
        expect(decoded.password?.reveal()).toBe(word);
      }),
    );
  });

  test('any bytes give a message or a typed error', () => {
    const head = Buffer.from('0000000002', 'hex');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (tail, client) => {
        const decoded = decodeKeyMethod2(
          Buffer.concat([head, Buffer.from(tail)]),
          client ? 'client' : 'server',
        );
        expect(decoded instanceof OvpnProtocolError || 'source' in decoded).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('encodeKeyMethod2', () => {
  test.each([{ extra: 0 }, { extra: 1 }, { extra: 70_000 }])(
    'is bounded: $extra more',
    ({ extra }) => {
      const message: KeyMethod2 = {
        source: makeKeySource('client', new SeededRandom(1)),
        options: undefined,
        username: undefined,
        password: new Secret('x'.repeat(MAX_KEY_METHOD2_BYTES - 117 - 8 - 1 + extra)),
        peerInfo: undefined,
      };
      if (extra === 0) expect(encodeKeyMethod2(message)).toHaveLength(MAX_KEY_METHOD2_BYTES);
      else expect(() => encodeKeyMethod2(message)).toThrow(/2048/);
    },
  );
});

describe('key sources', () => {
  test('the server has no premaster; wiping leaves zeroes', () => {
    const source = makeKeySource('server', new SeededRandom(3));
    expect(source.premaster).toHaveLength(0);
    wipeKeySource(source);
    expect(Buffer.concat([source.random1, source.random2]).equals(Buffer.alloc(64))).toBe(true);
  });

  test('session ids are the right way round in both roles, and copies', () => {
    const [client, server] = [1, 2].map((seed) => makeKeySource('client', new SeededRandom(seed)));
    if (client === undefined || server === undefined) throw new Error('no sources');
    const [c, s] = [Buffer.alloc(8, 1), Buffer.alloc(8, 2)];
    const ours = prfSecrets(client, server, { local: c, remote: s }, 'client');
    const theirs = prfSecrets(client, server, { local: s, remote: c }, 'server');
    expect(ours).toEqual(theirs);
    ours.clientSessionId.fill(9);
    expect(c).toEqual(Buffer.alloc(8, 1));
  });
});
