import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ScriptedPeer } from './scripted-peer.ts';

const MSS = 1000;

/** A peer that SACKs, 20 ms away. */
function sacking(): ScriptedPeer {
  const peer = new ScriptedPeer({ timestamps: false, windowScaling: false });
  peer.connection.connect(0);
  peer.take();
  peer.now = 20;
  peer.send('SA', 0, 1, { mss: MSS, sackPermitted: true });
  peer.take();
  return peer;
}

describe('a peer that lies', () => {
  test('gains nothing by acknowledging what was not sent', () => {
    const peer = sacking();
    peer.connection.write(Buffer.alloc(50 * MSS));
    peer.take();
    peer.send('A', 1, 1 + 11 * MSS);
    expect(peer.connection.info()).toMatchObject({ inFlight: 10 * MSS, cwnd: 10 * MSS });
  });

  test('gains nothing by acknowledging in small parts', () => {
    const [whole, parts] = [sacking(), sacking()];
    for (const peer of [whole, parts]) {
      peer.connection.write(Buffer.alloc(50 * MSS));
      peer.take();
    }
    whole.send('A', 1, 1 + 5 * MSS);
    for (let byte = 10; byte <= 5 * MSS; byte += 10) parts.send('A', 1, 1 + byte);
    expect(parts.connection.info().cwnd).toBeLessThanOrEqual(whole.connection.info().cwnd);
  });

  test('that repeats its blocks, or makes up small ones, costs little', () => {
    const peer = sacking();
    peer.connection.write(Buffer.alloc(60 * MSS));
    peer.take();
    for (let round = 0; round < 20_000; round += 1) {
      const from = 2 + ((round * 7919) % (9 * MSS));
      peer.send('A', 1, 1, {
        sacked: [
          [from, from + 1],
          [from + 2, from + 3],
          [2, 9 * MSS],
        ],
      });
    }
    expect(peer.connection.info()).toMatchObject({ sacked: 8 * MSS, recovering: true });
    expect(peer.take().length).toBeLessThan(20);
  });

  test('never makes more go out than the larger of the window and what it acknowledged', () => {
    const block = fc
      .tuple(fc.nat(70), fc.nat(70))
      .map(([a, b]) => [1 + Math.min(a, b) * MSS, 1 + Math.max(a, b) * MSS] as const);
    const step = fc.record({
      next: fc.nat(70),
      sacked: fc.array(block, { maxLength: 3 }),
      window: fc.constantFrom(65_535, 65_535, 0, 1000, 20_000),
      wait: fc.constantFrom(0, 0, 1, 20, 300),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const peer = sacking();
        peer.connection.write(Buffer.alloc(70 * MSS));
        peer.take();
        let acknowledged = 0;
        for (const { next, sacked, window, wait } of steps) {
          peer.pass(wait);
          peer.send('A', 1, 1 + next * MSS, { sacked, window });
          acknowledged = Math.max(acknowledged, next * MSS);
          const before = peer.connection.info();
          const sent = peer.take().filter((text) => text.includes('+'));
          const info = peer.connection.info();
          const pipe = info.inFlight - info.sacked - info.lost;
          expect(pipe).toBeGreaterThanOrEqual(0);
          expect(info.lost + info.sacked).toBeLessThanOrEqual(info.inFlight);
          expect(info.cwnd).toBeGreaterThanOrEqual(MSS);
          expect(info.cwnd).toBeLessThanOrEqual(140 * MSS);
          const room = Math.max(before.cwnd - (before.inFlight - before.sacked - before.lost), 0);
          expect(sent.length).toBeLessThanOrEqual(room / MSS + 3);
        }
      }),
      { numRuns: 300 },
    );
  });
});
