import { describe, expect, test } from 'vitest';
import { Channel } from '../../src/core/channel.ts';
import { LastingTun } from '../../src/tun/lasting-tun.ts';
import { MemoryTun } from '../../src/tun/memory-tun.ts';
import { tunDeviceContract } from '../contract/tun-device.ts';

const PACKET = Buffer.alloc(20, 1);

function sessionTun(mtu = 1500) {
  const dataToTun = new Channel<Buffer>('dataToTun', 4);
  const tunToData = new Channel<Buffer>('tunToData', 4);
  const device = new MemoryTun({ dataToTun, tunToData }, { mtu, maxMss: 0 });
  return { device, dataToTun, tunToData };
}

tunDeviceContract('LastingTun', () => {
  const device = new LastingTun();
  const session = sessionTun();
  device.use(session.device);
  return {
    device,
    arrive: (packet) => session.dataToTun.push(packet),
    leave: () => session.tunToData.take(),
  };
});

describe('LastingTun', () => {
  test('without a device: nothing to read, writers wait', () => {
    const tun = new LastingTun();
    expect([tun.read(), tun.writable, tun.write(PACKET), tun.closed]).toEqual([
      undefined,
      false,
      false,
      false,
    ]);
  });

  test('goes on with the next device, and no longer hears the one before', () => {
    const tun = new LastingTun();
    let woken = 0;
    tun.onReadable = () => {
      woken += 1;
    };
    const [first, second] = [sessionTun(1400), sessionTun(1300)];
    tun.use(first.device);
    first.dataToTun.push(PACKET);
    expect([tun.mtu, woken]).toEqual([1400, 1]);
    tun.use(undefined);
    expect([tun.mtu, tun.read()]).toEqual([1400, undefined]);
    tun.use(second.device);
    first.dataToTun.take();
    first.dataToTun.push(PACKET);
    expect([tun.mtu, woken]).toEqual([1300, 1]);
    second.dataToTun.push(PACKET);
    expect(woken).toBe(2);
    expect(tun.write(PACKET)).toBe(true);
    expect([first.tunToData.size, second.tunToData.size]).toEqual([0, 1]);
  });

  test('closes its device, once', () => {
    const tun = new LastingTun();
    const { device } = sessionTun();
    tun.use(device);
    tun.close();
    tun.close();
    expect([tun.closed, device.closed, tun.writable]).toEqual([true, true, false]);
  });
});
