import { describe, expect, test } from 'vitest';
import { sumBytes, sumIsIntact } from '../../../src/netstack/checksum.ts';
import { IpPath } from '../../../src/netstack/ip-path.ts';
import { codepointOf, Ecn, markCapable } from '../../../src/netstack/tcp/ecn.ts';
import { Flag } from '../../../src/netstack/tcp/segment.ts';
import { address } from '../../sim/netstack-pair.ts';

const BOTH = Flag.ECE | Flag.CWR;
const SYN_ACK = Flag.SYN | Flag.ACK;
const UNMARKED = Buffer.from('4500', 'hex');
const CONGESTED = Buffer.from('4503', 'hex');

function agreed(): Ecn {
  const ecn = new Ecn(true);
  ecn.negotiate(SYN_ACK | Flag.ECE, false);
  return ecn;
}

describe('Ecn', () => {
  test.each([
    { name: 'a SYN that asks', offered: true, passive: true, flags: Flag.SYN | BOTH, agreed: true },
    { name: 'not wanted', offered: false, passive: true, flags: Flag.SYN | BOTH, agreed: false },
    { name: 'a plain SYN', offered: true, passive: true, flags: Flag.SYN, agreed: false },
    { name: 'half a SYN', offered: true, passive: true, flags: Flag.SYN | Flag.ECE, agreed: false },
    { name: 'a SYN-ACK', offered: true, passive: false, flags: SYN_ACK | Flag.ECE, agreed: true },
    { name: 'its echo', offered: true, passive: false, flags: SYN_ACK | BOTH, agreed: false },
    { name: 'a plain SYN-ACK', offered: true, passive: false, flags: SYN_ACK, agreed: false },
    { name: 'not asked', offered: false, passive: false, flags: SYN_ACK | Flag.ECE, agreed: false },
    {
      name: 'SYNs that cross',
      offered: true,
      passive: false,
      flags: Flag.SYN | BOTH,
      agreed: false,
    },
  ])('negotiates: $name', ({ offered, passive, flags, agreed: expected }) => {
    const ecn = new Ecn(offered);
    ecn.negotiate(flags, passive);
    expect(ecn.agreed).toBe(expected);
    expect(ecn.synAckFlags).toBe(expected ? Flag.ECE : 0);
    expect(ecn.synFlags).toBe(offered ? BOTH : 0);
  });

  test('echoes a mark until the peer has reacted', () => {
    const ecn = agreed();
    expect(ecn.onData(Flag.ACK, UNMARKED)).toBe(false);
    expect(ecn.echoFlags).toBe(0);
    expect(ecn.onData(Flag.ACK, CONGESTED)).toBe(true);
    expect(ecn.onData(Flag.ACK, CONGESTED)).toBe(false);
    ecn.onData(Flag.ACK, UNMARKED);
    expect(ecn.echoFlags).toBe(Flag.ECE);
    ecn.onData(Flag.ACK | Flag.CWR, UNMARKED);
    expect(ecn.echoFlags).toBe(0);
  });

  test('a marked segment that says that the peer has reacted is news again', () => {
    const ecn = agreed();
    ecn.onData(Flag.ACK, CONGESTED);
    expect(ecn.onData(Flag.ACK | Flag.CWR, CONGESTED)).toBe(true);
    expect(ecn.echoFlags).toBe(Flag.ECE);
  });

  test('a mark says nothing where nothing was agreed', () => {
    const ecn = new Ecn(true);
    expect(ecn.onData(Flag.ACK, CONGESTED)).toBe(false);
    expect(ecn.echoFlags).toBe(0);
    ecn.reduced();
    expect(ecn.takeReductionFlags()).toBe(0);
  });

  test('says once that the sender has slowed down', () => {
    const ecn = agreed();
    expect(ecn.takeReductionFlags()).toBe(0);
    ecn.reduced();
    expect([ecn.takeReductionFlags(), ecn.takeReductionFlags()]).toEqual([Flag.CWR, 0]);
  });
});

test.each([
  { header: '4500', codepoint: 0 },
  { header: '4501', codepoint: 1 },
  { header: '4502', codepoint: 2 },
  { header: '45ff', codepoint: 3 },
  { header: '45fc', codepoint: 0 },
  { header: '6000', codepoint: 0 },
  { header: '6f3f', codepoint: 3 },
  { header: '60f0', codepoint: 3 },
  { header: '6fcf', codepoint: 0 },
  { header: '0003', codepoint: 0 },
])('codepointOf $header is $codepoint', ({ header, codepoint }) => {
  expect(codepointOf(Buffer.from(header, 'hex'))).toBe(codepoint);
});

describe('markCapable', () => {
  test.each([
    { name: 'IPv4', from: '10.8.0.1', to: '10.8.0.2' },
    { name: 'IPv6', from: 'fd00::1', to: 'fd00::2' },
  ])('marks $name packets of any length, and their headers stay right', ({ from, to }) => {
    const path = new IpPath(address(from), address(to), 0x12345);
    for (let length = path.ipHeaderBytes; length < 3000; length += 7) {
      const packet = Buffer.alloc(length);
      path.finish(packet);
      const before = Buffer.from(packet);
      markCapable(packet, path.ipHeaderBytes);
      expect(codepointOf(packet)).toBe(2);
      if (packet.readUInt8(0) >>> 4 === 4) expect(sumIsIntact(sumBytes(packet, 0, 20))).toBe(true);
      packet.copy(before, 1, 1, 2);
      packet.copy(before, 10, 10, path.ipHeaderBytes === 20 ? 12 : 10);
      expect(packet).toEqual(before);
    }
  });
});
