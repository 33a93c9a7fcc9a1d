import { describe, expect, test } from 'vitest';
import { Drop } from '../../../src/core/machine.ts';
import { Segment } from '../../../src/netstack/tcp/segment.ts';
import type { TcpEvents } from '../../../src/netstack/tcp/tcp-events.ts';
import { Port, THEIRS } from './listener-port.ts';
import { buildSegment } from './scripted-peer.ts';
import { IP_HEADER_BYTES, PSEUDO_HEADER_SUM } from './tcp-pair.ts';

const quiet: TcpEvents = { connected() {}, readable() {}, writable() {}, closed() {} };

describe('TcpListener', () => {
  test('answers a SYN, and makes the connection when its SYN-ACK is acknowledged', () => {
    const port = new Port();
    expect(port.knock(1)).toBe(Drop.NONE);
    expect(port.takeSent()).toEqual(['1 SA 0/1']);
    expect(port.callers.size).toBe(1);
    expect(port.connections.size).toBe(0);
    expect(port.finish(1, { data: Buffer.from('first words') })).toBe(Drop.NONE);
    expect(port.callers.size).toBe(0);
    expect(port.listener.waiting).toBe(1);
    expect(port.announced).toBe(1);
    const connection = port.listener.accept(quiet);
    expect(connection).toBe(port.connections.get(1));
    expect(connection?.state).toBe('ESTABLISHED');
    expect(connection?.read()?.toString()).toBe('first words');
    expect(port.listener.accept(quiet)).toBeUndefined();
  });

  test('the last segment of the handshake may be the FIN', () => {
    const port = new Port();
    port.knock(1);
    port.feed(1, 'FA', 1, 1, { data: 5 });
    const connection = port.listener.accept(quiet);
    expect(connection?.state).toBe('CLOSE-WAIT');
    expect(connection?.read()?.length).toBe(5);
    expect(connection?.ended).toBe(true);
  });

  test('data on the SYN is left to be sent again', () => {
    const port = new Port();
    port.knock(1, 'S', { data: 100 });
    expect(port.takeSent()).toEqual(['1 SA 0/1']);
    port.finish(1, { data: 100 });
    expect(port.listener.accept(quiet)?.info().bytesReceived).toBe(100);
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
    expect(port.callers.size).toBe(0);
    expect(port.takeSent()).toEqual([]);
  });

  test('drops what is damaged before it makes anything', () => {
    const port = new Port();
    const packet = buildSegment('S', THEIRS, 0);
    const feed = (bytes: Buffer, length: number) =>
      port.listener.fromBelow(bytes, IP_HEADER_BYTES, length, PSEUDO_HEADER_SUM, port.key(1), 0);
    expect(feed(packet, 19)).toBe(Drop.MALFORMED);
    packet.writeUInt8(9, IP_HEADER_BYTES);
    expect(feed(packet, 20)).toBe(Drop.BAD_CHECKSUM);
    expect(port.callers.size).toBe(0);
  });

  test('nobody who accepts: no more than the backlog waits, and the others try again', () => {
    const port = new Port(3);
    for (let caller = 1; caller <= 4; caller += 1) port.knock(caller);
    for (let caller = 1; caller <= 3; caller += 1) expect(port.finish(caller)).toBe(Drop.NONE);
    expect(port.finish(4)).toBe(Drop.NO_ROOM);
    expect(port.knock(5)).toBe(Drop.NO_ROOM);
    expect(port.listener.waiting).toBe(3);
    port.takeSent();
    port.listener.accept(quiet);
    port.pass(1000);
    expect(port.takeSent()).toEqual(['4 SA 0/1']);
    expect(port.finish(4)).toBe(Drop.NONE);
    expect(port.listener.waiting).toBe(3);
  });

  test('without memory for what they would send, callers must try again; who was answered may end', () => {
    const port = new Port();
    port.knock(1);
    port.takeSent();
    port.exhausted = true;
    expect(port.knock(2)).toBe(Drop.NO_ROOM);
    expect(port.takeSent()).toEqual([]);
    expect(port.callers.size).toBe(1);
    expect(port.finish(1)).toBe(Drop.NONE);
    port.exhausted = false;
    expect(port.knock(2)).toBe(Drop.NONE);
    expect(port.takeSent()).toEqual(['2 SA 0/1']);
  });

  test('forgets a connection that ends before it is accepted', () => {
    const port = new Port();
    port.knock(1);
    port.finish(1);
    const reset = buildSegment('R', (THEIRS + 1) >>> 0, 0);
    const length = reset.length - IP_HEADER_BYTES;
    port.connections.get(1)?.fromBelow(reset, IP_HEADER_BYTES, length, 0);
    expect(port.listener.waiting).toBe(0);
    expect(port.listener.accept(quiet)).toBeUndefined();
  });

  test('a full flow table refuses silently, and the caller stays', () => {
    const port = new Port();
    port.full = true;
    port.knock(1);
    expect(port.finish(1)).toBe(Drop.NO_ROOM);
    port.full = false;
    expect(port.finish(1)).toBe(Drop.NONE);
    expect(port.announced).toBe(1);
  });

  test('closed, it resets what was not accepted, and refuses', () => {
    const port = new Port();
    port.knock(2);
    port.finish(2);
    port.listener.close();
    port.listener.close();
    expect(port.listener.waiting).toBe(0);
    expect(port.knock(3)).toBe(Drop.NO_SOCKET);
    const connection = port.connections.get(2);
    expect(connection?.state).toBe('CLOSED');
    const segment = new Segment();
    const packet = connection?.takeDown(0) ?? Buffer.alloc(0);
    expect(segment.read(packet, IP_HEADER_BYTES, packet.length - IP_HEADER_BYTES)).toBe(true);
    expect(segment.flags).toBe(0x14);
  });
});
