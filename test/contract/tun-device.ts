import { describe, expect, test } from 'vitest';
import type { TunDevice } from '../../src/model/tun-device.ts';

/** A device and the other end of it: the tunnel. */
export interface TunDeviceSetup {
  /** Its mtu is at least 100. */
  readonly device: TunDevice;
  /** A packet arrives from the tunnel; false when the device has no room for it. */
  arrive(packet: Buffer): boolean;
  /** The oldest packet on its way into the tunnel. */
  leave(): Buffer | undefined;
}

/** What every {@link TunDevice} promises. `setUp` makes a fresh one that holds a bounded number of packets. */
export function tunDeviceContract(name: string, setUp: () => TunDeviceSetup): void {
  describe(`${name} is a TunDevice`, () => {
    test('reads what arrived, in order, then undefined', () => {
      const { device, arrive } = setUp();
      arrive(packetOf(1));
      arrive(packetOf(2));
      expect([device.read(), device.read(), device.read()]).toEqual([
        packetOf(1),
        packetOf(2),
        undefined,
      ]);
    });

    test('what is written leaves, in order', () => {
      const { device, leave } = setUp();
      expect(device.write(packetOf(1))).toBe(true);
      expect(device.write(packetOf(2))).toBe(true);
      expect([leave(), leave(), leave()]).toEqual([packetOf(1), packetOf(2), undefined]);
    });

    test('wakes the reader at the first packet', () => {
      const { device, arrive } = setUp();
      let woken = 0;
      device.onReadable = () => {
        woken += 1;
      };
      arrive(packetOf(1));
      arrive(packetOf(2));
      expect(woken).toBe(1);
      device.read();
      device.read();
      arrive(packetOf(3));
      expect(woken).toBe(2);
    });

    test('refuses a write while it is full, and wakes the writer when it is not', () => {
      const { device, leave } = setUp();
      let woken = 0;
      device.onWritable = () => {
        woken += 1;
      };
      let written = 0;
      while (device.writable) {
        expect(device.write(packetOf(written))).toBe(true);
        written += 1;
      }
      expect(device.write(packetOf(written))).toBe(false);
      expect(woken).toBe(0);
      expect(leave()).toEqual(packetOf(0));
      expect(woken).toBe(1);
      expect(device.writable).toBe(true);
      expect(device.write(packetOf(written))).toBe(true);
      for (let mark = 1; mark <= written; mark += 1) expect(leave()).toEqual(packetOf(mark));
      expect(leave()).toBeUndefined();
    });

    test('takes a packet of exactly its mtu', () => {
      const { device, leave } = setUp();
      expect(device.write(Buffer.alloc(device.mtu, 0x45))).toBe(true);
      expect(leave()?.length).toBe(device.mtu);
    });

    test('does not let empty or oversized packets into the tunnel', () => {
      const { device, leave } = setUp();
      device.write(Buffer.alloc(0));
      device.write(Buffer.alloc(device.mtu + 1, 0x45));
      expect(leave()).toBeUndefined();
    });

    test('is closed once and for all, and wakes its reader', () => {
      const { device, arrive } = setUp();
      let woken = 0;
      device.onReadable = () => {
        woken += 1;
      };
      expect(device.closed).toBe(false);
      device.close();
      device.close();
      expect(woken).toBeGreaterThan(0);
      expect(device.closed).toBe(true);
      expect(device.writable).toBe(false);
      expect(device.write(packetOf(1))).toBe(false);
      expect(arrive(packetOf(1))).toBe(false);
      expect(device.read()).toBeUndefined();
    });
  });
}

/** An IPv4 packet of 100 bytes that carries UDP, told apart by `mark`. */
function packetOf(mark: number): Buffer {
  const packet = Buffer.alloc(100, mark & 0xff);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt16BE(100, 2);
  packet.writeUInt8(17, 9);
  return packet;
}
