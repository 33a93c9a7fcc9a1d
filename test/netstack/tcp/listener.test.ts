import { describe, expect, test } from 'vitest';
import { Drop } from '../../../src/core/machine.ts';
import { TcpConnection } from '../../../src/netstack/tcp/connection.ts';
import { TcpListener } from '../../../src/netstack/tcp/listener.ts';
import { Segment } from '../../../src/netstack/tcp/segment.ts';
import type { TcpEvents } from '../../../src/netstack/tcp/tcp-events.ts';
import { buildSegment, type Extras } from './scripted-peer.ts';
import { IP_HEADER_BYTES, PSEUDO_HEADER_SUM, testPath } from './tcp-pair.ts';

const OURS = 100;
const THEIRS = 200;

const quiet: TcpEvents = { connected() {}, readable() {}, writable() {}, closed() {} };

/** A listener whose callers are numbers, and the flows that it made. */
class Port {
  readonly flows = new Map<number, TcpConnection>();
  announced = 0;
  full = false;
  readonly listener: TcpListener<number>;

  constructor(backlog?: number) {
    this.listener = new TcpListener<number>({
      ...(backlog === undefined ? {} : { backlog }),
      makeConnection: (caller, events) => {
        if (this.full) return undefined;
        const connection = new TcpConnection(testPath(), events, {
          initialSequence: OURS,
          timestampOffset: 0,
        });
        this.flows.set(caller, connection);
        return connection;
      },
      onConnection: () => {
        this.announced += 1;
      },
    });
  }

  knock(caller: number, flags = 'S', extras: Extras = {}): Drop {
    const packet = buildSegment(flags, THEIRS, OURS, extras);
    const length = packet.length - IP_HEADER_BYTES;
    return this.listener.fromBelow(packet, IP_HEADER_BYTES, length, PSEUDO_HEADER_SUM, caller, 0);
  }

  /** The handshake's last segment. */
  finish(caller: number, extras: Extras = {}): void {
    const connection = this.flows.get(caller);
    while (connection?.takeDown(0) !== undefined);
    const packet = buildSegment('A', THEIRS + 1, OURS + 1, extras);
    connection?.fromBelow(packet, IP_HEADER_BYTES, packet.length - IP_HEADER_BYTES, 0);
    connection?.endOfBurst(0);
  }
}

describe('TcpListener', () => {
  test('answers a SYN, and gives the connection when it is open', () => {
    const port = new Port();
    expect(port.knock(1)).toBe(Drop.NONE);
    expect(port.listener).toMatchObject({ halfOpen: 1, waiting: 0 });
    expect(port.announced).toBe(0);
    port.finish(1, { data: Buffer.from('first words') });
    expect(port.listener).toMatchObject({ halfOpen: 0, waiting: 1 });
    expect(port.announced).toBe(1);
    const connection = port.listener.accept(quiet);
    expect(connection).toBe(port.flows.get(1));
    expect(connection?.read()?.toString()).toBe('first words');
    expect(port.listener.accept(quiet)).toBeUndefined();
  });

  test('who accepts hears the rest', () => {
    const port = new Port();
    port.knock(1);
    port.finish(1);
    const heard: (string | undefined)[] = [];
    port.listener.accept({ ...quiet, closed: (failure) => heard.push(failure) })?.abort();
    expect(heard).toEqual(['aborted']);
  });

  test.each([
    { flags: 'R', drop: Drop.UNEXPECTED },
    { flags: 'SR', drop: Drop.UNEXPECTED },
    { flags: 'A', drop: Drop.NO_SOCKET },
    { flags: 'SA', drop: Drop.NO_SOCKET },
    { flags: 'FA', drop: Drop.NO_SOCKET },
    { flags: 'F', drop: Drop.UNEXPECTED },
    { flags: '', drop: Drop.UNEXPECTED },
  ])('drops "$flags" (RFC 9293 §3.10.7.2)', ({ flags, drop }) => {
    const port = new Port();
    expect(port.knock(1, flags)).toBe(drop);
    expect(port.flows.size).toBe(0);
  });

  test('drops what is damaged before it makes anything', () => {
    const port = new Port();
    const packet = buildSegment('S', THEIRS, 0);
    const feed = (bytes: Buffer, length: number) =>
      port.listener.fromBelow(bytes, IP_HEADER_BYTES, length, PSEUDO_HEADER_SUM, 1, 0);
    expect(feed(packet, 19)).toBe(Drop.MALFORMED);
    packet.writeUInt8(9, IP_HEADER_BYTES);
    expect(feed(packet, 20)).toBe(Drop.BAD_CHECKSUM);
    expect(port.flows.size).toBe(0);
  });

  test('a flood of SYNs makes no more than the backlog', () => {
    const port = new Port();
    let dropped = 0;
    for (let caller = 0; caller < 10_000; caller += 1) {
      if (port.knock(caller) === Drop.NO_ROOM) dropped += 1;
    }
    expect(port.flows.size).toBe(128);
    expect(dropped).toBe(10_000 - 128);
  });

  test('half-open connections make room again when they time out', () => {
    const port = new Port(2);
    port.knock(1);
    port.knock(2);
    expect(port.knock(3)).toBe(Drop.NO_ROOM);
    for (const connection of port.flows.values()) {
      for (let now = 0; now <= 31_000; now += 500) {
        while (connection.takeDown(now) !== undefined);
        if (connection.nextTimeout() <= now) connection.onTimeout(now);
      }
    }
    expect(port.listener.halfOpen).toBe(0);
    expect(port.knock(3)).toBe(Drop.NONE);
  });

  test('nobody who accepts: no more than the backlog waits', () => {
    const port = new Port(3);
    for (let caller = 0; caller < 10; caller += 1) {
      port.knock(caller);
      port.finish(caller);
    }
    expect(port.listener.waiting).toBe(3);
    port.listener.accept(quiet);
    expect(port.knock(99)).toBe(Drop.NONE);
  });

  test('forgets a connection that ends before it is accepted', () => {
    const port = new Port();
    port.knock(1);
    port.finish(1);
    const reset = buildSegment('R', THEIRS + 1, 0);
    port.flows.get(1)?.fromBelow(reset, IP_HEADER_BYTES, reset.length - IP_HEADER_BYTES, 0);
    expect(port.listener.waiting).toBe(0);
    expect(port.listener.accept(quiet)).toBeUndefined();
  });

  test('a full flow table refuses silently', () => {
    const port = new Port();
    port.full = true;
    expect(port.knock(1)).toBe(Drop.NO_ROOM);
    expect(port.listener.halfOpen).toBe(0);
  });

  test('closed, it resets what was not accepted, and refuses', () => {
    const port = new Port();
    port.knock(1);
    port.knock(2);
    port.finish(2);
    port.listener.close();
    port.listener.close();
    expect(port.listener).toMatchObject({ halfOpen: 0, waiting: 0 });
    expect([...port.flows.values()].map((connection) => connection.state)).toEqual([
      'CLOSED',
      'CLOSED',
    ]);
    expect(port.knock(3)).toBe(Drop.NO_SOCKET);
    const segment = new Segment();
    const packet = port.flows.get(2)?.takeDown(0) ?? Buffer.alloc(0);
    expect(segment.read(packet, IP_HEADER_BYTES, packet.length - IP_HEADER_BYTES)).toBe(true);
    expect(segment.flags).toBe(0x14);
  });
});
