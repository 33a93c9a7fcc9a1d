import { describe, expect, test } from 'vitest';
import { parseStaticKey } from '../../src/config/static-key.ts';
import { TlsCryptV2ServerKey } from '../../src/packetmuxer/tls-crypt-v2.ts';
import { createThrowAwayWrap, WRAP_KINDS } from '../../src/server/throw-away-wrap.ts';

const FACTS = { digest: 'SHA256', unixSeconds: 1_800_000_000 };

describe('createThrowAwayWrap', () => {
  test.each(WRAP_KINDS)('%s: makes a server side of that kind', (kind) => {
    expect(createThrowAwayWrap(kind, FACTS).server.kind).toBe(kind);
  });

  test('none: has no keys', () => {
    expect(createThrowAwayWrap('none', FACTS)).toEqual({
      server: { kind: 'none' },
      client: { tlsCryptKey: undefined },
    });
  });

  test('tls-auth: one key, the server with direction 0 and the digest', () => {
    const { server, client } = createThrowAwayWrap('tls-auth', FACTS);
    if (server.kind !== 'tls-auth') throw new Error('another kind');
    expect(server).toMatchObject({ direction: 0, digest: 'SHA256' });
    expect(parseStaticKey(client.tlsAuthKey ?? '')).toEqual(server.key.reveal());
    expect(client.tlsCryptKey).toBeUndefined();
  });

  test('tls-crypt: one key', () => {
    const { server, client } = createThrowAwayWrap('tls-crypt', FACTS);
    if (server.kind !== 'tls-crypt') throw new Error('another kind');
    expect(parseStaticKey(client.tlsCryptKey ?? '')).toEqual(server.key.reveal());
  });

  test('tls-crypt-v2: the server opens the client’s key', () => {
    const { server, client } = createThrowAwayWrap('tls-crypt-v2', FACTS);
    if (server.kind !== 'tls-crypt-v2') throw new Error('another kind');
    const body = Buffer.from((client.tlsCryptV2Key ?? '').replace(/-----.*-----/g, ''), 'base64');
    const opened = new TlsCryptV2ServerKey(server.serverKey.reveal()).unwrap(body.subarray(256));
    if (typeof opened === 'number') throw new Error('the server cannot open it');
    expect(opened.key).toEqual(body.subarray(0, 256));
  });

  test.each(WRAP_KINDS)('%s: is another one each time', (kind) => {
    const [one, two] = [createThrowAwayWrap(kind, FACTS), createThrowAwayWrap(kind, FACTS)];
    if (kind === 'none') expect(one).toEqual(two);
    else expect(one.client).not.toEqual(two.client);
  });
});
