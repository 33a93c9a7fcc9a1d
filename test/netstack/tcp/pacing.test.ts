import { describe, expect, test } from 'vitest';
import { Pacing } from '../../../src/netstack/tcp/pacing.ts';

const MSS = 1000;

/** A sender with a window of `segments` and a round trip of `smoothedMs`. */
function sender(segments: number, smoothedMs: number, ssthresh = 0) {
  return { congestion: { cwnd: segments * MSS, ssthresh }, rto: { smoothedMs }, mss: MSS };
}

/** How many segments go at `now`. */
function burst(pacing: Pacing, paced: ReturnType<typeof sender>, now: number): number {
  let segments = 0;
  for (; segments < 10_000 && pacing.allows(MSS, paced, now); segments += 1) pacing.sent(MSS);
  return segments;
}

describe('Pacing', () => {
  test.each([
    {
      name: 'before a round trip was measured',
      segments: 500,
      smoothedMs: 0,
      ssthresh: 0,
      first: 10_000,
      next: 10_000,
    },
    {
      name: 'a round trip below a tick',
      segments: 500,
      smoothedMs: 0.9,
      ssthresh: 0,
      first: 10_000,
      next: 10_000,
    },
    {
      name: 'a slow line: ten at once',
      segments: 20,
      smoothedMs: 100,
      ssthresh: 0,
      first: 10,
      next: 0,
    },
    {
      name: 'avoidance: 1.25 windows a round trip',
      segments: 1600,
      smoothedMs: 100,
      ssthresh: 0,
      first: 40,
      next: 20,
    },
    {
      name: 'slow start: two',
      segments: 1600,
      smoothedMs: 100,
      ssthresh: Infinity,
      first: 64,
      next: 32,
    },
    {
      name: 'slow start after a loss, below half of ssthresh: two',
      segments: 1600,
      smoothedMs: 100,
      ssthresh: 3201 * MSS,
      first: 64,
      next: 32,
    },
    {
      name: 'from there on 1.25: the path is known to be full soon',
      segments: 1600,
      smoothedMs: 100,
      ssthresh: 3200 * MSS,
      first: 40,
      next: 20,
    },
  ])('$name', ({ segments, smoothedMs, ssthresh, first, next }) => {
    const pacing = new Pacing();
    const paced = sender(segments, smoothedMs, ssthresh);
    expect(burst(pacing, paced, 0)).toBe(first);
    expect(burst(pacing, paced, 1)).toBe(next);
  });

  test('what was not sent is not saved up', () => {
    const pacing = new Pacing();
    const paced = sender(1600, 100);
    burst(pacing, paced, 0);
    expect(burst(pacing, paced, 1000)).toBe(40);
  });

  test('says when to ask again: then something goes', () => {
    const pacing = new Pacing();
    const paced = sender(100, 100);
    burst(pacing, paced, 5);
    expect(pacing.nextAt).toBe(6);
    expect(burst(pacing, paced, pacing.nextAt)).toBe(1);
  });

  test('a window a round trip gets through', () => {
    const pacing = new Pacing();
    const paced = sender(300, 40);
    let sent = 0;
    for (let now = 0; now < 400; now += 1) sent += burst(pacing, paced, now);
    expect(sent).toBeGreaterThan(10 * 300);
    expect(sent).toBeLessThanOrEqual(10 * 300 * 1.26);
  });
});
