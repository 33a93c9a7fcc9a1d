import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { contentOf } from './content.ts';
import type { KernelPeer } from './kernel-peer.ts';
import { KERNEL, OURS } from './tun-end.ts';

/** What a download gave, and how fast. */
export interface Downloaded {
  readonly sha256: string;
  readonly elapsedMs: number;
  /** Processor time of this process. Unit: milliseconds. */
  readonly cpuMs: number;
}

/** `/BYTES` of nginx, by `node:http` over our TCP. */
export function downloadFromKernel(
  peer: KernelPeer,
  family: 'ipv4' | 'ipv6',
  bytes: number,
): Promise<Downloaded> {
  return measured(async () => {
    const agent = peer.dialer.agent({ keepAlive: false });
    const request = http.get({ host: KERNEL[family], port: 80, path: `/${bytes}`, agent });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const hash = createHash('sha256');
    for await (const chunk of response) hash.update(chunk as Buffer);
    return hash.digest('hex');
  });
}

/** The same content, by `curl` in the kernel's namespace, from a `node:http` server over our TCP. */
export async function downloadFromUs(
  peer: KernelPeer,
  family: 'ipv4' | 'ipv6',
  bytes: number,
): Promise<Downloaded> {
  const server = http.createServer((_request, response) => {
    response.setHeader('content-length', bytes);
    // What curl did not get, its hash tells.
    pipeline(Readable.from(contentOf(bytes)), response).catch(() => {});
  });
  const listener = peer.dialer.listen({}, (socket) => void server.emit('connection', socket));
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const host = family === 'ipv4' ? OURS.ipv4 : `[${OURS.ipv6}]`;
  try {
    return await measured(async () => {
      const script = `curl -sS --fail --globoff http://${host}:${port}/ | sha256sum`;
      const { stdout, stderr } = await peer.space.finished(['sh', '-c', script]);
      return stderr === '' ? (stdout.split(' ')[0] ?? '') : stderr;
    });
  } finally {
    listener.close();
  }
}

async function measured(download: () => Promise<string>): Promise<Downloaded> {
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  const sha256 = await download();
  const { user, system } = process.cpuUsage(cpu);
  return { sha256, elapsedMs: performance.now() - startedAt, cpuMs: (user + system) / 1000 };
}
