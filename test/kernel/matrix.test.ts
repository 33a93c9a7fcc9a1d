import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contentHash } from './content.ts';
import { describeWithKernel } from './describe-with-kernel.ts';
import { downloadFromKernel, downloadFromUs } from './exchange.ts';
import { KernelPeer } from './kernel-peer.ts';
import { Nginx } from './nginx.ts';

const GOOD_BYTES = 4_000_000;
const BAD_BYTES = 200_000;
const TIMEOUT_MS = 60_000;

/** Everything goes wrong that can. */
const BAD_LINE = {
  delayMs: 5,
  jitterMs: 2,
  lossPercent: 1,
  burst: { beginPercent: 0.2, endPercent: 50 },
  reorderPercent: 2,
  reorderMs: 4,
  duplicatePercent: 1,
  corruptPercent: 1,
} as const;

/** What the kernel's side is like. */
const KERNELS = [
  { name: 'as it comes', sysctl: {} },
  { name: 'without SACK', sysctl: { 'ipv4.tcp_sack': 0 } },
  { name: 'without timestamps', sysctl: { 'ipv4.tcp_timestamps': 0 } },
  { name: 'without window scaling', sysctl: { 'ipv4.tcp_window_scaling': 0 } },
  {
    name: 'without any of them',
    sysctl: { 'ipv4.tcp_sack': 0, 'ipv4.tcp_timestamps': 0, 'ipv4.tcp_window_scaling': 0 },
  },
  { name: 'with reno', sysctl: { 'ipv4.tcp_congestion_control': 'reno' } },
  { name: 'with bbr', sysctl: { 'ipv4.tcp_congestion_control': 'bbr' } },
  { name: 'that asks for ECN', sysctl: { 'ipv4.tcp_ecn': 1 } },
  {
    name: 'with small windows',
    sysctl: { 'ipv4.tcp_rmem': '4096 4096 4096', 'ipv4.tcp_wmem': '4096 4096 4096' },
  },
  { name: 'at MTU 576', sysctl: {}, mtu: 576 },
  { name: 'at MTU 1280', sysctl: {}, mtu: 1280 },
  { name: 'at MTU 9000', sysctl: {}, mtu: 9000 },
];

const LINES = [
  { name: 'a good line', bytes: GOOD_BYTES },
  { name: 'a bad line', bytes: BAD_BYTES, line: BAD_LINE },
];

describeWithKernel('transfers with a kernel', () => {
  const nginx = new Nginx();
  const hashes = new Map([GOOD_BYTES, BAD_BYTES].map((bytes) => [bytes, contentHash(bytes)]));

  beforeAll(() => {
    for (const bytes of hashes.keys()) nginx.addFile(bytes);
  });
  afterAll(() => nginx.remove());

  describe.each(LINES)('over $name', ({ bytes, line }) => {
    test.each(KERNELS)('$name', { timeout: TIMEOUT_MS }, async ({ sysctl, mtu = 1500 }) => {
      const peer = await KernelPeer.open({ sysctl, mtu, ...(line && { line }) });
      try {
        await nginx.start(peer.space);
        for (const family of mtu < 1280 ? (['ipv4'] as const) : (['ipv4', 'ipv6'] as const)) {
          const up = await downloadFromUs(peer, family, bytes);
          const down = await downloadFromKernel(peer, family, bytes);
          expect([up.sha256, down.sha256]).toEqual([hashes.get(bytes), hashes.get(bytes)]);
        }
      } finally {
        await peer.close();
      }
    });
  });
}, ['nginx', 'curl', 'sha256sum']);
