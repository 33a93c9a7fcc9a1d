import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import type { Profile } from '../../src/model/profile.ts';
import { clientSessionOptions } from '../../src/vpnclient/client-session.ts';
import { resolveClientOptions } from '../../src/vpnclient/options.ts';
import { SignIn } from '../../src/vpnclient/sign-in.ts';
import { read } from '../config/sample-profile.ts';
import { SimLink } from '../sim/sim-link.ts';

function session(profile: Profile, ivProto?: number, canAnswer = false) {
  const told: unknown[] = [];
  const options = clientSessionOptions(
    new SimLink(
      { localAddress: '', localPort: 0, remoteAddress: '192.0.2.1', remotePort: 1194 },
      () => {},
    ),
    {
      profile,
      options: resolveClientOptions({
        profile,
        ...(ivProto !== undefined && { ivProto }),
        logger: (...line) => told.push(line),
      }),
      signIn: new SignIn(profile, {}, { challenged: () => {}, listening: () => canAnswer }),
      signal: new AbortController().signal,
      stage: (...stage) => {
        told.push(stage);
      },
      emit: (name, ...[payload]) => {
        told.push([name, payload]);
      },
    },
  );
  return { options, told };
}

describe('clientSessionOptions', () => {
  test('tells of key id 0 as the client’s own state, of later ones not', () => {
    const { options, told } = session(read());
    options.events.state?.('S_START', 0);
    options.events.state?.('S_START', 1);
    options.events.rekeyed?.(1);
    expect(told).toEqual([
      ['negotiating', 'S_START'],
      ['rekey', { keyId: 1 }],
    ]);
  });

  test('asks a new session id for every session', () => {
    const ids = [session(read()), session(read())].map(({ options }) =>
      options.stack.muxer.localSessionId.toString('hex'),
    );
    expect(ids[0]).toHaveLength(16);
    expect(ids[0]).not.toBe(ids[1]);
  });
});

describe('what the client says of itself', () => {
  const handshakeOf = (profile: Profile, ivProto?: number) => {
    const tls = session(profile, ivProto).options.stack.tls(() => {});
    if (tls.role !== 'client') throw new Error('expected a client');
    return tls.handshake;
  };

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'all that tundial has',          changes: {},                               ivProto: undefined, announced: 8094 },
    { name: 'what it is told to',            changes: {},                               ivProto: 414,       announced: 414 },
    { name: 'no epochs without AEAD',        changes: { dataCiphers: ['AES-256-CBC'] }, ivProto: undefined, announced: 7070 },
    { name: 'nothing',                       changes: {},                               ivProto: 0,         announced: 0 },
  ])('announces $name', ({ changes, ivProto, announced }) => {
    const handshake = handshakeOf({ ...read(), ...changes }, ivProto);
    expect(handshake.ivProto).toBe(announced);
    expect(handshake.peerInfo.match(/^IV_PROTO=(.*)$/m)?.[1]).toBe(
      announced === 0 ? undefined : String(announced),
    );
  });

  // biome-ignore format: a table, one row a line
  test.each<{ name: string; changes: Partial<Profile>; says: string }>([
    { name: 'its cipher',               changes: { cipher: 'AES-128-GCM', dataCiphers: ['AES-128-GCM'] },      says: ',cipher AES-128-GCM,auth [null-digest],' },
    { name: 'no cipher',                changes: { cipher: undefined },                                        says: ',auth SHA1,keysize 128,' },
    { name: 'a fallback by its size',   changes: { cipher: undefined, dataCiphersFallback: 'AES-256-CBC' },    says: ',auth SHA1,keysize 256,' },
    { name: 'its digest',               changes: { auth: 'SHA512' },                                           says: ',auth SHA512,' },
    { name: 'its framing',              changes: { compression: 'stub-v2' },                                   says: ',comp-lzo,' },
    { name: 'tls-auth',                 changes: { wrap: { kind: 'tls-auth', key: new Secret(Buffer.alloc(256)), direction: 1, digest: 'SHA1' } }, says: ',keydir 1,auth SHA1,keysize 128,tls-auth,' },
  ])('names $name in the options string', ({ changes, says }) => {
    expect(handshakeOf({ ...read(), ...changes }).optionsString).toContain(says);
  });

  test.each([
    { canAnswer: true, lines: 'IV_SSO=webauth,crtext\n' },
    { canAnswer: false, lines: 'IV_COMP_STUBv2=1\n' },
  ])('announces what somebody can answer: $canAnswer', ({ canAnswer, lines }) => {
    const tls = session(read(), undefined, canAnswer).options.stack.tls(() => {});
    if (tls.role !== 'client') throw new Error('expected a client');
    expect(tls.handshake.peerInfo.endsWith(lines)).toBe(true);
  });

  test('leaves room for its wrapped key in the first packet', () => {
    const wrappedKey = Buffer.alloc(299);
    wrappedKey.writeUInt16BE(299, 297);
    const wrap = { kind: 'tls-crypt-v2', key: new Secret(Buffer.alloc(256)), wrappedKey } as const;
    const { firstChunkBytes, maxChunkBytes } = session({ ...read(), wrap }).options.stack.tls(
      () => {},
    );
    expect(maxChunkBytes - firstChunkBytes).toBe(299);
  });

  test('has no wrap for renegotiations before key id 0 has settled', () => {
    const { options } = session(read());
    const { wrapFor } = options.stack.muxer;
    expect(wrapFor(0)).toBeDefined();
    expect(wrapFor(1)).toBeUndefined();
    options.wraps.settle(Buffer.alloc(256, 7));
    expect(wrapFor(1)).toBeDefined();
    expect(wrapFor(1)).not.toBe(wrapFor(0));
    expect(wrapFor(7)).toBe(wrapFor(1));
  });
});
