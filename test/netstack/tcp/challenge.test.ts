import { describe, expect, test } from 'vitest';
import { ChallengeLimit } from '../../../src/netstack/tcp/challenge.ts';

describe('ChallengeLimit', () => {
  test.each([0, 0x7fff_ffff, 0xffff_ffff])('allows two a second at most, seed %i', (seed) => {
    const limit = new ChallengeLimit(seed);
    let allowed = 0;
    for (let now = 0; now < 10_000; now += 1) if (limit.allows(now)) allowed += 1;
    expect(allowed).toBeLessThanOrEqual(20);
    expect(allowed).toBeGreaterThanOrEqual(15);
  });
});
