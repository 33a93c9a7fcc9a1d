import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import type { Credentials } from '../../src/model/credentials.ts';
import type { Profile } from '../../src/model/profile.ts';
import type { ControlMessage } from '../../src/tlsstate/control-message.ts';
import { clientSessionOptions, requireCredentials } from '../../src/vpnclient/client-session.ts';
import { resolveClientOptions } from '../../src/vpnclient/options.ts';
import { read } from '../config/sample-profile.ts';
import { SimLink } from '../sim/sim-link.ts';

const WITH_PASSWORD = ['<auth-user-pass>', 'ada', 'of the profile', '</auth-user-pass>'];
const WITH_USER_ONLY = ['<auth-user-pass>', 'ada', '</auth-user-pass>'];

function session(profile: Profile, credentials?: Credentials, ivProto?: number) {
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
        ...(credentials && { credentials }),
        ...(ivProto !== undefined && { ivProto }),
        logger: (...line) => told.push(line),
      }),
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

  // biome-ignore format: a table, one row a line
  test.each<{ name: string; message: ControlMessage; told: unknown[] }>([
    { name: 'INFO_PRE',    message: { kind: 'info-pre', text: 'CR_TEXT:R:code\x1b[2J' }, told: [['challenge', { text: 'CR_TEXT:R:code\\x1b[2J' }]] },
    { name: 'INFO',        message: { kind: 'info', text: 'maintenance\n' },             told: [['info', 'tlsstate', 'the server says: maintenance\\x0a']] },
    { name: 'a challenge', message: authFailed('one-time code?'),                        told: [['challenge', { text: 'one-time code?' }]] },
    { name: 'a refusal',   message: authFailed(undefined),                               told: [] },
    { name: 'anything else', message: { kind: 'unknown', text: 'HELLO' },                told: [] },
  ])('tells the user of $name, made printable', ({ message, told }) => {
    const seen = session(read());
    seen.options.events.message?.(message);
    expect(seen.told).toEqual(told);
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
    const tls = session(profile, undefined, ivProto).options.stack.tls(() => {});
    if (tls.role !== 'client') throw new Error('expected a client');
    return tls.handshake;
  };

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'all that tundial has',          changes: {},                               ivProto: undefined, announced: 1950 },
    { name: 'what it is told to',            changes: {},                               ivProto: 414,       announced: 414 },
    { name: 'no epochs without AEAD',        changes: { dataCiphers: ['AES-256-CBC'] }, ivProto: undefined, announced: 926 },
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

describe('credentials for the key exchange', () => {
  const asked = async (profile: Profile, credentials?: Credentials) => {
    const tls = session(profile, credentials).options.stack.tls(() => {});
    if (tls.role !== 'client') throw new Error('expected a client');
    const given = await tls.credentials();
    return given && [given.username, given.password.reveal()];
  };

  // biome-ignore format: a table, one row a line
  test.each<{ name: string; lines: string[]; credentials: Credentials | undefined; given: unknown }>([
    { name: 'none',                  lines: [],              credentials: undefined,                                    given: undefined },
    { name: 'the profile’s',         lines: WITH_PASSWORD,   credentials: undefined,                                    given: ['ada', 'of the profile'] },
    { name: 'the caller’s first',    lines: WITH_PASSWORD,   credentials: { username: 'bob', password: 'own' },         given: ['bob', 'own'] },
    { name: 'a callback’s',          lines: [],              credentials: () => ({ username: 'eve', password: 'now' }), given: ['eve', 'now'] },
    { name: 'a slow callback’s',     lines: [],              credentials: async () => ({ username: 'eve', password: 'later' }), given: ['eve', 'later'] },
  ])('are $name', async ({ lines, credentials, given }) => {
    expect(await asked(read(...lines), credentials)).toEqual(given);
  });

  test('a callback that fails is told', async () => {
    const failure = new Error('no terminal');
    await expect(asked(read(), () => Promise.reject(failure))).rejects.toBe(failure);
  });
});

describe('requireCredentials', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'a profile that asks for none',     lines: [] as string[],      credentials: undefined },
    { name: 'a profile that has them',          lines: WITH_PASSWORD,       credentials: undefined },
    { name: 'a caller who has them',            lines: ['auth-user-pass'],  credentials: { username: 'a', password: 'b' } },
    { name: 'a caller who will be asked',       lines: ['auth-user-pass'],  credentials: () => ({ username: 'a', password: 'b' }) },
  ])('is content with $name', ({ lines, credentials }) => {
    expect(() => requireCredentials(read(...lines), credentials)).not.toThrow();
  });

  test.each([
    { name: 'nobody has any', lines: ['auth-user-pass'] },
    { name: 'there is a user without a password', lines: WITH_USER_ONLY },
  ])('fails before anything is sent where $name', ({ lines }) => {
    expect(() => requireCredentials(read(...lines), undefined)).toThrow(
      expect.objectContaining({ code: 'OVPN_CREDENTIALS_MISSING', initiator: 'user' }),
    );
  });
});

function authFailed(challenge: string | undefined): ControlMessage {
  return {
    kind: 'auth-failed',
    reason: undefined,
    temporary: undefined,
    session: false,
    challenge:
      challenge === undefined
        ? undefined
        : {
            echo: true,
            responseRequired: true,
            stateId: new Secret('state'),
            username: 'ada',
            text: challenge,
          },
  };
}
