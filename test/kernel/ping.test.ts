import { expect, test } from 'vitest';
import { describeWithKernel } from './describe-with-kernel.ts';
import { KernelPeer } from './kernel-peer.ts';
import { KERNEL, OURS } from './tun-end.ts';

describeWithKernel('ping and the kernel', () => {
  test.each(['ipv4', 'ipv6'] as const)('%s both ways', async (family) => {
    const peer = await KernelPeer.open();
    try {
      for await (const { error } of peer.dialer.ping(KERNEL[family], {
        count: 2,
        intervalMs: 10,
      })) {
        expect(error).toBeUndefined();
      }
      const ping = ['ping', '-c', '3', '-i', '0.01', '-s', '1400', OURS[family]];
      expect((await peer.space.finished(ping)).stdout).toContain('3 received');
    } finally {
      await peer.close();
    }
  });
}, ['ping']);
