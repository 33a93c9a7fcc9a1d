import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWithKernel } from './describe-with-kernel.ts';
import { iperf3 } from './iperf3-client.ts';
import { KernelPeer } from './kernel-peer.ts';
import { KERNEL } from './tun-end.ts';

const DURATION_MS = 1500;
/** A sign that it works, not a goal: the machine may be busy. */
const LEAST_MEGABITS = 50;

describeWithKernel('iperf3 in the kernel', () => {
  let peer: KernelPeer;
  let port = 5201;

  beforeAll(async () => {
    peer = await KernelPeer.open();
  });
  afterAll(() => peer.close());

  describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
    test.each([
      { name: 'up', reverse: false, parallel: 1 },
      { name: 'up, eight connections', reverse: false, parallel: 8 },
      { name: 'down, reno', reverse: true, parallel: 1, congestion: 'reno' },
      { name: 'down, cubic', reverse: true, parallel: 1, congestion: 'cubic' },
      { name: 'down, bbr', reverse: true, parallel: 1, congestion: 'bbr' },
      { name: 'down, eight connections', reverse: true, parallel: 8 },
    ])('$name', async ({ name, ...options }) => {
      port += 1;
      const target = { host: KERNEL[family], port };
      // One server a test: it is deaf for a moment between two.
      const server = peer.space.start(['iperf3', '-s', '-1', '-p', `${port}`, '--forceflush']);
      await server.until('listening');
      const result = await iperf3(() => peer.dialer.connect(target), {
        durationMs: DURATION_MS,
        ...options,
      });
      await server.finished(5_000);
      const { megabitsPerSecond, cpuMsPerMegabyte, retransmits } = result;
      expect(megabitsPerSecond).toBeGreaterThan(LEAST_MEGABITS);
      expect(retransmits).toBe(0);
      tell(`iperf3 ${family} ${name}`, megabitsPerSecond, cpuMsPerMegabyte);
    });
  });
}, ['iperf3']);

/** What was measured, for whoever watches. */
function tell(name: string, megabits: number, cpu: number): void {
  process.stderr.write(`${name}: ${megabits.toFixed(0)} Mbit/s, ${cpu.toFixed(1)} CPU ms/MB\n`);
}
