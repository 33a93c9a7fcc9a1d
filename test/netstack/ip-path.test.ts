import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { fold, pseudoHeaderSum } from '../../src/netstack/checksum.ts';
import { IpHeader, IpProtocol } from '../../src/netstack/ip-header.ts';
import { IpPath } from '../../src/netstack/ip-path.ts';
import { parseIpv4 } from '../../src/netstack/ipv4.ts';
import { parseIpv6 } from '../../src/netstack/ipv6.ts';
import { address } from '../sim/netstack-pair.ts';

describe('IpPath', () => {
  test('its IPv4 header is right for every length, with Don’t Fragment', () => {
    const path = new IpPath(address('10.8.0.2'), address('93.184.216.34'), 0);
    const header = new IpHeader();
    for (let length = 20; length <= 9000; length += 1) {
      const packet = Buffer.alloc(length);
      path.finish(packet);
      expect(parseIpv4(packet, header)).toBe(Drop.NONE);
      expect(header.payloadLength).toBe(length - 20);
    }
    expect(header).toMatchObject({ protocol: IpProtocol.TCP, hopLimit: 64, identification: 0 });
    expect(`${header.source()} ${header.destination()}`).toBe('10.8.0.2 93.184.216.34');
  });

  test('its IPv6 header has the flow label and the length', () => {
    const path = new IpPath(address('fd00::2'), address('2001:db8::1'), 0x7654_3210);
    const packet = Buffer.alloc(1280);
    path.finish(packet);
    const header = new IpHeader();
    expect(parseIpv6(packet, header)).toBe(Drop.NONE);
    expect(packet.readUInt32BE(0)).toBe(0x6004_3210);
    expect(header).toMatchObject({ protocol: IpProtocol.TCP, payloadLength: 1240 });
    expect(`${header.source()} ${header.destination()}`).toBe('fd00::2 2001:db8::1');
  });

  test.each([
    ['10.8.0.2', '93.184.216.34'],
    ['fd00::2', '2001:db8::1'],
  ])('the pseudo header of %s and %s sums as that of their bytes', (from, to) => {
    const [source, destination] = [address(from), address(to)];
    const byBytes = pseudoHeaderSum(source.bytes, destination.bytes, IpProtocol.TCP);
    expect(fold(new IpPath(source, destination, 0).pseudoHeaderSum)).toBe(fold(byBytes));
  });
});
