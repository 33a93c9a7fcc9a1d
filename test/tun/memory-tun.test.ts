import { describe, expect, test } from 'vitest';
import { Channel } from '../../src/core/channel.ts';
import { MemoryTun, type MemoryTunOptions } from '../../src/tun/memory-tun.ts';
import { tunDeviceContract } from '../contract/tun-device.ts';
import { hasGoodChecksum, tcpPacket } from './tcp-packets.ts';

const MSS_1460 = [2, 4, 0x05, 0xb4];

tunDeviceContract('MemoryTun', () => {
  const { device, dataToTun, tunToData } = tunOf();
  return {
    device,
    arrive: (packet) => dataToTun.push(packet),
    leave: () => tunToData.take(),
  };
});

describe('MemoryTun', () => {
  test('clamps the MSS of what comes and of what goes', () => {
    const { device, dataToTun, tunToData } = tunOf();
    dataToTun.push(tcpPacket({ options: MSS_1460 }));
    device.write(tcpPacket({ options: MSS_1460 }));
    for (const packet of [device.read(), tunToData.take()]) {
      expect(packet?.readUInt16BE(42)).toBe(1400);
      expect(packet !== undefined && hasGoodChecksum(packet)).toBe(true);
    }
  });

  test('leaves the MSS alone when mssfix is off', () => {
    const { device, dataToTun, tunToData } = tunOf({ maxMss: 0 });
    device.write(tcpPacket({ options: MSS_1460 }));
    expect(tunToData.take()?.readUInt16BE(42)).toBe(1460);
    dataToTun.push(tcpPacket({ options: MSS_1460 }));
    expect(device.read()?.readUInt16BE(42)).toBe(1460);
  });

  test('takes what the push decided', () => {
    const { device, tunToData } = tunOf();
    device.configure({ mtu: 1280, maxMss: 1200 });
    expect(device.mtu).toBe(1280);
    device.write(tcpPacket({ options: MSS_1460 }));
    expect(tunToData.take()?.readUInt16BE(42)).toBe(1200);
    device.write(Buffer.alloc(1281, 0x45));
    expect(tunToData.take()).toBeUndefined();
  });

  test('counts what it does not let in', () => {
    const { device } = tunOf();
    device.write(Buffer.alloc(0));
    device.write(Buffer.alloc(1501));
    expect(device.drops.snapshot()).toEqual({ malformed: 2 });
  });

  test('passes packets on without a copy', () => {
    const { device, dataToTun, tunToData } = tunOf();
    const packet = Buffer.alloc(100, 0x45);
    dataToTun.push(packet);
    expect(device.read()).toBe(packet);
    device.write(packet);
    expect(tunToData.take()).toBe(packet);
  });

  test('is closed when the session closes the channel', () => {
    const { device, tunToData } = tunOf();
    tunToData.close();
    expect(device.closed).toBe(true);
    expect(device.write(Buffer.alloc(100, 0x45))).toBe(false);
  });

  test('still reads what had come before it was closed', () => {
    const { device, dataToTun } = tunOf();
    dataToTun.push(Buffer.alloc(40, 0x45));
    device.close();
    expect(device.read()?.length).toBe(40);
    expect(device.read()).toBeUndefined();
  });
});

function tunOf(options: Partial<MemoryTunOptions> = {}) {
  const dataToTun = new Channel<Buffer>('dataToTun', 4);
  const tunToData = new Channel<Buffer>('tunToData', 4);
  const device = new MemoryTun({ dataToTun, tunToData }, { mtu: 1500, maxMss: 1400, ...options });
  return { device, dataToTun, tunToData };
}
