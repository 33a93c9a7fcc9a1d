import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import {
  buildEchoReply,
  buildEchoRequest,
  buildError,
  checkIcmp,
  echoIdentifier,
  echoSequence,
  icmpMessage,
  namedMtu,
  unreachableKind,
} from '../../src/netstack/icmp.ts';
import { IpHeader } from '../../src/netstack/ip-header.ts';
import { parseIpv4 } from '../../src/netstack/ipv4.ts';
import { parseIpv6 } from '../../src/netstack/ipv6.ts';
import { address } from '../sim/netstack-pair.ts';
import { capturedIpPackets } from './captured-packets.ts';

function parse(packet: Buffer): IpHeader {
  const header = new IpHeader();
  const family = (packet[0] ?? 0) >>> 4;
  expect((family === 4 ? parseIpv4 : parseIpv6)(packet, header)).toBe(Drop.NONE);
  return header;
}

/** Headers of a message that stands alone in a buffer. */
function alone(family: 4 | 6, message: Buffer): IpHeader {
  return Object.assign(new IpHeader(), { family, payloadLength: message.length });
}

describe('captured ICMP', () => {
  test('all checksums are right, and every flipped byte is found', () => {
    for (const packet of capturedIpPackets()) {
      const header = parse(packet);
      expect(checkIcmp(packet, header)).toBe(Drop.NONE);
      const damaged = Buffer.from(packet);
      damaged[header.payloadAt + 4] = (damaged[header.payloadAt + 4] ?? 0) ^ 0x40;
      expect(checkIcmp(damaged, header)).toBe(Drop.BAD_CHECKSUM);
    }
  });

  test('our replies to captured requests are the captured replies', () => {
    const replies = new Set<string>();
    const requests: Buffer[] = [];
    for (const packet of capturedIpPackets()) {
      const message = icmpMessage(packet, parse(packet));
      if (message === 'echo-request') requests.push(packet);
      if (message === 'echo-reply') replies.add(packet.subarray(20).toString('hex'));
    }
    expect(requests.length).toBeGreaterThan(100);
    for (const request of requests) {
      const header = parse(request);
      const reply = buildEchoReply(request, header, header.destination(), header.source());
      expect(replies).toContain(reply.subarray(20).toString('hex'));
    }
  });
});

describe('buildEchoRequest', () => {
  test('is the captured one', () => {
    const [request] = capturedIpPackets();
    if (request === undefined) throw new Error('no capture');
    const header = parse(request);
    const built = buildEchoRequest(
      header.source(),
      header.destination(),
      echoIdentifier(request, header),
      echoSequence(request, header),
      request.subarray(28),
    );
    expect(built.subarray(20).equals(request.subarray(20))).toBe(true);
  });

  test('ICMPv6 counts the pseudo header (sum worked out apart, with Python)', () => {
    const payload = Uint8Array.of(0, 1, 2, 3, 4);
    const built = buildEchoRequest(address('fd00::1'), address('fd00::2'), 0x1234, 7, payload);
    expect(built.subarray(40).toString('hex')).toBe('80006d74123400070001020304');
  });
});

describe('errors', () => {
  test.each([
    { family: 4, hex: '0300', kind: 'network-unreachable' },
    { family: 4, hex: '0301', kind: 'host-unreachable' },
    { family: 4, hex: '0302', kind: 'protocol-unreachable' },
    { family: 4, hex: '0303', kind: 'port-unreachable' },
    { family: 4, hex: '0304', kind: 'too-big' },
    { family: 4, hex: '030d', kind: 'prohibited' },
    { family: 4, hex: '03ff', kind: undefined },
    { family: 4, hex: '0b00', kind: 'time-exceeded' },
    { family: 4, hex: '0c00', kind: 'parameter-problem' },
    { family: 4, hex: '0400', kind: undefined },
    { family: 4, hex: '0500', kind: undefined },
    { family: 6, hex: '0100', kind: 'network-unreachable' },
    { family: 6, hex: '0101', kind: 'prohibited' },
    { family: 6, hex: '0103', kind: 'host-unreachable' },
    { family: 6, hex: '0104', kind: 'port-unreachable' },
    { family: 6, hex: '01ff', kind: undefined },
    { family: 6, hex: '0200', kind: 'too-big' },
    { family: 6, hex: '0300', kind: 'time-exceeded' },
    { family: 6, hex: '0400', kind: 'parameter-problem' },
    { family: 6, hex: '0401', kind: 'protocol-unreachable' },
  ] as const)('IPv$family $hex is $kind', ({ family, hex, kind }) => {
    const message = Buffer.from(`${hex}000000000578`, 'hex');
    const header = alone(family, message);
    expect(icmpMessage(message, header)).toBe('error');
    expect(unreachableKind(message, header)).toBe(kind);
    expect(namedMtu(message, header)).toBe(1400);
  });

  test.each([
    { family: 4, type: 13 },
    { family: 4, type: 200 },
    { family: 6, type: 133 },
    { family: 6, type: 255 },
  ] as const)('IPv$family type $type is no error and no echo', ({ family, type }) => {
    const message = Buffer.from([type, 0, 0, 0, 0, 0, 0, 0]);
    expect(icmpMessage(message, alone(family, message))).toBe('other');
  });

  test.each([
    { family: 4, error: 'port-unreachable', type: '0303', body: '00000000', size: 576 },
    { family: 4, error: 'protocol-unreachable', type: '0302', body: '00000000', size: 576 },
    { family: 6, error: 'port-unreachable', type: '0104', body: '00000000', size: 1280 },
    { family: 6, error: 'protocol-unreachable', type: '0401', body: '00000006', size: 1280 },
  ] as const)(
    'quotes as much as fits: IPv$family $error',
    ({ family, error, type, body, size }) => {
      const [from, to] = family === 4 ? ['10.8.0.2', '10.8.0.1'] : ['fd00::2', 'fd00::1'];
      const culprit = Buffer.alloc(1500, 0xab);
      const built = buildError(error, culprit, 6, address(from), address(to));
      const at = family === 4 ? 20 : 40;
      expect(built.length).toBe(size);
      expect(built.subarray(at, at + 2).toString('hex')).toBe(type);
      expect(built.subarray(at + 4, at + 8).toString('hex')).toBe(body);
      expect(built.subarray(at + 8).equals(culprit.subarray(0, size - at - 8))).toBe(true);
    },
  );
});
