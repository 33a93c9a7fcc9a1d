import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { IpHeader, IpProtocol } from '../../src/netstack/ip-header.ts';
import { parseIpv6, writeFragmentHeader, writeIpv6 } from '../../src/netstack/ipv6.ts';
import { address } from '../sim/netstack-pair.ts';

/** A real router solicitation (vectors/01-plain-udp-aes256gcm, frame 21). */
const CAPTURED =
  '6000000000083afffe80000000000000858745a4f0613546ff02000000000000000000000000000285008c6300000000';

const ADDRESSES = `fd00${'0'.repeat(27)}1fd00${'0'.repeat(27)}2`;

/** A packet whose first next header is `first`, with `rest` behind the fixed header. */
function packetOf(first: string, rest: string): Buffer {
  const length = (rest.length / 2).toString(16).padStart(4, '0');
  return Buffer.from(`60000000${length}${first}40${ADDRESSES}${rest}`, 'hex');
}

const UDP = '00350035000c000001020304';
const PAD6 = '010400000000';

describe('parseIpv6', () => {
  test('reads a captured packet', () => {
    const header = new IpHeader();
    expect(parseIpv6(Buffer.from(CAPTURED, 'hex'), header)).toBe(Drop.NONE);
    expect(header).toMatchObject({
      family: 6,
      protocol: IpProtocol.ICMPV6,
      hopLimit: 255,
      payloadAt: 40,
      payloadLength: 8,
      fragment: false,
    });
    expect(String(header.source())).toBe('fe80::8587:45a4:f061:3546');
    expect(String(header.destination())).toBe('ff02::2');
  });

  const nested = (count: number) => `${`3c00${PAD6}`.repeat(count - 1)}1100${PAD6}`;
  // biome-ignore format: one case a line
  test.each([
    { name: 'no extension', first: '11', rest: UDP, drop: Drop.NONE, at: 40 },
    { name: 'hop-by-hop options', first: '00', rest: `1100${PAD6}${UDP}`, drop: Drop.NONE, at: 48 },
    { name: 'Pad1 only', first: '00', rest: `1100000000000000${UDP}`, drop: Drop.NONE, at: 48 },
    { name: 'hop-by-hop, then destination options', first: '00', rest: `3c00${PAD6}1100${PAD6}${UDP}`, drop: Drop.NONE, at: 56 },
    { name: 'hop-by-hop that is not first', first: '3c', rest: `0000${PAD6}1100${PAD6}${UDP}`, drop: Drop.MALFORMED, at: 0 },
    { name: 'unknown option to skip (00)', first: '3c', rest: `11001e0400000000${UDP}`, drop: Drop.NONE, at: 48 },
    { name: 'unknown option to discard (01)', first: '3c', rest: `11005e0400000000${UDP}`, drop: Drop.MALFORMED, at: 0 },
    { name: 'unknown option to report (10)', first: '3c', rest: `11009e0400000000${UDP}`, drop: Drop.MALFORMED, at: 0 },
    { name: 'option past its header', first: '3c', rest: `1100010500000000${UDP}`, drop: Drop.MALFORMED, at: 0 },
    { name: 'option without its length', first: '3c', rest: `1100010300000001${UDP}`, drop: Drop.MALFORMED, at: 0 },
    { name: 'extension past the packet', first: '3c', rest: `1102${PAD6}${UDP}`, drop: Drop.MALFORMED, at: 0 },
    { name: 'extension that is cut', first: '3c', rest: '110001', drop: Drop.MALFORMED, at: 0 },
    { name: 'routing with no segment left', first: '2b', rest: `1100000000000000${UDP}`, drop: Drop.NONE, at: 48 },
    { name: 'routing type 0 with segments left', first: '2b', rest: `1100000100000000${UDP}`, drop: Drop.MARTIAN, at: 0 },
    { name: 'eight extensions', first: '3c', rest: nested(8) + UDP, drop: Drop.NONE, at: 104 },
    { name: 'nine extensions', first: '3c', rest: nested(9) + UDP, drop: Drop.MALFORMED, at: 0 },
    { name: 'an atomic fragment', first: '2c', rest: `1100000000000007${UDP}`, drop: Drop.NONE, at: 48 },
    { name: 'no next header', first: '3b', rest: '', drop: Drop.NONE, at: 40 },
  ])('$name', ({ first, rest, drop, at }) => {
    const header = new IpHeader();
    expect(parseIpv6(packetOf(first, rest), header)).toBe(drop);
    if (drop !== Drop.NONE) return;
    expect(header.payloadAt).toBe(at);
    expect(header.fragment).toBe(false);
    expect(header.protocol).toBe(first === '3b' ? 59 : IpProtocol.UDP);
  });

  test('reads a fragment header behind another extension', () => {
    const header = new IpHeader();
    const packet = packetOf('00', `2c00${PAD6}1100000901020304${UDP}`);
    expect(parseIpv6(packet, header)).toBe(Drop.NONE);
    expect(header).toMatchObject({
      fragment: true,
      moreFragments: true,
      fragmentOffset: 8,
      identification: 0x0102_0304,
      nextHeaderAt: 40,
      unfragmentableLength: 48,
      payloadAt: 56,
      protocol: IpProtocol.UDP,
    });
  });

  test.each(['source', 'destination'])('refuses a mapped IPv4 address as %s', (place) => {
    const mapped = `${'0'.repeat(20)}ffff0a080001`;
    const own = `fd00${'0'.repeat(27)}2`;
    const pair = place === 'source' ? mapped + own : own + mapped;
    const packet = Buffer.from(`6000000000001140${pair}`, 'hex');
    expect(parseIpv6(packet, new IpHeader())).toBe(Drop.MARTIAN);
  });

  test('refuses any cut, and skips bytes behind the payload', () => {
    const packet = packetOf('11', UDP);
    for (let length = 0; length < packet.length; length += 1) {
      expect(parseIpv6(packet.subarray(0, length), new IpHeader())).toBe(Drop.MALFORMED);
    }
    const header = new IpHeader();
    expect(parseIpv6(Buffer.concat([packet, Buffer.alloc(9)]), header)).toBe(Drop.NONE);
    expect(header.payloadLength).toBe(12);
  });

  test('no bytes make it throw or read past the end', () => {
    const first = fc.constantFrom(0, 43, 44, 60, 17, 58, 255);
    fc.assert(
      fc.property(first, fc.uint8Array({ maxLength: 120 }), (next, tail) => {
        const packet = packetOf(
          next.toString(16).padStart(2, '0'),
          Buffer.from(tail).toString('hex'),
        );
        const header = new IpHeader();
        if (parseIpv6(packet, header) !== Drop.NONE) return;
        expect(header.payloadAt + header.payloadLength).toBe(packet.length);
        expect(header.payloadLength).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('writeIpv6', () => {
  test('is read back as it was written, with its fragment header', () => {
    const [source, destination] = [address('fd00::1'), address('2001:db8::9')];
    const packet = Buffer.alloc(40 + 8 + 24);
    writeIpv6(packet, 44, source, destination, 0xa_bcde);
    writeFragmentHeader(packet, 17, 1448, true, 0xfedc_ba98);
    const header = new IpHeader();
    expect(parseIpv6(packet, header)).toBe(Drop.NONE);
    expect(packet.readUInt32BE(0)).toBe(0x600a_bcde);
    expect(header.source().equals(source)).toBe(true);
    expect(header.destination().equals(destination)).toBe(true);
    expect(header).toMatchObject({
      fragment: true,
      fragmentOffset: 1448,
      moreFragments: true,
      identification: 0xfedc_ba98,
      payloadLength: 24,
      protocol: 17,
    });
  });
});
