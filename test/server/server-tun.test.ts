import { describe, expect, test } from 'vitest';
import { Channel } from '../../src/core/channel.ts';
import {
  addressKey,
  IMPATIENCE_MS,
  PATIENCE_MS,
  ServerTun,
  type TunPeer,
} from '../../src/server/server-tun.ts';
import { MemoryTun } from '../../src/tun/memory-tun.ts';

const SLOTS = 2;

/** One peer's tunnel: what came from it, and what goes to it. */
class Peer implements TunPeer {
  readonly dataToTun = new Channel<Buffer>('dataToTun', 16);
  readonly tunToData = new Channel<Buffer>('tunToData', SLOTS);
  readonly tun = new MemoryTun(this, { mtu: 1500, maxMss: 0 });
  readonly addresses: readonly string[];

  constructor(...addresses: string[]) {
    this.addresses = addresses.map(addressKey);
  }
}

function server() {
  let now = 0;
  const tun = new ServerTun(1500, () => now);
  let writable = 0;
  let readable = 0;
  tun.onWritable = () => {
    writable += 1;
  };
  tun.onReadable = () => {
    readable += 1;
  };
  return {
    tun,
    counts: () => ({ writable, readable }),
    /** Moves the clock and runs the timer, as the pump does. */
    at: (time: number) => {
      now = time;
      if (tun.nextTimeout() <= now) tun.onTimeout(now);
    },
  };
}

function ipv4(from: string, to: string, id = 0): Buffer {
  const packet = Buffer.alloc(20);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt16BE(id, 4);
  Buffer.from(addressKey(from), 'latin1').copy(packet, 12);
  Buffer.from(addressKey(to), 'latin1').copy(packet, 16);
  return packet;
}

function ipv6(from: string, to: string): Buffer {
  const packet = Buffer.alloc(40);
  packet.writeUInt8(0x60, 0);
  Buffer.from(addressKey(from), 'latin1').copy(packet, 8);
  Buffer.from(addressKey(to), 'latin1').copy(packet, 24);
  return packet;
}

const SERVER = '10.8.0.1';

describe('ServerTun', () => {
  test('reads from all peers in turn, in the order of each', () => {
    const { tun, counts } = server();
    const [one, two] = [new Peer('10.8.0.2'), new Peer('10.8.0.3')];
    tun.add(one);
    tun.add(two);
    for (let id = 0; id < 3; id += 1) {
      one.dataToTun.push(ipv4('10.8.0.2', SERVER, id));
      two.dataToTun.push(ipv4('10.8.0.3', SERVER, 10 + id));
    }
    const ids: number[] = [];
    for (let packet = tun.read(); packet !== undefined; packet = tun.read()) {
      ids.push(packet.readUInt16BE(4));
    }
    expect(ids.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 10, 11, 12]);
    expect(ids.filter((id) => id < 10)).toEqual([0, 1, 2]);
    expect(counts().readable).toBeGreaterThanOrEqual(2);
  });

  test('drops and counts packets that do not come from the peer’s own address', () => {
    const { tun } = server();
    const [one, two] = [new Peer('10.8.0.2', 'fd00::2'), new Peer('10.8.0.3')];
    tun.add(one);
    tun.add(two);
    for (const source of ['10.8.0.3', SERVER, '8.8.8.8']) one.dataToTun.push(ipv4(source, SERVER));
    one.dataToTun.push(ipv6('fd00::3', 'fd00::1'));
    one.dataToTun.push(Buffer.alloc(3));
    one.dataToTun.push(ipv6('fd00::2', 'fd00::1'));
    expect(tun.read()).toEqual(ipv6('fd00::2', 'fd00::1'));
    expect(tun.read()).toBeUndefined();
    expect(tun.drops.snapshot()).toEqual({ martian: 5 });
  });

  test('writes to the peer that has the address, and drops what is for nobody', () => {
    const { tun } = server();
    const [one, two] = [new Peer('10.8.0.2', 'fd00::2'), new Peer('10.8.0.3')];
    tun.add(one);
    tun.add(two);
    expect(tun.write(ipv6('fd00::1', 'fd00::2'))).toBe(true);
    expect(tun.write(ipv4(SERVER, '10.8.0.3'))).toBe(true);
    expect(tun.write(ipv4(SERVER, '10.8.0.4'))).toBe(true);
    expect(one.tunToData.take()).toEqual(ipv6('fd00::1', 'fd00::2'));
    expect(two.tunToData.take()).toEqual(ipv4(SERVER, '10.8.0.3'));
    expect(tun.drops.snapshot()).toEqual({ 'no-socket': 1 });
  });

  test('a peer that is gone gets nothing more, and holds up nobody', () => {
    const { tun, counts } = server();
    const peer = new Peer('10.8.0.2');
    tun.add(peer);
    for (let id = 0; id < SLOTS; id += 1) tun.write(ipv4(SERVER, '10.8.0.2', id));
    expect(tun.writable).toBe(false);
    tun.remove(peer);
    tun.remove(peer);
    expect(tun.writable).toBe(true);
    expect(counts().writable).toBe(1);
    expect(tun.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    tun.write(ipv4(SERVER, '10.8.0.2'));
    expect(tun.drops.snapshot()).toEqual({ 'no-socket': 1 });
    peer.dataToTun.push(ipv4('10.8.0.2', SERVER));
    expect(tun.read()).toBeUndefined();
  });

  test('an address that another peer has by now stays that peer’s', () => {
    const { tun } = server();
    const [old, next] = [new Peer('10.8.0.2'), new Peer('10.8.0.2')];
    tun.add(old);
    tun.add(next);
    tun.remove(old);
    tun.write(ipv4(SERVER, '10.8.0.2'));
    expect(next.tunToData.size).toBe(1);
  });

  test('closed, it takes nothing', () => {
    const { tun } = server();
    tun.close();
    expect(tun).toMatchObject({ closed: true, writable: false });
    expect(tun.write(ipv4(SERVER, '10.8.0.2'))).toBe(false);
  });
});

describe('a peer whose queue is full', () => {
  function withSlowPeer() {
    const made = server();
    const [slow, quick] = [new Peer('10.8.0.2'), new Peer('10.8.0.3')];
    made.tun.add(slow);
    made.tun.add(quick);
    const fill = () => {
      while (made.tun.writable && slow.tun.writable) made.tun.write(ipv4(SERVER, '10.8.0.2'));
    };
    return { ...made, slow, quick, fill };
  }

  test('holds up the writer, so that nothing is lost, until it has room', () => {
    const { tun, slow, fill, counts } = withSlowPeer();
    fill();
    expect(tun.writable).toBe(false);
    expect(tun.write(ipv4(SERVER, '10.8.0.3'))).toBe(false);
    slow.tunToData.take();
    expect(tun.writable).toBe(true);
    expect(counts().writable).toBe(1);
    expect(tun.drops.snapshot()).toEqual({});
  });

  test(`holds up the others for ${PATIENCE_MS} ms at most; then its packets are dropped`, () => {
    const { tun, quick, fill, at, counts } = withSlowPeer();
    at(1000);
    fill();
    expect(tun.nextTimeout()).toBe(1000 + PATIENCE_MS);
    at(1000 + PATIENCE_MS - 1);
    expect(tun.writable).toBe(false);
    at(1000 + PATIENCE_MS);
    expect(counts().writable).toBe(1);
    expect(tun.write(ipv4(SERVER, '10.8.0.2'))).toBe(true);
    expect(tun.write(ipv4(SERVER, '10.8.0.3'))).toBe(true);
    expect(quick.tunToData.size).toBe(1);
    expect(tun.drops.snapshot()).toEqual({ 'no-room': 1 });
  });

  test(`is not waited for again for ${IMPATIENCE_MS} ms, however little it reads`, () => {
    const { tun, slow, fill, at } = withSlowPeer();
    fill();
    at(PATIENCE_MS);
    for (let time = PATIENCE_MS; time < PATIENCE_MS + IMPATIENCE_MS; time += 100) {
      at(time);
      slow.tunToData.take();
      tun.write(ipv4(SERVER, '10.8.0.2'));
      expect(tun.writable).toBe(true);
    }
    at(PATIENCE_MS + IMPATIENCE_MS);
    slow.tunToData.take();
    tun.write(ipv4(SERVER, '10.8.0.2'));
    expect(tun.writable).toBe(false);
  });
});
