import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Link } from '../../src/networkio/link.ts';
import { RecordingPort } from '../networkio/recording-port.ts';

/** Two links that are joined over loopback, and what else is to be closed. */
export interface LinkPair {
  readonly near: Link;
  readonly far: Link;
  readonly stop?: () => Promise<void>;
}

/** What every {@link Link} keeps; `near` is the one that is looked at. */
export function linkContract(name: string, makePair: () => Promise<LinkPair>): void {
  describe(`Link: ${name}`, () => {
    const open: LinkPair[] = [];

    async function setUp() {
      const pair = await makePair();
      open.push(pair);
      const nearPort = new RecordingPort();
      const farPort = new RecordingPort();
      pair.near.open(nearPort);
      pair.far.open(farPort);
      // A listener's link brings the packet that opened it.
      nearPort.packets.length = 0;
      return { near: pair.near, far: pair.far, nearPort, farPort };
    }

    afterEach(async () => {
      for (const { near, far, stop } of open.splice(0)) {
        await Promise.all([near.close(), far.close()]);
        await stop?.();
      }
    });

    const packets = [1, 14, 1500, 9000].map((length, index) => Buffer.alloc(length, index + 1));

    test('carries packets whole and in order, both ways', async () => {
      const { near, far, nearPort, farPort } = await setUp();
      for (const packet of packets) near.send(packet);
      for (const packet of packets) far.send(packet);
      await vi.waitFor(() => {
        expect(farPort.packets).toEqual(packets);
        expect(nearPort.packets).toEqual(packets);
      });
    });

    test('counts bytes on the wire, framing included', async () => {
      const { near, far, nearPort, farPort } = await setUp();
      const framing = near.protocol === 'tcp' ? 2 : 0;
      const before = { read: near.bytesRead, written: near.bytesWritten };
      near.send(Buffer.alloc(100));
      far.send(Buffer.alloc(60));
      await vi.waitFor(() => {
        expect([farPort.packets.length, nearPort.packets.length]).toEqual([1, 1]);
      });
      expect(near.bytesWritten - before.written).toBe(100 + framing);
      expect(near.bytesRead - before.read).toBe(60 + framing);
    });

    test('knows both ends', async () => {
      const { near, far } = await setUp();
      expect(near.protocol).toBe(far.protocol);
      expect(near.remotePort).toBe(far.localPort);
      expect(near.localPort).toBe(far.remotePort);
      expect(near.remoteAddress).toBe(far.localAddress);
    });

    test('without room a datagram is lost and counted, a stream waits', async () => {
      const { near, far, nearPort } = await setUp();
      nearPort.room = 1;
      for (const packet of packets) far.send(packet);
      if (near.protocol === 'udp') {
        await vi.waitFor(() => expect(near.overflows).toBe(packets.length - 1));
        expect(nearPort.packets).toEqual(packets.slice(0, 1));
        return;
      }
      await vi.waitFor(() => expect(nearPort.packets).toHaveLength(1));
      nearPort.room = 1;
      near.resume();
      expect(nearPort.packets).toEqual(packets.slice(0, 2));
      nearPort.room = Number.POSITIVE_INFINITY;
      near.resume();
      await vi.waitFor(() => expect(nearPort.packets).toEqual(packets));
      expect(near.overflows).toBe(0);
    });

    test('sends what waits, then closes; once closed it is silent', async () => {
      const { near, nearPort, farPort } = await setUp();
      for (const packet of packets) near.send(packet);
      const closed = near.close();
      expect(near.close()).toBe(closed);
      await vi.waitFor(() => expect(farPort.packets).toEqual(packets));
      await closed;
      expect(() => near.send(Buffer.alloc(10))).not.toThrow();
      expect(nearPort.errors).toEqual([]);
    });
  });
}
