import { describe, expect, test } from 'vitest';
import { answer, blocks, MSS, ROUND_TRIP_MS, sacking } from './sacking-peer.ts';
import { ScriptedPeer } from './scripted-peer.ts';

describe('the tail loss probe', () => {
  test('sends the last segment again after two round trips', () => {
    const peer = sacking(3);
    expect(peer.pass(2 * ROUND_TRIP_MS)).toEqual(['300: A 2001/1 +1000']);
    expect(peer.connection.info()).toMatchObject({ probes: 1, timeouts: 0, recovering: false });
  });

  test('waits longer for the answer to one segment, but not for the timeout', () => {
    const peer = sacking(1);
    const { rtoMs } = peer.connection.info();
    expect(peer.pass(1000)[0]).toBe(`${ROUND_TRIP_MS + Math.min(400, rtoMs)}: A 1/1 +1000`);
    expect(peer.connection.info().probes).toBe(1);
  });

  test('sends new data where there is some, beyond the window', () => {
    const peer = sacking(12);
    expect(peer.pass(2 * ROUND_TRIP_MS)).toEqual(['300: A 10001/1 +1000']);
    expect(peer.connection.info()).toMatchObject({ retransmits: 0, inFlight: 11 * MSS });
  });

  test('is one; then comes the timeout', () => {
    const peer = sacking(3);
    peer.pass(2 * ROUND_TRIP_MS);
    const sent = peer.pass(400);
    expect(sent).toEqual(['600: A 1/1 +1000']);
    expect(peer.connection.info()).toMatchObject({ probes: 1, timeouts: 1 });
  });

  test('shows what else is missing, which goes again at once', () => {
    const peer = sacking(10);
    peer.pass(ROUND_TRIP_MS);
    answer(peer, 6);
    expect(peer.pass(2 * ROUND_TRIP_MS)).toEqual(['400: A 9001/1 +1000']);
    peer.pass(ROUND_TRIP_MS);
    expect(answer(peer, 6, blocks([9, 10]))).toEqual(['A 6001/1 +1000']);
    expect(answer(peer, 7, blocks([9, 10]))).toEqual(['A 7001/1 +1000', 'A 8001/1 +1000']);
    expect(peer.connection.info().timeouts).toBe(0);
  });

  test('that repaired a loss makes the window smaller, once more was acknowledged', () => {
    const peer = sacking(10);
    peer.pass(2 * ROUND_TRIP_MS);
    answer(peer, 10);
    expect(peer.connection.info().ssthresh).toBe(Number.POSITIVE_INFINITY);
    peer.connection.write(Buffer.alloc(MSS));
    peer.take();
    peer.pass(ROUND_TRIP_MS);
    answer(peer, 11);
    expect(peer.connection.info().ssthresh).toBeLessThan(10 * MSS);
  });

  test('whose original arrived too says nothing', () => {
    const peer = sacking(10);
    peer.pass(2 * ROUND_TRIP_MS);
    answer(peer, 10);
    answer(peer, 10, blocks([9, 10]));
    peer.connection.write(Buffer.alloc(MSS));
    peer.take();
    peer.pass(ROUND_TRIP_MS);
    answer(peer, 11);
    expect(peer.connection.info()).toMatchObject({
      ssthresh: Number.POSITIVE_INFINITY,
      reordering: false,
    });
  });

  test('is not sent to a peer without SACK', () => {
    const peer = sacking(3, { sack: false });
    peer.pass(250);
    expect(peer.connection.info()).toMatchObject({ probes: 0, retransmits: 0 });
  });
});

describe('congestion that the peer echoes', () => {
  test('makes the window smaller, once for all in flight, and the next new data says so', () => {
    const peer = new ScriptedPeer({
      timestamps: false,
      windowScaling: false,
      ecn: true,
      congestion: 'reno',
    });
    peer.connection.connect(0);
    peer.take();
    peer.send('SAE', 0, 1, { mss: MSS, sackPermitted: true });
    peer.connection.write(Buffer.alloc(40 * MSS));
    peer.take();
    peer.send('AE', 1, 1 + 2 * MSS);
    peer.send('AE', 1, 1 + 8 * MSS);
    expect(peer.take()[0]).toBe('AW 10001/1 +1000');
    expect(peer.connection.info()).toMatchObject({ ssthresh: 5 * MSS, retransmits: 0 });
    peer.send('AE', 1, 1 + 10 * MSS);
    expect(peer.connection.info().ssthresh).toBe(5 * MSS);
    expect(peer.take().filter((text) => text.startsWith('AW'))).toEqual([]);
  });

  test('says nothing when it was not agreed', () => {
    const peer = sacking(10);
    peer.send('AE', 1, 1 + 2 * MSS);
    expect(peer.connection.info().ssthresh).toBe(Number.POSITIVE_INFINITY);
  });
});
