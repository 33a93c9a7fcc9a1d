import { describe, expect, test } from 'vitest';
import { established, inState, LOCAL_ISN, REMOTE_ISN } from './scripted-peer.ts';
import { TcpPair } from './tcp-pair.ts';

describe('shutdown', () => {
  test('ends one direction; the other goes on', () => {
    const peer = established();
    peer.connection.shutdown();
    expect(peer.take()).toEqual(['FA 1/1']);
    peer.send('A', 1, 2);
    expect(peer.state).toBe('FIN-WAIT-2');
    peer.pass(600_000);
    peer.send('A', 1, 2, { data: 10 });
    expect(peer.take()).toEqual(['A 2/11']);
    peer.send('FA', 11, 2);
    expect(peer.take()).toEqual(['A 2/12']);
    expect(peer.events).toEqual(['connected', 'readable', 'readable', 'closed in order']);
    expect(peer.readAll()).toHaveLength(10);
    expect(peer.connection.ended).toBe(true);
  });

  test('may follow long after the peer has ended', () => {
    const peer = established();
    peer.send('FA', 1, 1);
    peer.take();
    peer.pass(600_000);
    peer.connection.write(Buffer.from('late'));
    peer.connection.shutdown();
    expect(peer.take()).toEqual(['FA 1/2 +4']);
    expect(peer.state).toBe('LAST-ACK');
    peer.send('A', 2, 6);
    expect(peer.state).toBe('CLOSED');
    expect(peer.connection.done).toBe(true);
    expect(peer.events.at(-1)).toBe('closed in order');
  });

  test('called twice does no more than once', () => {
    const peer = established();
    peer.connection.shutdown();
    peer.connection.shutdown();
    expect(peer.take()).toEqual(['FA 1/1']);
    peer.connection.shutdown();
    expect(peer.take()).toEqual([]);
  });

  test('crosses the peer’s', () => {
    const peer = inState('FIN-WAIT-1');
    peer.send('FA', 1, 1);
    expect(peer.state).toBe('CLOSING');
    expect(peer.take()).toEqual(['A 2/2']);
    peer.send('A', 2, 2);
    expect(peer.state).toBe('TIME-WAIT');
  });
});

describe('TIME-WAIT', () => {
  test('lasts a minute', () => {
    const peer = inState('TIME-WAIT');
    expect(peer.connection.nextTimeout()).toBe(60_000);
    peer.pass(59_999);
    expect(peer.state).toBe('TIME-WAIT');
    peer.pass(1);
    expect(peer.connection.done).toBe(true);
    expect(peer.connection.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });

  test('starts over when the FIN comes again, and answers it', () => {
    const peer = inState('TIME-WAIT');
    peer.pass(50_000);
    peer.send('FA', 1, 2);
    expect(peer.take()).toEqual(['A 2/2']);
    peer.pass(59_999);
    expect(peer.state).toBe('TIME-WAIT');
    peer.pass(1);
    expect(peer.state).toBe('CLOSED');
  });
});

describe('abort', () => {
  test.each([
    { state: 'SYN-SENT' as const, sent: [] },
    { state: 'SYN-RECEIVED' as const, sent: ['RA 1/1'] },
    { state: 'ESTABLISHED' as const, sent: ['RA 1/1'] },
    { state: 'FIN-WAIT-1' as const, sent: ['RA 2/1'] },
    { state: 'FIN-WAIT-2' as const, sent: ['RA 2/1'] },
    { state: 'CLOSE-WAIT' as const, sent: ['RA 1/2'] },
    { state: 'CLOSING' as const, sent: ['RA 2/2'] },
    { state: 'LAST-ACK' as const, sent: ['RA 2/2'] },
  ])('in $state', ({ state, sent }) => {
    const peer = inState(state);
    peer.connection.abort();
    expect(peer.events).toEqual(['closed aborted']);
    expect(peer.connection.done).toBe(sent.length === 0);
    expect(peer.take()).toEqual(sent);
    expect(peer.connection.done).toBe(true);
    peer.connection.abort();
    expect(peer.events).toEqual(['closed aborted']);
    expect(peer.connection.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });

  test('leaves what had arrived', () => {
    const peer = established();
    peer.send('A', 1, 1, { data: Buffer.from('kept') });
    peer.send('R', 5, 0);
    expect(peer.events).toEqual(['connected', 'readable', 'closed reset']);
    expect(peer.readAll().toString()).toBe('kept');
    expect(peer.connection.ended).toBe(false);
  });
});

describe('close', () => {
  test('is a FIN when all was read', () => {
    const peer = established();
    peer.connection.close();
    expect(peer.take()).toEqual(['FA 1/1']);
  });

  test('is a RST when data was left unread', () => {
    const peer = established();
    peer.send('A', 1, 1, { data: 10 });
    peer.take();
    peer.connection.close();
    expect(peer.take()).toEqual(['RA 1/11']);
  });

  test('answers data that comes later with a RST, but not what came before', () => {
    const peer = established();
    peer.send('A', 1, 1, { data: 10 });
    peer.take();
    peer.readAll();
    peer.connection.close();
    expect(peer.take()).toEqual(['FA 1/11']);
    peer.send('A', 1, 1, { data: 10 });
    expect(peer.take()).toEqual(['A 2/11']);
    peer.send('A', 11, 1, { data: 1 });
    expect(peer.take()).toEqual(['RA 2/11']);
    expect(peer.connection.done).toBe(true);
  });

  test.each([
    { name: 'before', first: false },
    { name: 'after', first: true },
  ])('awaits the peer’s FIN for a minute, called $name the ACK of ours', ({ first }) => {
    const peer = established();
    if (first) peer.connection.shutdown();
    else peer.connection.close();
    peer.take();
    peer.send('A', 1, 2);
    if (first) peer.connection.close();
    peer.take();
    peer.pass(59_999);
    expect(peer.state).toBe('FIN-WAIT-2');
    expect(peer.pass(1)).toEqual(['60000: RA 2/1']);
    expect(peer.connection.done).toBe(true);
  });

  test('in SYN-SENT forgets the connection', () => {
    const peer = inState('SYN-SENT');
    peer.connection.close();
    expect(peer.take()).toEqual([]);
    expect(peer.events).toEqual(['closed aborted']);
  });
});

describe('keepalive', () => {
  const options = { enabled: true, idleMs: 10_000, intervalMs: 1000, count: 3 };

  test('asks a silent peer, and goes on when it answers', () => {
    const peer = established();
    peer.connection.setKeepAlive(options);
    expect(peer.pass(10_500)).toEqual(['10000: A 0/1']);
    peer.send('A', 1, 1);
    expect(peer.pass(9999)).toEqual([]);
    expect(peer.pass(1)).toEqual(['20500: A 0/1']);
  });

  test('gives up after so many unanswered', () => {
    const peer = established();
    peer.connection.setKeepAlive(options);
    expect(peer.pass(20_000)).toEqual([
      '10000: A 0/1',
      '11000: A 0/1',
      '12000: A 0/1',
      '13000: RA 1/1',
    ]);
    expect(peer.events.at(-1)).toBe('closed timed-out');
  });

  test('can be set before the connection is open, and switched off', () => {
    const peer = inState('SYN-SENT');
    peer.connection.setKeepAlive(options);
    peer.send('SA', 0, 1);
    peer.take();
    peer.connection.setKeepAlive({ enabled: false });
    expect(peer.pass(100_000)).toEqual([]);
  });

  test('does not ask while data is in flight', () => {
    const peer = established();
    peer.connection.setKeepAlive({ ...options, idleMs: 100 });
    peer.connection.write(Buffer.alloc(10));
    peer.take();
    expect(peer.pass(1000)).toEqual(['200: A 1/1 +10', '600: A 1/1 +10']);
  });
});

describe('a pair that closes', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('at the same time over a bad line, seed %i', (seed) => {
    const pair = new TcpPair({ seed, link: { delayMs: 20, lossPercent: 25 } }).connect();
    pair.runUntil(() => pair.client.log.length > 0 && pair.server.log.length > 0);
    pair.client.connection.shutdown();
    pair.server.connection.shutdown();
    expect(pair.runUntil(() => pair.bothClosed)).toBe(true);
    expect([pair.client.failure, pair.server.failure]).toEqual([undefined, undefined]);
    pair.runUntil(() => false);
    expect(pair.client.connection.done && pair.server.connection.done).toBe(true);
  });
});

test('the sequence numbers of these tests wrap', () => {
  expect(LOCAL_ISN + 100).toBeGreaterThan(0xffff_ffff);
  expect(REMOTE_ISN + 100).toBeGreaterThan(0x7fff_ffff);
});
