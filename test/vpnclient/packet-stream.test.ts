import { describe, expect, test } from 'vitest';
import { OvpnUsageError } from '../../src/core/errors.ts';
import { BATCH, type Service } from '../../src/core/pump.ts';
import type { TunDevice } from '../../src/model/tun-device.ts';
import { PacketStream, type Tunnel } from '../../src/vpnclient/packet-stream.ts';

/** A tunnel with room for `slots` packets, and one whose packets come from `incoming`. */
class FakeTunnel implements Tunnel {
  readonly incoming: Buffer[] = [];
  readonly outgoing: Buffer[] = [];
  readonly attached: Service[] = [];
  armed = 0;
  slots: number;
  readonly tun: TunDevice;

  constructor(slots = 1000) {
    this.slots = slots;
    const tunnel = this;
    this.tun = {
      mtu: 1500,
      read: () => tunnel.incoming.shift(),
      get writable() {
        return tunnel.outgoing.length < tunnel.slots;
      },
      write: (packet) => {
        if (tunnel.outgoing.length >= tunnel.slots) return false;
        tunnel.outgoing.push(packet);
        return true;
      },
      onReadable: () => {},
      onWritable: () => {},
      closed: false,
      close: () => {},
    };
  }

  attach(service: Service): void {
    this.attached.push(service);
  }

  arm(): void {
    this.armed += 1;
  }
}

function stream(room = Number.POSITIVE_INFINITY) {
  const read: Buffer[] = [];
  const movedAt: number[] = [];
  const packets = new PacketStream({
    push: (packet) => {
      read.push(packet);
      return read.length < room;
    },
    moved: (now) => movedAt.push(now),
  });
  return { packets, read, movedAt };
}

const packet = (id: number) => Buffer.of(id & 0xff);

describe('PacketStream', () => {
  test('takes the tunnel with the first use, before or after it is up', () => {
    const early = stream();
    const tunnel = new FakeTunnel();
    early.packets.resume();
    early.packets.open(tunnel);
    expect(tunnel.attached).toEqual([early.packets]);

    const late = stream();
    const other = new FakeTunnel();
    late.packets.open(other);
    expect(other.attached).toEqual([]);
    late.packets.resume();
    late.packets.resume();
    expect(other.attached).toEqual([late.packets]);
    expect(other.armed).toBe(2);
  });

  test('reads in order, a batch at a time', () => {
    const { packets, read, movedAt } = stream();
    const tunnel = new FakeTunnel();
    packets.open(tunnel);
    packets.resume();
    for (let id = 0; id < BATCH + 5; id += 1) tunnel.incoming.push(packet(id));
    expect(packets.moveUpWorker(7)).toBe(true);
    expect(read).toHaveLength(BATCH);
    expect(packets.moveUpWorker(8)).toBe(true);
    expect(packets.moveUpWorker(9)).toBe(false);
    expect(read).toEqual(Array.from({ length: BATCH + 5 }, (_, id) => packet(id)));
    expect(movedAt).toEqual([7, 8]);
  });

  test('drops and counts what a reader without room does not fetch', () => {
    const { packets, read } = stream(3);
    const tunnel = new FakeTunnel();
    packets.open(tunnel);
    packets.resume();
    for (let id = 0; id < 10; id += 1) tunnel.incoming.push(packet(id));
    packets.moveUpWorker(0);
    expect(read).toEqual([0, 1, 2].map(packet));
    expect(packets.overflows).toBe(7);
    packets.resume();
    tunnel.incoming.push(packet(10));
    packets.moveUpWorker(0);
    expect(read.at(-1)).toEqual(packet(10));
    expect(packets.overflows).toBe(7);
  });

  test('accepts a packet when there is a tunnel with room', () => {
    const { packets } = stream();
    const accepted: string[] = [];
    packets.send(packet(1), () => accepted.push('one'));
    expect(accepted).toEqual([]);
    const tunnel = new FakeTunnel(2);
    packets.open(tunnel);
    expect(packets.moveDownWorker(0)).toBe(true);
    packets.send(packet(2), () => accepted.push('two'));
    packets.send(packet(3), () => accepted.push('three'));
    expect(packets.moveDownWorker(0)).toBe(false);
    expect(accepted).toEqual(['one', 'two']);
    tunnel.outgoing.length = 0;
    packets.moveDownWorker(0);
    expect(accepted).toEqual(['one', 'two', 'three']);
    expect(tunnel.outgoing).toEqual([packet(3)]);
  });

  test('moves on with the packet that an accepted one brings, no more than a batch', () => {
    const { packets } = stream();
    const tunnel = new FakeTunnel(0);
    packets.open(tunnel);
    let sent = 0;
    const next = () => {
      sent += 1;
      if (sent < 200) packets.send(packet(sent), next);
    };
    packets.send(packet(0), next);
    tunnel.slots = 1;
    expect(packets.moveDownWorker(0)).toBe(true);
    expect(sent).toBe(1);
    tunnel.slots = 1000;
    packets.moveDownWorker(0);
    expect(sent).toBe(200);
  });

  test('close fails the packet that waits', () => {
    const { packets } = stream();
    const outcomes: unknown[] = [];
    packets.send(packet(1), (error) => outcomes.push(error));
    packets.close();
    packets.close();
    expect(outcomes).toEqual([expect.any(Error)]);
  });

  test('belongs to a dialer or a reader, whoever comes first', () => {
    const claimed = stream().packets;
    expect(claimed.claimed).toBe(false);
    claimed.checkUnclaimed();
    claimed.claim();
    expect(claimed.claimed).toBe(true);
    expect(() => claimed.checkUnclaimed()).toThrow(OvpnUsageError);
    expect(() => claimed.claim()).toThrow(OvpnUsageError);

    const read = stream().packets;
    read.resume();
    expect(() => read.claim()).toThrow(OvpnUsageError);
    read.checkUnclaimed();
  });
});
