import { describe, expect, test } from 'vitest';
import { answer, MSS, sacking } from './sacking-peer.ts';
import { ScriptedPeer } from './scripted-peer.ts';

describe('a path that was down and is back', () => {
  test('the oldest segment goes at once, and the next timeout is a first one', () => {
    const peer = sacking(3);
    peer.pass(60_000);
    const { rtoMs: backedOffMs, ssthresh } = peer.connection.info();
    expect(backedOffMs).toBeGreaterThan(10_000);
    peer.connection.pathIsBack(peer.now);
    expect(peer.pass(0)[0]).toBe(`${peer.now}: A 1/1 +536`);
    expect(peer.connection.info()).toMatchObject({ ssthresh });
    expect(peer.connection.info().rtoMs).toBeLessThan(1_000);
  });

  test('long outages do not make segments small', () => {
    const peer = sacking(3);
    peer.pass(60_000);
    peer.connection.pathIsBack(peer.now);
    peer.pass(0);
    answer(peer, 3);
    peer.connection.write(Buffer.alloc(MSS));
    expect(peer.take()).toEqual(['A 3001/1 +1000']);
  });

  test('a SYN goes again at once', () => {
    const peer = new ScriptedPeer();
    peer.connection.connect(0);
    peer.take();
    peer.pass(10_000);
    peer.connection.pathIsBack(peer.now);
    expect(peer.pass(0)).toEqual([`${peer.now}: S 0`]);
  });

  test('the time that nothing was acknowledged does not count', () => {
    const peer = sacking(1, { userTimeoutMs: 30_000 });
    peer.pass(20_000);
    peer.now += 3_600_000;
    peer.connection.pathIsBack(peer.now);
    peer.pass(20_000);
    expect(peer.events).not.toContain('closed timed-out');
    peer.pass(20_000);
    expect(peer.events).toContain('closed timed-out');
  });

  test('a closed window is asked for at once', () => {
    const peer = sacking(1);
    peer.send('A', 1, 1 + MSS, { window: 0 });
    peer.take();
    peer.connection.write(Buffer.alloc(MSS));
    peer.take();
    peer.pass(60_000);
    peer.connection.pathIsBack(peer.now);
    expect(peer.pass(0)).toHaveLength(1);
  });

  test('nothing in flight: nothing is sent', () => {
    const peer = sacking(1);
    answer(peer, 1);
    peer.connection.pathIsBack(peer.now);
    expect(peer.pass(0)).toEqual([]);
    expect(peer.connection.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });
});
