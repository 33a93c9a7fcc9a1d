import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Link } from '../../src/networkio/link.ts';
import type { ResolvedRemote } from '../../src/networkio/remote.ts';
import { StreamLink } from '../../src/networkio/stream-link.ts';
import { connectTcp } from '../../src/networkio/tcp-link.ts';
import { linkContract } from '../contract/link.ts';
import { RecordingPort } from './recording-port.ts';

async function serverOn(address: string): Promise<{ server: Server; remote: ResolvedRemote }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const family = address.includes(':') ? 6 : 4;
  return { server, remote: { protocol: 'tcp', address, port, family, host: address } };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

async function connectedPair(address: string) {
  const { server, remote } = await serverOn(address);
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const near = await connectTcp(remote);
  const socket = await accepted;
  return { near, socket, stop: () => closed(server) };
}

for (const address of ['127.0.0.1', '::1']) {
  linkContract(`connectTcp to ${address}`, async () => {
    const { near, socket, stop } = await connectedPair(address);
    return { near, far: new StreamLink(socket), stop };
  });
}

describe('connectTcp', () => {
  const open: { near: Link; stop: () => Promise<void> }[] = [];
  afterEach(async () => {
    for (const { near, stop } of open.splice(0)) {
      await near.close();
      await stop();
    }
  });

  test('a refused connection is OVPN_UNREACHABLE with its cause', async () => {
    const { server, remote } = await serverOn('127.0.0.1');
    await closed(server);
    await expect(connectTcp(remote)).rejects.toMatchObject({
      name: 'OvpnNetworkError',
      code: 'OVPN_UNREACHABLE',
      cause: { code: 'ECONNREFUSED' },
    });
  });

  test('rejects when it is aborted, before and while', async () => {
    const { server, remote } = await serverOn('127.0.0.1');
    const before = connectTcp(remote, { signal: AbortSignal.abort('no') });
    await expect(before).rejects.toMatchObject({ code: 'OVPN_ABORTED', cause: 'no' });
    const controller = new AbortController();
    const connecting = connectTcp(remote, { signal: controller.signal });
    controller.abort('stop');
    await expect(connecting).rejects.toMatchObject({ code: 'OVPN_ABORTED', cause: 'stop' });
    await closed(server);
  });

  test('the server that hangs up ends the link', async () => {
    const pair = await connectedPair('127.0.0.1');
    open.push(pair);
    const port = new RecordingPort();
    pair.near.open(port);
    pair.socket.end();
    await vi.waitFor(() => expect(port.endCode).toBe('OVPN_LINK_CLOSED'));
  });

  test('a reset in the middle of a frame ends the link as closed', async () => {
    const pair = await connectedPair('127.0.0.1');
    open.push(pair);
    const port = new RecordingPort();
    pair.near.open(port);
    pair.socket.write(Buffer.from([0, 9, 1]), () => pair.socket.resetAndDestroy());
    await vi.waitFor(() => expect(port.endCode).toBe('OVPN_LINK_CLOSED'));
    expect(port.packets).toEqual([]);
  });

  test('one byte a segment makes the same packets', async () => {
    const pair = await connectedPair('127.0.0.1');
    open.push(pair);
    const port = new RecordingPort();
    pair.near.open(port);
    pair.socket.setNoDelay(true);
    for (const byte of Buffer.from('0003aabbcc0001dd', 'hex')) {
      await new Promise<void>((resolve) => pair.socket.write(Buffer.from([byte]), () => resolve()));
    }
    await vi.waitFor(() => {
      expect(port.packets.map((packet) => packet.toString('hex'))).toEqual(['aabbcc', 'dd']);
    });
  });
});
