import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPushOptions } from '../../src/config/push-reply.ts';
import { segmentLimit, tunnelInfo } from '../../src/session/tunnel-info.ts';

const FACTS = {
  cipher: 'AES-128-GCM',
  peerId: 3,
  tlsVersion: 'TLSv1.3',
  remoteAddress: '192.0.2.1',
  remotePort: 1194,
  protocol: 'udp',
} as const;
const DEFAULTS = { tunMtu: 1500, mssfix: 1492 };
/** DATA_V2 header, packet id and AEAD tag. */
const OVERHEAD = 24;

describe('tunnelInfo', () => {
  test('is what was pushed, and what the profile says where nothing was', () => {
    const push = readPushOptions([
      'topology subnet',
      'route-gateway 10.8.0.1',
      'ifconfig 10.8.0.6 255.255.255.0',
      'ifconfig-ipv6 fd00::6/64 fd00::1',
      'dhcp-option DNS 10.8.0.1',
      'dhcp-option DOMAIN example.test',
      'tun-mtu 1400',
    ]);
    const info = tunnelInfo(push, FACTS, DEFAULTS, OVERHEAD);
    expect(info).toEqual({
      ...FACTS,
      ipv4: { address: '10.8.0.6', prefixLength: 24 },
      ipv6: { address: 'fd00::6', prefixLength: 64 },
      gateway: '10.8.0.1',
      gateway6: 'fd00::1',
      routes: [],
      redirect: undefined,
      blockIpv4: false,
      blockIpv6: false,
      dnsServers: ['10.8.0.1'],
      nameServers: [{ address: '10.8.0.1' }],
      searchDomains: ['example.test'],
      mtu: 1400,
      mss: 1360,
    });
    expect(Object.isFrozen(info)).toBe(true);
    expect(
      tunnelInfo(readPushOptions(['ifconfig 10.8.0.6 10.8.0.5']), FACTS, DEFAULTS, 60),
    ).toMatchObject({ mtu: 1500, mss: 1364, ipv6: undefined, gateway: '10.8.0.5' });
  });
});

describe('segmentLimit', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'UDP over IPv4',            mtu: 1500, mssfix: 1492, protocol: 'udp', remoteAddress: '192.0.2.1',   mss: 1400 },
    { name: 'UDP over IPv6',            mtu: 1500, mssfix: 1492, protocol: 'udp', remoteAddress: '2001:db8::1', mss: 1380 },
    { name: 'TCP over IPv4',            mtu: 1500, mssfix: 1492, protocol: 'tcp', remoteAddress: '192.0.2.1',   mss: 1386 },
    { name: 'TCP over IPv6',            mtu: 1500, mssfix: 1492, protocol: 'tcp', remoteAddress: '2001:db8::1', mss: 1366 },
    { name: 'mssfix off: the mtu',      mtu: 1500, mssfix: 0,    protocol: 'udp', remoteAddress: '192.0.2.1',   mss: 1460 },
    { name: 'a smaller mtu counts',     mtu: 1200, mssfix: 1492, protocol: 'udp', remoteAddress: '192.0.2.1',   mss: 1160 },
    { name: 'never below 536',          mtu: 1500, mssfix: 300,  protocol: 'udp', remoteAddress: '192.0.2.1',   mss: 536 },
  ] as const)('$name: $mss', ({ mtu, mssfix, mss, ...link }) => {
    expect(segmentLimit(mtu, mssfix, link, OVERHEAD)).toBe(mss);
  });

  test.each([
    { name: 'DATA_V1, GCM', overheadBytes: 21, mss: 1403 },
    { name: 'DATA_V2, GCM', overheadBytes: 24, mss: 1400 },
    { name: 'epochs', overheadBytes: 28, mss: 1396 },
    { name: 'CBC and SHA256 with a framing byte', overheadBytes: 73, mss: 1351 },
  ])('is less by what a data packet has more: $name', ({ overheadBytes, mss }) => {
    const link = { protocol: 'udp', remoteAddress: '192.0.2.1' } as const;
    expect(segmentLimit(1500, 1492, link, overheadBytes)).toBe(mss);
  });

  test('never lets a segment be longer than the mtu', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 600, max: 9000 }),
        fc.integer({ min: 0, max: 9000 }),
        fc.constantFrom('udp' as const, 'tcp' as const),
        (mtu, mssfix, protocol) => {
          const link = { protocol, remoteAddress: '192.0.2.1' };
          const mss = segmentLimit(mtu, mssfix, link, OVERHEAD);
          expect(mss).toBeGreaterThanOrEqual(536);
          expect(mss + 40).toBeLessThanOrEqual(Math.max(mtu, 576));
        },
      ),
    );
  });
});
