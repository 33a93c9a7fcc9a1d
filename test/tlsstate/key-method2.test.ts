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
  MAX_KEY_METHOD2_STRING_BYTES,
} from '../../src/tlsstate/key-method2.ts';
import { KeyMethod2Assembly, TLS_RECORD_BYTES } from '../../src/tlsstate/key-method2-assembly.ts';
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
  const message = (username: string | undefined, password: string, peerInfo?: string) => ({
    source: makeKeySource('client', new SeededRandom(1)),
    options: undefined,
    username,
    password: new Secret(password),
    peerInfo,
  });

  test('takes strings as long as their length field counts', () => {
    const password = 'x'.repeat(MAX_KEY_METHOD2_STRING_BYTES);
    const bytes = encodeKeyMethod2(message('ada', password));
    expect(read(bytes, 'client').password?.reveal()).toBe(password);
  });

  test.each([
    { name: 'a longer password', parts: message('ada', 'x'.repeat(65_535)), says: /65534 bytes/ },
    { name: 'bytes, not characters', parts: message('ada', 'ü'.repeat(32_768)), says: /65534/ },
    { name: 'a NUL', parts: message('a\0da', 'x'), says: /without a NUL/ },
    {
      name: 'a message that is too long',
      parts: message('x'.repeat(40_000), 'x'.repeat(60_000)),
      says: new RegExp(`${MAX_KEY_METHOD2_BYTES}`),
    },
  ])('refuses $name, without showing it', ({ parts, says }) => {
    expect(() => encodeKeyMethod2(parts)).toThrow(says);
    expect(() => encodeKeyMethod2(parts)).not.toThrow(/xx|üü/);
  });
});

describe('KeyMethod2Assembly', () => {
  const whole = (password: string, peerInfo: string) =>
    encodeKeyMethod2({
      source: makeKeySource('client', new SeededRandom(1)),
      options: 'V4',
      username: 'ada',
      password: new Secret(password),
      peerInfo,
    });
  const records = (bytes: Buffer) => {
    const cut: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += TLS_RECORD_BYTES) {
      cut.push(Buffer.from(bytes.subarray(at, at + TLS_RECORD_BYTES)));
    }
    return cut;
  };

  test.each([10, 16_000, 16_384, 20_000, 32_768 - 150, 65_534])(
    'joins the records of a password of %d bytes',
    (bytes) => {
      const message = whole('x'.repeat(bytes), 'IV_VER=1\n');
      const assembly = new KeyMethod2Assembly();
      const parts = records(message);
      const given = parts.map((record) => assembly.push(record));
      expect(given.slice(0, -1)).toEqual(Array.from({ length: parts.length - 1 }, () => undefined));
      expect(given.at(-1)?.equals(message)).toBe(true);
      if (parts.length > 1)
        expect(parts.every((part) => part.every((byte) => byte === 0))).toBe(true);
    },
  );

  test.each([-1, 0, 1])('whatever lies at the edge of a record, %d bytes off', (off) => {
    const head = whole('', '').length - 1;
    const message = whole('x'.repeat(TLS_RECORD_BYTES - head + off), 'IV_VER=1\n');
    const assembly = new KeyMethod2Assembly();
    const given = records(message).map((record) => assembly.push(record));
    expect(given.at(-1)?.equals(message)).toBe(true);
  });

  test('waits for nothing after a record that is not full, and not for ever', () => {
    const short = Buffer.alloc(100);
    expect(new KeyMethod2Assembly().push(short)).toBe(short);
    const assembly = new KeyMethod2Assembly();
    const full = () => Buffer.alloc(TLS_RECORD_BYTES, 0xff);
    const given = Array.from({ length: 6 }, () => assembly.push(full())?.length);
    expect(given).toEqual([undefined, undefined, undefined, undefined, undefined, 98_304]);
  });
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
