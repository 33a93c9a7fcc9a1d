import { describe, expect, test } from 'vitest';
import { OpenProbes } from '../../src/dialer/open-probes.ts';
import { address } from '../sim/netstack-pair.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const ANSWER = { from: address('10.8.0.2'), reason: 'reply', mtu: 0 } as const;

describe('OpenProbes', () => {
  test('gives each probe its answer and its time, or silence', async () => {
    const clock = new VirtualClock();
    const probes = new OpenProbes(clock, 100);
    const outcomes = [1, 2, 3].map((number) => probes.begin(number));
    clock.advance(30);
    probes.settle(2, ANSWER);
    probes.settle(2, { ...ANSWER, reason: 'prohibited' });
    probes.settle(9, ANSWER);
    clock.advance(40);
    probes.settle(1, ANSWER, 50);
    clock.advance(30);
    probes.settle(3, ANSWER);
    const told = await Promise.all(outcomes);
    expect(told.map(({ reason, ms }) => [reason, ms])).toEqual([
      ['reply', 50],
      ['reply', 30],
      ['timed-out', undefined],
    ]);
    expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('ends what is on its way, and what would follow, with the first error', async () => {
    const clock = new VirtualClock();
    const probes = new OpenProbes(clock, 100);
    const waiting = probes.begin(1);
    const why = new Error('why');
    probes.close(why);
    probes.close(new Error('later'));
    await expect(waiting).rejects.toBe(why);
    await expect(probes.begin(2)).rejects.toBe(why);
    expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
  });
});
