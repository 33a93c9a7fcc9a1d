import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Prr } from '../../../src/netstack/tcp/prr.ts';

const MSS = 1000;

function begun(segments: number, ssthresh: number): Prr {
  const prr = new Prr();
  prr.begin(segments * MSS, ssthresh * MSS);
  return prr;
}

/**
 * Twenty segments were out, `lost` of them are lost, one acknowledgement comes for each other one.
 * Gives how many segments go out for each, and what is in flight in the end.
 */
function recover(lost: number): { sent: number[]; pipe: number } {
  const prr = begun(20, 10);
  const sent: number[] = [];
  let pipe = 20 - lost;
  for (let acknowledgement = 0; acknowledgement < 20 - lost; acknowledgement += 1) {
    pipe -= 1;
    const window = prr.onAck(MSS, pipe * MSS, false, MSS);
    const segments = Math.floor(window / MSS) - pipe;
    prr.onSent(segments * MSS);
    pipe += segments;
    sent.push(segments);
  }
  return { sent, pipe };
}

describe('Prr', () => {
  test('sends for every second acknowledgement when one was lost', () => {
    const { sent, pipe } = recover(1);
    expect(sent).toEqual([1, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 1]);
    expect(pipe).toBe(10);
  });

  test('sends one for each when fifteen were lost', () => {
    expect(recover(15)).toEqual({ sent: [1, 1, 1, 1, 1], pipe: 5 });
  });

  test.each([
    { name: 'in proportion above ssthresh', pipe: 15, delivered: 3, safe: false, allowed: 1_500 },
    { name: 'safe or not', pipe: 15, delivered: 3, safe: true, allowed: 1_500 },
    {
      name: 'what was delivered, at ssthresh',
      pipe: 10,
      delivered: 3,
      safe: false,
      allowed: 1_000,
    },
    { name: 'what was delivered, below it', pipe: 4, delivered: 3, safe: false, allowed: 3_000 },
    {
      name: 'a segment more, where that is safe',
      pipe: 4,
      delivered: 3,
      safe: true,
      allowed: 4_000,
    },
    { name: 'no more than leads to ssthresh', pipe: 8, delivered: 3, safe: true, allowed: 2_000 },
  ])('allows $name', ({ pipe, delivered, safe, allowed }) => {
    const window = begun(20, 10).onAck(delivered * MSS, pipe * MSS, safe, MSS);
    expect(window).toBe(pipe * MSS + allowed);
  });

  test('rounds up in proportion', () => {
    const prr = begun(3, 2);
    prr.onSent(1);
    expect(prr.onAck(1000, 2500, false, MSS)).toBe(2500 + 666);
  });

  test('below ssthresh it allows what was delivered now, though more was sent before', () => {
    const prr = begun(20, 10);
    prr.onSent(9 * MSS);
    expect(prr.onAck(2 * MSS, 4 * MSS, false, MSS)).toBe(6 * MSS);
  });

  test('below ssthresh it makes up for what was delivered and not answered', () => {
    const prr = begun(20, 10);
    prr.onSent(MSS);
    prr.onAck(4 * MSS, 9 * MSS, false, MSS);
    expect(prr.onAck(MSS, 4 * MSS, false, MSS)).toBe(8 * MSS);
  });

  test('always allows the first retransmission', () => {
    const prr = begun(20, 10);
    expect(prr.onAck(0, 19 * MSS, false, MSS)).toBe(20 * MSS);
    expect(prr.onAck(1, 19 * MSS, false, MSS)).toBe(20 * MSS);
    prr.onSent(MSS);
    expect(prr.onAck(0, 19 * MSS, false, MSS)).toBe(19 * MSS);
    expect(prr.onAck(1, 19 * MSS, false, MSS)).toBe(19 * MSS);
  });

  test('keeps what was allowed and not sent, when nothing is delivered', () => {
    const prr = begun(20, 10);
    prr.onAck(8 * MSS, 12 * MSS, false, MSS);
    prr.onSent(1_500);
    expect(prr.onAck(0, 12 * MSS, false, MSS)).toBe(12 * MSS + 2_500);
  });

  test('keeps it below ssthresh too', () => {
    const prr = begun(20, 10);
    prr.onAck(2 * MSS, 4 * MSS, true, MSS);
    prr.onSent(MSS);
    expect(prr.onAck(0, 4 * MSS, false, MSS)).toBe(6 * MSS);
  });

  test('never takes back what went out beyond its allowance', () => {
    const prr = begun(20, 10);
    prr.onAck(2 * MSS, 18 * MSS, false, MSS);
    prr.onSent(5 * MSS);
    expect(prr.onAck(0, 18 * MSS, false, MSS)).toBe(18 * MSS);
  });

  test('forgets an earlier recovery', () => {
    const prr = begun(20, 10);
    prr.onAck(8 * MSS, 12 * MSS, false, MSS);
    prr.onSent(4 * MSS);
    prr.begin(10 * MSS, 5 * MSS);
    expect(prr.onAck(0, 9 * MSS, false, MSS)).toBe(10 * MSS);
    expect(prr.onAck(4 * MSS, 6 * MSS, false, MSS)).toBe(8 * MSS);
  });

  test('divides nothing by nothing', () => {
    const prr = begun(0, 2);
    expect(prr.onAck(1, 3 * MSS, false, MSS)).toBe(3 * MSS + 2 * MSS);
  });

  test('never leads above ssthresh but by the first segment, nor sends above its share', () => {
    const acknowledgements = fc.array(
      fc.record({ delivered: fc.nat(20_000), lost: fc.nat(5_000), safe: fc.boolean() }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 400 }), acknowledgements, (segments, list) => {
        const flight = segments * MSS;
        const ssthresh = Math.max(0.7 * flight, 2 * MSS);
        const prr = new Prr();
        prr.begin(flight, ssthresh);
        let pipe = flight;
        let sent = 0;
        let arrived = 0;
        for (const { delivered, lost, safe } of list) {
          pipe = Math.max(pipe - delivered - lost, 0);
          const window = prr.onAck(delivered, pipe, safe, MSS);
          const first = sent === 0 ? MSS : 0;
          expect(window).toBeGreaterThanOrEqual(pipe);
          arrived += delivered;
          const share = Math.max(Math.ceil((arrived * ssthresh) / flight) - sent, first, 0);
          const bound = pipe > ssthresh ? pipe + share : ssthresh + first;
          expect(window).toBeLessThanOrEqual(bound);
          const bytes = Math.floor((window - pipe) / MSS) * MSS;
          prr.onSent(bytes);
          sent += bytes;
          pipe += bytes;
        }
      }),
    );
  });
});
