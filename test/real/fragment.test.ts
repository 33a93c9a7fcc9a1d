import { afterEach, expect, test } from 'vitest';
import type { Background } from '../lab/commands.ts';
import { describeInLab } from '../lab/describe-in-lab.ts';
import { dissect } from '../lab/tshark.ts';

const PAGE_BYTES = 3_000_000;
const FRAGMENT = 1200;
const UDP_HEADER_BYTES = 8;

/** What server and client say beside `fragment 1200`; segments are cut for it only where they do not say otherwise. */
const ROWS: readonly {
  readonly name: string;
  readonly cipher?: string;
  readonly auth?: string;
  readonly lines: readonly string[];
}[] = [
  { name: 'segments that fit', lines: [] },
  { name: 'segments in parts', lines: ['mssfix 0'] },
  { name: 'segments in parts, framed', lines: ['mssfix 0', 'comp-lzo no'] },
  { name: 'segments in parts, swapped', lines: ['mssfix 0', 'compress'] },
  {
    name: 'segments in parts, AES-256-CBC',
    cipher: 'AES-256-CBC',
    auth: 'SHA256',
    lines: ['mssfix 0'],
  },
];

describeInLab('fragment', (lab) => {
  afterEach(() => lab.quiet());

  test.each(ROWS)('$name: pings and a page pass, no datagram is longer', async (row) => {
    const { name, cipher = 'AES-256-GCM', auth } = row;
    const lines = [`fragment ${FRAGMENT}`, ...row.lines];
    const kind = { cipher, auth };
    const web = await lab.startWeb();
    const path = `/bytes/${PAGE_BYTES}`;
    const server = await lab.startServer(kind, { lines });
    const capture = await lab.capture('fragment.pcap');

    const outcome = await lab
      .openTunnels([
        {
          name,
          profile: lab.profile(kind, { lines }),
          url: web.url(path),
          pings: [32, 1100, 1160, 1400, 1472],
        },
      ])
      .outcome(name);

    await capture.stop();
    expect(outcome.error).toBeUndefined();
    expect(outcome.pings).toEqual([true, true, true, true, true]);
    expect(outcome.sha256).toBe(await web.sha256(path));
    expect(warnings(server)).toEqual([]);
    const lengths = datagramLengths(capture.file);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(FRAGMENT);
    expect(lengths.length).toBeGreaterThan(PAGE_BYTES / FRAGMENT);
  });

  test('a server without fragment does not understand us, nor we it', async () => {
    await lab.startServer();
    const outcome = await lab
      .openTunnels([
        { name: 'one end', profile: lab.profile({}, { lines: ['fragment 1200'] }), pings: [32] },
      ])
      .outcome('one end');
    expect(outcome.pings).toEqual([false]);
  });
});

/** What OpenVPN says of options that differ, or of parts that it cannot read. */
function warnings(server: Background): string[] {
  return server.stdout
    .split('\n')
    .filter((line) => /used inconsistently|FRAG|present in (local|remote)/.test(line));
}

/** Payloads of the datagrams with data. Unit: bytes. */
function datagramLengths(file: string): number[] {
  const packets = dissect(file, ['udp.length'], { filter: 'openvpn.opcode == 9' });
  return packets.map(({ 'udp.length': [length] }) => Number(length) - UDP_HEADER_BYTES);
}
