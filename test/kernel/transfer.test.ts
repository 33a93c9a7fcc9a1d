import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contentHash } from './content.ts';
import { describeWithKernel } from './describe-with-kernel.ts';
import { type Downloaded, downloadFromKernel, downloadFromUs } from './exchange.ts';
import { KernelPeer } from './kernel-peer.ts';
import { Nginx } from './nginx.ts';

const { CI, TUNDIAL_KERNEL_BYTES } = process.env;
/** A gigabyte in CI; as much as wanted by `TUNDIAL_KERNEL_BYTES`. */
const BYTES = Number(TUNDIAL_KERNEL_BYTES ?? (CI === undefined ? 2 ** 27 : 2 ** 30));
const TIMEOUT_MS = 120_000;

describeWithKernel('a long transfer with the kernel', () => {
  const nginx = new Nginx();
  const expected = contentHash(BYTES);
  let peer: KernelPeer;

  beforeAll(async () => {
    nginx.addFile(BYTES);
    peer = await KernelPeer.open();
    await nginx.start(peer.space);
  });
  afterAll(async () => {
    await peer.close();
    nginx.remove();
  });

  describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
    test('nginx to node:http over our TCP', { timeout: TIMEOUT_MS }, async () => {
      const download = await downloadFromKernel(peer, family, BYTES);
      tell(`nginx to us, ${family}`, download);
      expect(download.sha256).toBe(expected);
    });

    test('node:http over our TCP to curl', { timeout: TIMEOUT_MS }, async () => {
      const download = await downloadFromUs(peer, family, BYTES);
      tell(`us to curl, ${family}`, download);
      expect(download.sha256).toBe(expected);
    });
  });
}, ['nginx', 'curl', 'sha256sum']);

/** What was measured, for whoever watches. */
function tell(name: string, { elapsedMs, cpuMs }: Downloaded): void {
  const rate = `${((BYTES * 8) / 1000 / elapsedMs).toFixed(0)} Mbit/s`;
  const cpu = `${((cpuMs * 1e6) / BYTES).toFixed(1)} CPU ms/MB`;
  process.stderr.write(`${name}: ${BYTES} bytes in ${elapsedMs.toFixed(0)} ms, ${rate}, ${cpu}\n`);
}
