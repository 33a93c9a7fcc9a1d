import { createSocket } from 'node:dgram';
import { describe, expect, test, vi } from 'vitest';
import { growBuffers } from '../../src/networkio/connect-datagrams.ts';
import { DatagramLink } from '../../src/networkio/datagram-link.ts';
import type { ResolvedRemote } from '../../src/networkio/remote.ts';
import { connectUdp } from '../../src/networkio/udp-link.ts';
import { type LinkPair, linkContract } from '../contract/link.ts';
import { RecordingPort } from './recording-port.ts';

function udpRemote(address: string, port: number): ResolvedRemote {
  return { protocol: 'udp', address, port, family: address.includes(':') ? 6 : 4, host: address };
}

async function pairOn(address: string): Promise<LinkPair> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  await new Promise<void>((resolve) => socket.bind(0, address, () => resolve()));
  const { port } = socket.address();
  const near = await connectUdp(udpRemote(address, port));
  await new Promise<void>((resolve) => socket.connect(near.localPort, address, resolve));
  const far = new DatagramLink(socket, {
    addresses: {
      localAddress: address,
      localPort: port,
      remoteAddress: near.localAddress,
      remotePort: near.localPort,
    },
  });
  return { near, far };
}

linkContract('connectUdp, IPv4', () => pairOn('127.0.0.1'));
linkContract('connectUdp, IPv6', () => pairOn('::1'));

/** A port of loopback where nobody listens. */
async function deadPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

describe('connectUdp', () => {
  test('a refused datagram ends the link as unreachable', async () => {
    const link = await connectUdp(udpRemote('127.0.0.1', await deadPort()));
    const port = new RecordingPort();
    link.open(port);
    link.send(Buffer.alloc(14));
    await vi.waitFor(() => expect(port.errors).toHaveLength(1));
    expect(port.errors[0]).toMatchObject({
      name: 'OvpnNetworkError',
      code: 'OVPN_UNREACHABLE',
      cause: { code: 'ECONNREFUSED' },
    });
    await link.close();
  });

  test('a refusal after the peer has answered leaves the link open', async () => {
    const far = createSocket('udp4');
    await new Promise<void>((resolve) => far.bind(0, '127.0.0.1', () => resolve()));
    const link = await connectUdp(udpRemote('127.0.0.1', far.address().port));
    const port = new RecordingPort();
    link.open(port);
    far.once('message', (packet, from) => far.send(packet, from.port, from.address));
    link.send(Buffer.alloc(14));
    await vi.waitFor(() => expect(link.bytesRead).toBe(14));
    await new Promise<void>((resolve) => far.close(resolve));
    for (let sent = 0; sent < 5; sent += 1) {
      link.send(Buffer.alloc(14));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(port.errors).toEqual([]);
    await link.close();
  });

  test('rejects where no way leads', async () => {
    const broadcast = connectUdp(udpRemote('255.255.255.255', 9));
    await expect(broadcast).rejects.toMatchObject({ code: 'OVPN_UNREACHABLE' });
  });

  test('rejects when it is aborted, before and while', async () => {
    const remote = udpRemote('127.0.0.1', 9);
    const { signal } = new AbortController();
    const aborted = connectUdp(remote, { signal: AbortSignal.abort('no') });
    await expect(aborted).rejects.toMatchObject({ code: 'OVPN_ABORTED', cause: 'no' });
    const controller = new AbortController();
    const connecting = connectUdp(remote, { signal: controller.signal });
    controller.abort('stop');
    await expect(connecting).rejects.toMatchObject({ code: 'OVPN_ABORTED', cause: 'stop' });
    const link = await connectUdp(remote, { signal });
    await link.close();
  });
});

describe('growBuffers', () => {
  test('asks for less until the system grants it, and never fails', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
    const asked: number[] = [];
    socket.setRecvBufferSize = (bytes) => {
      asked.push(bytes);
      if (bytes > 1024 * 1024) throw new Error('no');
    };
    socket.setSendBufferSize = () => {
      throw new Error('never');
    };
    growBuffers(socket);
    expect(asked.map((bytes) => bytes / (1024 * 1024))).toEqual([4, 2, 1]);
    await new Promise<void>((resolve) => socket.close(resolve));
  });
});
