import { describe, expect, test } from 'vitest';
import { OvpnProtocolError } from '../../src/core/errors.ts';
import {
  chooseClientCipher,
  chooseServerCipher,
  negotiatesCipher,
} from '../../src/tlsstate/cipher-choice.ts';

const OURS = ['AES-256-GCM', 'CHACHA20-POLY1305'];

/** No name, in the tables. */
const NONE = undefined;

describe('chooseClientCipher', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'pushed and ours',                       pushed: 'CHACHA20-POLY1305', occ: NONE,          fallback: NONE,          chosen: 'CHACHA20-POLY1305' },
    { name: 'pushed, whatever the options string',   pushed: 'CHACHA20-POLY1305', occ: 'AES-256-GCM', fallback: 'AES-128-CBC', chosen: 'CHACHA20-POLY1305' },
    { name: 'pushed: our fallback',                  pushed: 'AES-128-GCM',       occ: NONE,          fallback: 'AES-128-GCM', chosen: 'AES-128-GCM' },
    { name: 'pushed and not ours',                   pushed: 'AES-128-GCM',       occ: NONE,          fallback: NONE,          chosen: NONE },
    { name: 'pushed: no way around it by the OCC',   pushed: 'AES-128-GCM',       occ: 'AES-256-GCM', fallback: NONE,          chosen: NONE },
    { name: 'pushed: no way around by the fallback', pushed: 'AES-128-GCM',       occ: NONE,          fallback: 'AES-256-GCM', chosen: NONE },
    { name: 'pushed: none at all',                   pushed: 'NONE',              occ: 'AES-256-GCM', fallback: 'AES-256-GCM', chosen: NONE },
    { name: 'pushed: one that nobody has',           pushed: 'BF-CBC',            occ: 'AES-256-GCM', fallback: 'BF-CBC',      chosen: NONE },
    { name: 'OCC: ours',                             pushed: NONE,                occ: 'AES-256-GCM', fallback: NONE,          chosen: 'AES-256-GCM' },
    { name: 'OCC before the fallback',               pushed: NONE,                occ: 'AES-256-GCM', fallback: 'AES-128-CBC', chosen: 'AES-256-GCM' },
    { name: 'OCC: our fallback',                     pushed: NONE,                occ: 'AES-128-CBC', fallback: 'AES-128-CBC', chosen: 'AES-128-CBC' },
    { name: 'OCC: not ours',                         pushed: NONE,                occ: 'AES-128-GCM', fallback: NONE,          chosen: NONE },
    { name: 'OCC: not ours, no silent fallback',     pushed: NONE,                occ: 'BF-CBC',      fallback: 'AES-128-GCM', chosen: NONE },
    { name: 'OCC: none at all',                      pushed: NONE,                occ: '[NULL-CIPHER]', fallback: NONE,        chosen: NONE },
    { name: 'OCC: an empty name',                    pushed: NONE,                occ: '',            fallback: NONE,          chosen: NONE },
    { name: 'nothing named: the fallback',           pushed: NONE,                occ: NONE,          fallback: 'AES-128-GCM', chosen: 'AES-128-GCM' },
    { name: 'nothing named, no fallback',            pushed: NONE,                occ: NONE,          fallback: NONE,          chosen: NONE },
  ])('$name: $chosen', ({ pushed, occ, fallback, chosen }) => {
    const cipher = chooseClientCipher({
      pushed,
      serverOptions: occ,
      dataCiphers: OURS,
      fallback,
    });
    if (cipher instanceof OvpnProtocolError) {
      expect(cipher.code).toBe('OVPN_NO_SHARED_CIPHER');
      expect(cipher.message).toContain(`got ${pushed ?? occ ?? 'none'} from the server`);
      expect(chosen).toBeUndefined();
    } else expect(cipher.name).toBe(chosen);
  });
});

describe('chooseServerCipher', () => {
  // biome-ignore format: a table, one row a line
  test.each<{ name: string; info: Record<string, string>; occ: string | undefined; fallback: string | undefined; chosen: string | undefined }>([
    { name: 'IV_CIPHERS: our order decides',           info: { IV_CIPHERS: 'CHACHA20-POLY1305:AES-256-GCM' }, occ: NONE, fallback: NONE,                    chosen: 'AES-256-GCM' },
    { name: 'IV_CIPHERS in lower case',                info: { IV_CIPHERS: 'chacha20-poly1305' }, occ: NONE,                fallback: NONE,                 chosen: 'CHACHA20-POLY1305' },
    { name: 'IV_CIPHERS before IV_NCP',                info: { IV_CIPHERS: 'CHACHA20-POLY1305', IV_NCP: '2' }, occ: NONE,   fallback: NONE,                 chosen: 'CHACHA20-POLY1305' },
    { name: 'IV_CIPHERS without ours, whatever else',  info: { IV_CIPHERS: 'AES-128-CBC', IV_NCP: '2' }, occ: 'AES-256-GCM', fallback: 'AES-256-GCM',       chosen: NONE },
    { name: 'IV_CIPHERS, empty',                       info: { IV_CIPHERS: '' }, occ: NONE,                                 fallback: 'AES-256-GCM',        chosen: NONE },
    { name: 'IV_NCP alone',                            info: { IV_NCP: '2' },    occ: NONE,                                 fallback: NONE,                 chosen: 'AES-256-GCM' },
    { name: 'IV_NCP above 2',                          info: { IV_NCP: '3' },    occ: NONE,                                 fallback: NONE,                 chosen: 'AES-256-GCM' },
    { name: 'IV_NCP and another OCC: our order',       info: { IV_NCP: '2' },    occ: 'CHACHA20-POLY1305',                  fallback: NONE,                 chosen: 'AES-256-GCM' },
    { name: 'IV_NCP below 2 says nothing',             info: { IV_NCP: '1' },    occ: NONE,                                 fallback: NONE,                 chosen: NONE },
    { name: 'IV_NCP that is no number',                info: { IV_NCP: 'x' },    occ: NONE,                                 fallback: 'AES-128-GCM',        chosen: 'AES-128-GCM' },
    { name: 'OCC: ours',                               info: {},                 occ: 'CHACHA20-POLY1305',                  fallback: NONE,                 chosen: 'CHACHA20-POLY1305' },
    { name: 'OCC: not ours, no silent fallback',       info: {},                 occ: 'BF-CBC',                             fallback: 'AES-256-GCM',        chosen: NONE },
    { name: 'nothing named: the fallback',             info: {},                 occ: NONE,                                 fallback: 'AES-128-GCM',        chosen: 'AES-128-GCM' },
    { name: 'nothing named, no fallback',              info: {},                 occ: NONE,                                 fallback: NONE,                 chosen: NONE },
  ])('$name: $chosen', ({ info, occ, fallback, chosen }) => {
    const cipher = chooseServerCipher({
      dataCiphers: OURS,
      fallback,
      peerInfo: new Map(Object.entries(info)),
      clientOptions: occ,
    });
    expect(cipher?.name).toBe(chosen);
  });

  test('a client of IV_NCP=2 may have its own cipher too', () => {
    const facts = { fallback: NONE, peerInfo: new Map([['IV_NCP', '2']]) };
    const dataCiphers = ['AES-256-CBC', 'AES-256-GCM'];
    const choose = (clientOptions: string | undefined) =>
      chooseServerCipher({ ...facts, dataCiphers, clientOptions })?.name;
    expect(choose('AES-256-CBC')).toBe('AES-256-CBC');
    expect(choose('BF-CBC')).toBe('AES-256-GCM');
    expect(choose(NONE)).toBe('AES-256-GCM');
  });
});

describe('negotiatesCipher', () => {
  test.each([
    { name: 'a list of ciphers', lines: [['IV_CIPHERS', 'AES-256-GCM']], does: true },
    { name: 'IV_NCP alone', lines: [['IV_NCP', '2']], does: true },
    { name: 'neither', lines: [['IV_PROTO', '2']], does: false },
  ] as const)('$name: $does', ({ lines, does }) => {
    expect(negotiatesCipher(new Map(lines))).toBe(does);
  });
});
