import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OvpnProtocolError } from '../../src/core/errors.ts';
import { hasControlCharacter } from '../../src/core/log.ts';
import { decodeKeyMethod2 } from '../../src/tlsstate/key-method2.ts';
import {
  announcedIvProto,
  CLIENT_IV_PROTO,
  clientPeerInfo,
  ivProtoOf,
  MAX_PEER_INFO_LINES,
  parsePeerInfo,
} from '../../src/tlsstate/peer-info.ts';
import { capturedPlaintexts, isKeyMethod2, senderOf } from './captures.ts';

const facts = {
  version: '0.1.0',
  platform: 'linux',
  maxTunMtu: 1600,
  dataCiphers: ['AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305'],
  ivProto: CLIENT_IV_PROTO,
  extra: [],
};

describe('clientPeerInfo', () => {
  test('announces what works, in the order of openvpn', () => {
    expect(clientPeerInfo(facts)).toBe(
      'IV_VER=0.1.0\nIV_PLAT=linux\nIV_TCPNL=1\nIV_MTU=1600\nIV_NCP=2\n' +
        'IV_CIPHERS=AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305\nIV_PROTO=8094\n' +
        'IV_LZO_STUB=1\nIV_COMP_STUB=1\nIV_COMP_STUBv2=1\n',
    );
  });

  test('announces compressions where what comes compressed is opened', () => {
    expect(clientPeerInfo({ ...facts, decompresses: true })).toMatch(
      /IV_PROTO=\d+\nIV_LZ4=1\nIV_LZ4v2=1\nIV_LZO=1\nIV_COMP_STUB=1\nIV_COMP_STUBv2=1\n$/,
    );
  });

  test('without bits there is no IV_PROTO', () => {
    expect(clientPeerInfo({ ...facts, ivProto: 0 })).not.toContain('IV_PROTO');
  });

  test('has the lines of openvpn 2.6, in its order', () => {
    const names = (text: string | undefined) => [...parsePeerInfo(text).keys()];
    let compared = 0;
    for (const message of capturedPlaintexts().filter(isKeyMethod2)) {
      if (senderOf(message) !== 'client') continue;
      const decoded = decodeKeyMethod2(message.bytes, 'client');
      if (decoded instanceof OvpnProtocolError) throw decoded;
      const theirs = names(decoded.peerInfo);
      const isUsual = theirs.includes('IV_NCP') && theirs.includes('IV_LZO_STUB');
      if (!decoded.peerInfo?.startsWith('IV_VER=2.6') || !isUsual) continue;
      // IV_SSO is set by a front end that can show a page.
      const own = theirs.filter((name) => name.startsWith('IV_') && name !== 'IV_SSO');
      expect(names(clientPeerInfo(facts)), message.capture).toEqual(own);
      compared += 1;
    }
    expect(compared).toBeGreaterThanOrEqual(20);
  });

  test.each([
    { platform: 'darwin', shown: 'mac' },
    { platform: 'win32', shown: 'win' },
    { platform: 'freebsd', shown: 'freebsd' },
  ])('$platform is $shown', ({ platform, shown }) => {
    expect(clientPeerInfo({ ...facts, platform })).toContain(`IV_PLAT=${shown}\n`);
  });

  test.each([
    { dataCiphers: ['AES-256-GCM'] },
    { dataCiphers: ['AES-128-GCM', 'CHACHA20-POLY1305'] },
  ])('IV_NCP is only for both AES-GCM ciphers: $dataCiphers', ({ dataCiphers }) => {
    expect(clientPeerInfo({ ...facts, dataCiphers })).not.toContain('IV_NCP');
  });

  test('further lines follow', () => {
    const extra = [['UV_SITE', 'lab 1=a']] as const;
    expect(clientPeerInfo({ ...facts, extra })).toMatch(/\nUV_SITE=lab 1=a\n$/);
  });

  test.each([
    { extra: ['UV_A', 'x\nIV_PROTO=1'] as const },
    { extra: ['UV_A=1\nB', 'x'] as const },
    { extra: ['', 'x'] as const },
  ])('a line that would break the format is refused: $extra', ({ extra }) => {
    expect(() => clientPeerInfo({ ...facts, extra: [extra] })).toThrow(/peer info/);
  });
});

describe('announcedIvProto', () => {
  test.each([
    { name: 'an AEAD cipher is offered', dataCiphers: ['AES-256-CBC', 'AES-128-GCM'], bits: 8094 },
    { name: 'only CBC is offered: no epochs', dataCiphers: ['AES-256-CBC'], bits: 7070 },
    { name: 'nothing known is offered: no epochs', dataCiphers: ['BF-CBC'], bits: 7070 },
  ])('$name', ({ dataCiphers, bits }) => {
    expect(announcedIvProto(CLIENT_IV_PROTO, dataCiphers)).toBe(bits);
  });
});

describe('parsePeerInfo', () => {
  test('reads what real clients send', () => {
    const protos = new Set<number>();
    for (const message of capturedPlaintexts().filter(isKeyMethod2)) {
      if (senderOf(message) !== 'client') continue;
      const decoded = decodeKeyMethod2(message.bytes, 'client');
      if (decoded instanceof OvpnProtocolError) throw decoded;
      const lines = parsePeerInfo(decoded.peerInfo);
      expect(lines.get('IV_CIPHERS')).toMatch(/^[A-Z0-9:-]+$/);
      protos.add(ivProtoOf(lines));
    }
    expect([...protos].sort((a, b) => a - b)).toEqual(expect.arrayContaining([2, 990, 8094]));
  });

  test('reads back what is written', () => {
    const lines = parsePeerInfo(clientPeerInfo(facts));
    expect(lines.get('IV_VER')).toBe('0.1.0');
    expect(ivProtoOf(lines)).toBe(8094);
  });

  test('reads back any further line', () => {
    const name = fc.stringMatching(/^UV_[A-Za-z0-9_]{1,40}$/);
    const value = fc.string({ maxLength: 60 }).filter((text) => !hasControlCharacter(text));
    fc.assert(
      fc.property(name, value, (one, text) => {
        const lines = parsePeerInfo(clientPeerInfo({ ...facts, extra: [[one, text]] }));
        expect(lines.get(one)).toBe(text);
        expect(ivProtoOf(lines)).toBe(CLIENT_IV_PROTO);
      }),
    );
  });

  test.each([
    { name: 'absent', text: undefined, size: 0 },
    { name: 'no sign', text: 'IV_VER\n', size: 0 },
    { name: 'a control byte', text: 'IV_VER=\x1b[2J\n', size: 0 },
    { name: 'no name', text: '=1\n', size: 0 },
    { name: '__proto__ is a name like any other', text: '__proto__=1\n', size: 1 },
  ])('$name', ({ text, size }) => {
    expect(parsePeerInfo(text).size).toBe(size);
  });

  test('the first of a name counts, and the number of lines is bounded', () => {
    expect(parsePeerInfo('A=1\nA=2\n').get('A')).toBe('1');
    const many = Array.from({ length: 500 }, (_, index) => `N${index}=1`).join('\n');
    expect(parsePeerInfo(many).size).toBe(MAX_PEER_INFO_LINES);
  });

  test.each(['', '-1', '1e3', '0x10', '99999999999'])('IV_PROTO=%s counts as 0', (value) => {
    expect(ivProtoOf(new Map([['IV_PROTO', value]]))).toBe(0);
  });

  test('never fails', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = Buffer.from(bytes).toString('latin1');
        expect(parsePeerInfo(text).size).toBeLessThanOrEqual(MAX_PEER_INFO_LINES);
      }),
    );
  });
});
