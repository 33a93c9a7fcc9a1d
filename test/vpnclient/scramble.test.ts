import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { OvpnUsageError } from '../../src/core/errors.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Link } from '../../src/networkio/link.ts';
import { ScrambleLink } from '../../src/networkio/scramble-link.ts';
import { StreamLink } from '../../src/networkio/stream-link.ts';
import { scramble, shapedLink } from '../../src/vpnclient/scramble.ts';
import { duplexPair } from '../networkio/duplex-pair.ts';

const { signal } = new AbortController();

function remoteOf(protocol: 'udp' | 'tcp', port: number) {
  return { host: '127.0.0.1', port, protocol, family: 0 } as const;
}

describe('scramble', () => {
  test('opens a UDP socket of its own', async () => {
    const server = createSocket('udp4').bind(0, '127.0.0.1');
    await once(server, 'listening');
    const pipe = await scramble({ mode: 'xormask', key: 'k' })(
      remoteOf('udp', server.address().port),
      {
        signal,
      },
    );
    if (pipe instanceof Duplex) return expect.fail();
    pipe.send(Buffer.from('abc'));
    const [wire, { port }] = (await once(server, 'message')) as [Buffer, { port: number }];
    expect(wire).toEqual(Buffer.from('0a0908', 'hex'));
    const answer = new Promise((resolve) => pipe.on('message', resolve));
    server.send(Buffer.from('0a0908', 'hex'), port, '127.0.0.1');
    expect(await answer).toEqual(Buffer.from('abc'));
    pipe.close();
    server.close();
  });

  test('opens a TCP socket of its own', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') return expect.fail();
    const connected = once(server, 'connection');
    const stream = await scramble({ mode: 'reverse' })(remoteOf('tcp', address.port), { signal });
    if (!(stream instanceof Duplex)) return expect.fail();
    const [socket] = (await connected) as [Duplex];
    stream.write(Buffer.concat([Buffer.of(0, 4), Buffer.from('abcd')]));
    expect(await once(socket, 'data')).toEqual([
      Buffer.concat([Buffer.of(0, 4), Buffer.from('adcb')]),
    ]);
    stream.destroy();
    socket.destroy();
    server.close();
  });

  test('takes another transport for the way', async () => {
    const [near, far] = duplexPair();
    const remote = remoteOf('tcp', 1194);
    const stream = await scramble({ mode: 'reverse' }, (asked) => {
      expect(asked).toBe(remote);
      return near;
    })(remote, { signal });
    if (!(stream instanceof Duplex)) return expect.fail();
    stream.write(Buffer.concat([Buffer.of(0, 4), Buffer.from('abcd')]));
    const [wire] = (await once(far, 'data')) as [Buffer];
    expect(wire.subarray(2).toString()).toBe('adcb');
    stream.destroy();
  });

  test('an address that refuses is an error of the network', async () => {
    const open = scramble({ mode: 'reverse' });
    await expect(open(remoteOf('tcp', 1), { signal })).rejects.toMatchObject({
      code: 'OVPN_UNREACHABLE',
    });
    await expect(open(remoteOf('tcp', 1), { signal: AbortSignal.abort() })).rejects.toBeDefined();
  });

  test('refuses a mode without its key, before it is used', () => {
    expect(() => scramble({ mode: 'obfuscate' })).toThrow(OvpnUsageError);
    expect(() => scramble({ mode: 'xormask', key: '' })).toThrow(OvpnUsageError);
  });
});

describe('shapedLink', () => {
  const link = (): Link => new StreamLink(duplexPair()[0]);

  test('a link stays as it is where the profile says nothing', () => {
    const plain = link();
    expect(shapedLink(plain, { scramble: undefined, fragment: 0 })).toBe(plain);
  });

  test('is disguised where it says so', () => {
    const key = new Secret(Buffer.from('key'));
    const shaped = shapedLink(link(), { scramble: { mode: 'xormask', key }, fragment: 0 });
    expect(shaped).toBeInstanceOf(ScrambleLink);
  });

  test('fragment over a stream is refused, and the stream closed', async () => {
    const [near] = duplexPair();
    const closed = once(near, 'finish');
    expect(() => shapedLink(new StreamLink(near), { scramble: undefined, fragment: 1200 })).toThrow(
      OvpnUsageError,
    );
    await closed;
  });
});
