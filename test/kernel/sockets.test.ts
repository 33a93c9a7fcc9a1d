import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { TunListenOptions } from '../../src/dialer/listen-arguments.ts';
import type { TunSocket } from '../../src/dialer/tun-socket.ts';
import { inPackage } from '../lab/package-root.ts';
import { describeWithKernel } from './describe-with-kernel.ts';
import { KernelPeer, type KernelPeerOptions } from './kernel-peer.ts';
import { KERNEL, OURS } from './tun-end.ts';

const PORT = 7000;
const SCRIPT = inPackage('test/kernel/kernel-sockets.js');

describeWithKernel('sockets between the kernel and us', () => {
  let peer: KernelPeer | undefined;
  afterEach(async () => {
    await peer?.close();
    peer = undefined;
  });

  async function open(options: KernelPeerOptions = {}): Promise<KernelPeer> {
    peer = await KernelPeer.open(options);
    return peer;
  }

  /** A server of `kernel-sockets.js` on {@link PORT}. */
  async function kernelServer(...what: string[]): Promise<KernelPeer> {
    const { space } = await open();
    const [kind = '', ...args] = what;
    const script = [process.execPath, SCRIPT, kind, `${PORT}`, ...args];
    await space.start(script).until('ready');
    return peer as KernelPeer;
  }

  /** What clients of `kernel-sockets.js` hear of a server of ours. */
  async function kernelClients(
    { space, dialer }: KernelPeer,
    count: number,
    bytes: number,
    options: TunListenOptions = {},
  ): Promise<{ answer: string }[]> {
    const server = dialer.listen({ ...options, allowHalfOpen: true }, (socket) => {
      void answerHash(socket);
    });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const args = [OURS.ipv4, port, count, bytes].map(String);
    const { stdout } = await space.finished([process.execPath, SCRIPT, 'clients', ...args]);
    server.close();
    return JSON.parse(stdout) as { answer: string }[];
  }

  describe('half-close', () => {
    test.each(['ipv4', 'ipv6'] as const)('ours, and the kernel answers, %s', async (family) => {
      const { dialer } = await kernelServer('hash', '0');
      const sent = Buffer.alloc(1_000_000, 'ours');
      const target = { host: KERNEL[family], port: PORT, allowHalfOpen: true };
      const socket = dialer.connect(target);
      socket.end(sent);
      expect(await textOf(socket)).toBe(`${sent.length} ${sha256(sent)}`);
      expect(dialer.stats.drops).toEqual({});
    });

    test("the kernel's, and we answer", async () => {
      const [client] = await kernelClients(await open(), 1, 1_000_000);
      expect(client?.answer).toBe(`1000000 ${sha256(Buffer.alloc(1_000_000, 'kernel'))}`);
    });
  });

  test('a closed window holds us back, and its opening is heard', async () => {
    const { dialer } = await kernelServer('hash', '1500');
    const sent = Buffer.alloc(16_000_000, 'ours');
    const socket = dialer.connect({ host: KERNEL.ipv4, port: PORT, allowHalfOpen: true });
    socket.end(sent);
    await once(socket, 'connect');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(socket.tcpInfo()?.sndWnd).toBeLessThan(socket.tcpInfo()?.mss ?? 0);
    expect(await textOf(socket)).toBe(`${sent.length} ${sha256(sent)}`);
    expect(socket.tcpInfo()?.timeouts ?? 0).toBe(0);
  });

  test('a reset of the kernel is ECONNRESET', async () => {
    const { dialer } = await kernelServer('reset');
    const socket = dialer.connect({ host: KERNEL.ipv4, port: PORT });
    socket.write('any');
    await expect(once(socket, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('a port where nobody listens is ECONNREFUSED, both ways', async () => {
    const { dialer, space } = await open();
    const refused = dialer.connect({ host: KERNEL.ipv4, port: PORT });
    await expect(once(refused, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const args = [OURS.ipv4, `${PORT}`, '1', '1'];
    const { stdout } = await space.finished([process.execPath, SCRIPT, 'clients', ...args]);
    expect(JSON.parse(stdout)).toMatchObject([{ answer: 'ECONNREFUSED' }]);
  });

  test('our reset is heard by the kernel', async () => {
    const { dialer, space } = await open();
    const server = dialer.listen({}, (socket) => socket.resetAndDestroy());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const args = [OURS.ipv4, `${port}`, '1', '1'];
    const { stdout } = await space.finished([process.execPath, SCRIPT, 'clients', ...args]);
    expect(JSON.parse(stdout)).toMatchObject([{ answer: 'ECONNRESET' }]);
  });

  test('200 connections at once, both ways', async () => {
    const both = await kernelServer('hash', '0');
    const hash = sha256(Buffer.alloc(100_000, 'kernel'));
    const ours = Array.from({ length: 200 }, async () => {
      const socket = both.dialer.connect({ host: KERNEL.ipv4, port: PORT, allowHalfOpen: true });
      socket.end(Buffer.alloc(100_000, 'kernel'));
      return textOf(socket);
    });
    const theirs = kernelClients(both, 200, 100_000, { backlog: 511 });
    const answers = [...(await Promise.all(ours)), ...(await theirs).map(({ answer }) => answer)];
    expect(new Set(answers)).toEqual(new Set([`100000 ${hash}`]));
    expect(answers).toHaveLength(400);
  });

  test('more calls at once than the backlog are all answered', async () => {
    const far = await open({ line: { delayMs: 50 } });
    const clients = await kernelClients(far, 24, 1000, { backlog: 4 });
    const hash = sha256(Buffer.alloc(1000, 'kernel'));
    expect(clients.map(({ answer }) => answer)).toEqual(Array(24).fill(`1000 ${hash}`));
  });
});

/** The server's part of `hash`. */
async function answerHash(socket: TunSocket): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  await once(socket, 'end');
  socket.end(`${bytes} ${hash.digest('hex')}`);
}

async function textOf(socket: TunSocket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
