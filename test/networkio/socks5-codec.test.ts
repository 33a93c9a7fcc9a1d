import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ANSWER_START_BYTES,
  answerLength,
  decodeBound,
  decodeMethod,
  encodeDatagramHeader,
  encodeGreeting,
  encodeRequest,
  encodeSignIn,
  isWelcome,
  SocksCommand,
} from '../../src/networkio/socks5-codec.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('what is sent', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'a greeting',             bytes: encodeGreeting([0, 2]),                                                              wire: '05 02 00 02' },
    { name: 'a sign-in',              bytes: encodeSignIn('user', 'pa'),                                                          wire: '01 04 75736572 02 7061' },
    { name: 'an empty password',      bytes: encodeSignIn('u', ''),                                                               wire: '01 01 75 00' },
    { name: 'CONNECT to a name',      bytes: encodeRequest(SocksCommand.CONNECT, { host: 'ab.c', port: 443 }),                    wire: '05 01 00 03 04 61622e63 01bb' },
    { name: 'CONNECT to IPv4',        bytes: encodeRequest(SocksCommand.CONNECT, { host: '192.0.2.1', port: 65535 }),             wire: '05 01 00 01 c0000201 ffff' },
    { name: 'CONNECT to IPv6',        bytes: encodeRequest(SocksCommand.CONNECT, { host: '2001:db8::1', port: 1 }),               wire: '05 01 00 04 20010db8000000000000000000000001 0001' },
    { name: 'UDP ASSOCIATE',          bytes: encodeRequest(SocksCommand.UDP_ASSOCIATE, { host: '0.0.0.0', port: 0 }),             wire: '05 03 00 01 00000000 0000' },
    { name: 'a datagram to IPv4',     bytes: encodeDatagramHeader({ host: '192.0.2.1', port: 1194 }),                             wire: '0000 00 01 c0000201 04aa' },
    { name: 'a datagram to IPv6',     bytes: encodeDatagramHeader({ host: '::1', port: 1194 }),                                   wire: '0000 00 04 00000000000000000000000000000001 04aa' },
  ])('$name', ({ bytes, wire }) => {
    expect(bytes).toEqual(hex(wire));
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'no user name',               username: '',                   password: 'p',             fits: false },
    { name: '255 bytes each',             username: 'u'.repeat(255),      password: 'p'.repeat(255), fits: true },
    { name: 'a user name of 256 bytes',   username: 'u'.repeat(256),      password: '',              fits: false },
    { name: '256 bytes in 128 letters',   username: 'ä'.repeat(128),      password: '',              fits: false },
    { name: 'a password of 256 bytes',    username: 'u',                  password: 'p'.repeat(256), fits: false },
  ])('a sign-in with $name fits: $fits', ({ username, password, fits }) => {
    expect(encodeSignIn(username, password) !== undefined).toBe(fits);
  });
});

describe('what comes', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { answer: '05 00', method: 0 },       { answer: '05 02', method: 2 }, { answer: '05 ff', method: 255 },
    { answer: '04 00', method: undefined }, { answer: '05', method: undefined }, { answer: '05 00 00', method: undefined },
  ])('method in $answer: $method', ({ answer, method }) => {
    expect(decodeMethod(hex(answer))).toBe(method);
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { answer: '01 00', welcome: true },  { answer: '05 00', welcome: true },  { answer: '01 01', welcome: false },
    { answer: '00 00', welcome: false }, { answer: '01 ff', welcome: false }, { answer: '01', welcome: false },
  ])('a sign-in answered by $answer is let in: $welcome', ({ answer, welcome }) => {
    expect(isWelcome(hex(answer))).toBe(welcome);
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { answer: '05 00 00 01 7f000001 04aa',                         bound: { host: '127.0.0.1', port: 1194 } },
    { answer: `05 00 00 04 ${'00'.repeat(15)}01 04aa`,             bound: { host: '::1', port: 1194 } },
    { answer: '05 00 00 03 03 612e62 04aa',                        bound: { host: 'a.b', port: 1194 } },
    { answer: '05 00 00 03 00 04aa',                               bound: { host: '', port: 1194 } },
    { answer: '05 00 00 02 7f000001 04aa',                         bound: undefined },
    { answer: '04 00 00 01 7f000001 04aa',                         bound: undefined },
    { answer: '05 00 00 01 7f000001 04',                           bound: undefined },
    { answer: '05 00 00 03 ff 612e62 04aa',                        bound: undefined },
    { answer: '05 00 00',                                          bound: undefined },
  ])('bound address in $answer', ({ answer, bound }) => {
    expect(decodeBound(hex(answer))).toEqual(bound);
  });

  test('any bytes: nothing throws, and a length is at least what told it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const answer = Buffer.from(bytes);
        const length = answerLength(answer);
        if (length !== undefined) expect(length).toBeGreaterThan(ANSWER_START_BYTES);
        expect(decodeBound(answer) !== undefined).toBe(length === answer.length);
        decodeMethod(answer);
        isWelcome(answer);
      }),
    );
  });

  test('any address that is sent reads back as it was', () => {
    const hosts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
    fc.assert(
      fc.property(hosts, fc.integer({ min: 0, max: 65_535 }), (host, port) => {
        const request = encodeRequest(SocksCommand.CONNECT, { host, port });
        request.writeUInt8(0, 1);
        const bound = decodeBound(request);
        expect(bound?.port).toBe(port);
        expect(encodeDatagramHeader(bound ?? { host: '', port: 0 })).toEqual(
          encodeDatagramHeader({ host, port }),
        );
      }),
    );
  });
});
