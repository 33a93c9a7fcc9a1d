import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contentHash } from './content.ts';
import { describeWithKernel } from './describe-with-kernel.ts';
import { downloadFromKernel, downloadFromUs } from './exchange.ts';
import { KernelPeer, type KernelPeerOptions } from './kernel-peer.ts';
import { Nginx } from './nginx.ts';
import { PcapTap, packetsLike } from './pcap-tap.ts';
import { KERNEL } from './tun-end.ts';

const BYTES = 4_000_000;
const TIMEOUT_MS = 60_000;

/** The kernel sends its last segment again when a busy machine makes us late: not here. */
const PATIENT = { 'ipv4.tcp_early_retrans': 0 };

/** What must not be found, whatever the line does. */
const FAULTS = {
  malformed: '_ws.malformed',
  'bad checksum': `(${badChecksum('ip', 'tcp', 'udp', 'icmp', 'icmpv6')}) && !(${mangledZero()})`,
};

/** What a good line gives no reason for. */
const REPAIRS = {
  repeated: analysis('retransmission', 'fast_retransmission', 'spurious_retransmission', 'rto'),
  'out of order': analysis('out_of_order', 'lost_segment', 'ack_lost_segment'),
  'acknowledged again': analysis('duplicate_ack'),
};

const LINES: readonly ({ readonly name: string } & KernelPeerOptions)[] = [
  { name: 'a good line', mtu: 1500 },
  { name: 'a good line of MTU 576', mtu: 576 },
  { name: 'a good line of MTU 9000', mtu: 9000 },
  { name: 'a long line', line: { delayMs: 10 } },
];

describeWithKernel('our packets and the kernel’s in the eyes of Wireshark', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tundial-pcap-'));
  const nginx = new Nginx();
  const expected = contentHash(BYTES);

  beforeAll(() => nginx.addFile(BYTES));
  afterAll(() => {
    nginx.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  describe.each(LINES)('over $name', ({ name, ...options }) => {
    test('nothing is malformed, wrong, or sent twice', { timeout: TIMEOUT_MS }, async () => {
      const families = options.mtu === 576 ? (['ipv4'] as const) : (['ipv4', 'ipv6'] as const);
      const capture = new PcapTap();
      const peer = await KernelPeer.open({ ...options, sysctl: PATIENT, tap: capture.tap });
      try {
        await nginx.start(peer.space);
        for (const family of families) {
          expect((await downloadFromUs(peer, family, BYTES)).sha256).toBe(expected);
          expect((await downloadFromKernel(peer, family, BYTES)).sha256).toBe(expected);
        }
        expect(peer.dialer.stats.drops).toEqual({});
      } finally {
        await peer.close();
      }
      const file = join(folder, `${name}.pcap`);
      capture.write(file);
      expect(capture.packets).toBeGreaterThan(
        (families.length * 2 * BYTES) / (options.mtu ?? 1500),
      );
      expect(foundIn(file, { ...FAULTS, ...REPAIRS })).toEqual({});
    });
  });
}, ['nginx', 'curl', 'sha256sum', 'tshark']);

/** The packets that match, by the name of the filter; filters that match none are left out. */
function foundIn(file: string, filters: Readonly<Record<string, string>>): object {
  const any = Object.values(filters).join(' || ');
  if (packetsLike(file, any).length === 0) return {};
  const found = Object.entries(filters).map(([name, filter]) => [name, packetsLike(file, filter)]);
  return Object.fromEntries(found.filter(([, packets]) => packets?.length));
}

function badChecksum(...protocols: string[]): string {
  return protocols.map((protocol) => `${protocol}.checksum.status == "Bad"`).join(' || ');
}

/** Linux writes a checksum of 0 as 0xffff in TCP too (`skb_checksum_help`): the same number to RFC 1071. */
function mangledZero(): string {
  return `tcp.checksum == 0xffff && (ip.src == ${KERNEL.ipv4} || ipv6.src == ${KERNEL.ipv6})`;
}

function analysis(...kinds: string[]): string {
  return kinds.map((kind) => `tcp.analysis.${kind}`).join(' || ');
}
