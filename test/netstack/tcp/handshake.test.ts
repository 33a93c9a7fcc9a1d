import { describe, expect, test } from 'vitest';
import { serialAdd } from '../../../src/core/serial.ts';
import { LOCAL_ISN, ScriptedPeer } from './scripted-peer.ts';
import { TcpPair } from './tcp-pair.ts';

describe('an active open', () => {
  test('offers MSS, window scaling and timestamps', () => {
    const peer = new ScriptedPeer();
    peer.connection.connect(0);
    expect(peer.take()).toEqual(['S 0']);
    const [syn] = peer.segments;
    expect(syn?.options).toMatchObject({ mss: 1360, windowScale: 8, hasTimestamps: true });
    expect(syn?.acknowledgment).toBe(0);
    expect(syn?.window).toBe(0xffff);
  });

  test('uses none of these when the peer does not', () => {
    const peer = new ScriptedPeer();
    peer.connection.connect(0);
    peer.take();
    peer.send('SA', 0, 1, { window: 1000 });
    expect(peer.take()).toEqual(['A 1/1']);
    expect(peer.segments[0]?.options.length).toBe(0);
    expect(peer.connection.info()).toMatchObject({ mss: 536, sndWnd: 1000 });
    peer.send('A', 1, 1, { window: 2000 });
    expect(peer.connection.info().sndWnd).toBe(2000);
  });

  test('scales windows but those of SYN segments', () => {
    const peer = new ScriptedPeer({ timestamps: false });
    peer.connection.connect(0);
    peer.take();
    peer.send('SA', 0, 1, { window: 1000, windowScale: 3 });
    expect(peer.connection.info().sndWnd).toBe(1000);
    peer.take();
    expect(peer.segments[0]?.window).toBe(65_536 / 256);
    peer.send('A', 1, 1, { window: 1000 });
    expect(peer.connection.info().sndWnd).toBe(8000);
  });

  test.each([
    { name: 'below ours', mss: 900, timestamps: false, payload: 900 },
    { name: 'above ours', mss: 9000, timestamps: false, payload: 1360 },
    { name: 'absurdly small', mss: 8, timestamps: false, payload: 216 },
    { name: 'beside timestamps', mss: 900, timestamps: true, payload: 888 },
  ])('sends segments by the MSS $name', ({ mss, timestamps, payload }) => {
    const peer = new ScriptedPeer({ timestamps });
    if (timestamps) peer.timestamp = 1;
    peer.connection.connect(0);
    peer.take();
    peer.send('SA', 0, 1, { mss });
    peer.take();
    peer.connection.write(Buffer.alloc(5000));
    expect(peer.take()[0]).toBe(`A 1/1 +${payload}`);
  });

  test('sends the SYN again, later each time, and gives up after 123 s', () => {
    const peer = new ScriptedPeer();
    peer.connection.connect(0);
    expect(peer.take()).toEqual(['S 0']);
    const times = [1000, 3000, 7000, 15_000, 31_000, 63_000];
    expect(peer.pass(122_999)).toEqual(times.map((time) => `${time}: S 0`));
    expect(peer.events).toEqual([]);
    expect(peer.pass(1)).toEqual([]);
    expect(peer.events).toEqual(['closed timed-out']);
    expect(peer.connection.done).toBe(true);
  });

  test('begins with one segment, and a long timeout, when the SYN was lost', () => {
    const peer = new ScriptedPeer({ timestamps: false });
    peer.connection.connect(0);
    peer.take();
    peer.pass(1000);
    peer.send('SA', 0, 1, { mss: 1000 });
    expect(peer.connection.info()).toMatchObject({ cwnd: 1000, rtoMs: 3000 });
  });

  test('keeps what is written before it is open, and the end', () => {
    const peer = new ScriptedPeer({ timestamps: false });
    peer.connection.connect(0);
    expect(peer.connection.write(Buffer.from('hello'))).toBe(true);
    peer.connection.shutdown();
    expect(peer.take()).toEqual(['S 0']);
    peer.send('SA', 0, 1, { mss: 1000 });
    expect(peer.state).toBe('FIN-WAIT-1');
    expect(peer.take()).toEqual(['FA 1/1 +5']);
  });

  test.each([
    { kind: 'unreachable', told: 'unreachable' },
    { kind: 'network-unreachable', told: 'network-unreachable' },
    { kind: 'refused', told: 'refused' },
  ] as const)('ends at an ICMP error: $kind', ({ kind, told }) => {
    const peer = new ScriptedPeer();
    peer.connection.connect(0);
    peer.take();
    peer.connection.icmpError(kind, serialAdd(LOCAL_ISN, 1));
    expect(peer.events).toEqual([]);
    peer.connection.icmpError(kind, LOCAL_ISN);
    expect(peer.events).toEqual([`closed ${told}`]);
    expect(peer.connection.done).toBe(true);
  });

  test('is forgotten without a RST when it is aborted', () => {
    const peer = new ScriptedPeer();
    peer.connection.connect(0);
    peer.take();
    peer.connection.abort();
    expect(peer.take()).toEqual([]);
    expect(peer.events).toEqual(['closed aborted']);
    expect(peer.connection.done).toBe(true);
  });
});

describe('a passive open', () => {
  test('answers what the SYN offers, and nothing else', () => {
    const peer = new ScriptedPeer();
    peer.timestamp = 77;
    peer.accept({ mss: 1200 });
    expect(peer.take()).toEqual(['SA 0/1']);
    expect(peer.segments[0]?.options).toMatchObject({
      mss: 1360,
      windowScale: -1,
      hasTimestamps: true,
      echo: 77,
    });
  });

  test('keeps data that comes with the SYN until it is open', () => {
    const peer = new ScriptedPeer({ timestamps: false });
    peer.accept({ data: Buffer.from('early'), mss: 1000 });
    expect(peer.take()).toEqual(['SA 0/6']);
    expect(peer.events).toEqual([]);
    peer.send('A', 6, 1);
    expect(peer.take()).toEqual([]);
    expect(peer.events).toEqual(['connected', 'readable']);
    expect(peer.readAll().toString()).toBe('early');
  });

  test('takes a FIN with the ACK of its SYN', () => {
    const peer = new ScriptedPeer({ timestamps: false });
    peer.accept({ data: Buffer.from('all'), mss: 1000 });
    peer.take();
    peer.send('FA', 4, 1);
    expect(peer.state).toBe('CLOSE-WAIT');
    expect(peer.take()).toEqual(['A 1/5']);
  });

  test('sends the SYN-ACK again, later each time, and gives up after 31 s', () => {
    const peer = new ScriptedPeer({ timestamps: false });
    peer.accept({ mss: 1000 });
    expect(peer.take()).toEqual(['SA 0/1']);
    expect(peer.pass(31_000)).toEqual([
      '1000: SA 0/1',
      '3000: SA 0/1',
      '7000: SA 0/1',
      '15000: SA 0/1',
      '31000: RA 1/1',
    ]);
    expect(peer.events).toEqual(['closed timed-out']);
  });
});

describe('a simultaneous open', () => {
  test('crosses two SYNs', () => {
    const peer = new ScriptedPeer({ timestamps: false });
    peer.connection.connect(0);
    peer.take();
    peer.send('S', 0, 0, { mss: 1000 });
    expect(peer.state).toBe('SYN-RECEIVED');
    expect(peer.take()).toEqual(['SA 0/1']);
    peer.send('SA', 0, 1, { mss: 1000 });
    expect(peer.take()).toEqual(['A 1/1']);
    peer.send('A', 1, 1);
    expect(peer.state).toBe('ESTABLISHED');
    expect(peer.events).toEqual(['connected']);
  });

  test('is refused by a RST', () => {
    const peer = new ScriptedPeer({ timestamps: false });
    peer.connection.connect(0);
    peer.take();
    peer.send('S', 0, 0);
    peer.send('R', 1, 0);
    expect(peer.events).toEqual(['closed refused']);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('works over a bad line, seed %i', (seed) => {
    const link = { delayMs: 30, lossPercent: 20, reorderPercent: 10 };
    const pair = new TcpPair({ seed, link }).connect();
    pair.server.connection.connect(pair.clock.now());
    pair.client.send(Buffer.from('from the client'), { finish: true });
    pair.server.send(Buffer.from('from the server'), { finish: true });
    expect(pair.runUntil(() => pair.bothClosed)).toBe(true);
    expect(pair.client.receivedHash).toBe(pair.server.sentHash);
    expect(pair.server.receivedHash).toBe(pair.client.sentHash);
    expect([pair.client.failure, pair.server.failure]).toEqual([undefined, undefined]);
  });
});
