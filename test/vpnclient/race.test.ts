import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OvpnNetworkError } from '../../src/core/errors.ts';
import { type RaceSettings, raceInOrder, resolveRace } from '../../src/vpnclient/race.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

/** When an attempt ends, after its start, and how; `stays` hears of its signal and succeeds anyway. */
interface Plan {
  readonly ms: number;
  readonly ends: 'up' | 'down' | 'stays';
}

interface Ran {
  readonly log: readonly string[];
  readonly discarded: readonly number[];
  readonly outcome: unknown;
  readonly most: number;
}

/** Runs a race on a virtual clock; the log has `start`, `stop` (told to) and `fail` with their times. */
async function run(
  plans: readonly Plan[],
  settings: RaceSettings & { readonly abortAt?: number; readonly finalIndex?: number } = {},
): Promise<Ran> {
  const clock = new VirtualClock();
  const controller = new AbortController();
  const log: string[] = [];
  const discarded: number[] = [];
  let running = 0;
  let most = 0;
  const { abortAt, finalIndex, ...race } = settings;
  const attempt = (index: number, signal: AbortSignal): Promise<number> =>
    new Promise((resolve, reject) => {
      const plan = plans[index] ?? { ms: 0, ends: 'down' };
      log.push(`start ${index} at ${clock.now()}`);
      running += 1;
      most = Math.max(most, running);
      const end = (tell: () => void) => {
        running -= 1;
        tell();
      };
      const cancel = clock.setTimer(clock.now() + plan.ms, () =>
        end(() => (plan.ends === 'down' ? reject(failure(index)) : resolve(index))),
      );
      signal.addEventListener('abort', () => {
        log.push(`stop ${index} at ${clock.now()}`);
        if (plan.ends === 'stays') return;
        cancel();
        end(() => reject(signal.reason));
      });
    });
  let outcome: unknown = 'pending';
  const racing = raceInOrder(
    plans.map((_plan, index) => index),
    attempt,
    {
      ...race,
      clock,
      signal: controller.signal,
      discard: (late) => discarded.push(late),
      failed: (index) => log.push(`fail ${index} at ${clock.now()}`),
      isFinal: (error) => finalIndex !== undefined && error.message === `way ${finalIndex}`,
    },
  ).then(
    (winner) => {
      outcome = winner;
    },
    (error: unknown) => {
      outcome = error;
    },
  );
  if (abortAt !== undefined) clock.setTimer(abortAt, () => controller.abort('enough'));
  do await settled();
  while (clock.step());
  await racing;
  return { log, discarded, outcome, most };
}

/** All that promises have to do. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function failure(index: number): OvpnNetworkError {
  return new OvpnNetworkError('OVPN_UNREACHABLE', `way ${index}`, {
    layer: 'test',
    retryable: true,
  });
}

const up = (ms: number): Plan => ({ ms, ends: 'up' });
const down = (ms: number): Plan => ({ ms, ends: 'down' });
const stays = (ms: number): Plan => ({ ms, ends: 'stays' });

describe('raceInOrder', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'the first is quick: no other starts',    plans: [up(100), up(1)],                  winner: 0, log: ['start 0 at 0'] },
    { name: 'the second starts after the delay',      plans: [up(400), up(400)],                winner: 0, log: ['start 0 at 0', 'start 1 at 250', 'stop 1 at 400'] },
    { name: 'the second is faster',                   plans: [up(900), up(100)],                winner: 1, log: ['start 0 at 0', 'start 1 at 250', 'stop 0 at 350'] },
    { name: 'a failure starts the next at once',      plans: [down(10), up(5)],                 winner: 1, log: ['start 0 at 0', 'fail 0 at 10', 'start 1 at 10'] },
    { name: 'and its own delay runs from there',      plans: [down(10), up(400), up(400)],      winner: 1, log: ['start 0 at 0', 'fail 0 at 10', 'start 1 at 10', 'start 2 at 260', 'stop 2 at 410'] },
    { name: 'an early one that fails late starts none', plans: [down(300), up(300), up(9)],     winner: 2, log: ['start 0 at 0', 'start 1 at 250', 'fail 0 at 300', 'start 2 at 500', 'stop 1 at 509'] },
    { name: 'no more than three at once',             plans: [up(5000), up(5000), up(5000), up(1)], winner: 0, log: ['start 0 at 0', 'start 1 at 250', 'start 2 at 500', 'stop 1 at 5000', 'stop 2 at 5000'] },
    { name: 'room that a failure made is used',       plans: [down(1000), up(5000), up(5000), up(1)], winner: 3, log: ['start 0 at 0', 'start 1 at 250', 'start 2 at 500', 'fail 0 at 1000', 'start 3 at 1000', 'stop 1 at 1001', 'stop 2 at 1001'] },
  ])('$name', async ({ plans, winner, log }) => {
    const ran = await run(plans);
    expect(ran.log).toEqual(log);
    expect(ran.outcome).toBe(winner);
    expect(ran.discarded).toEqual([]);
  });

  test('who succeeds although told to stop is taken back', async () => {
    const ran = await run([stays(400), up(100)]);
    expect(ran.outcome).toBe(1);
    expect(ran.discarded).toEqual([0]);
  });

  test('all fail: one error that tells them in their order', async () => {
    const { outcome } = await run([down(900), down(10), down(10)]);
    expect(outcome).toMatchObject({ code: 'OVPN_UNREACHABLE', message: 'way 0; way 1; way 2' });
    expect((await run([down(3)])).outcome).toMatchObject({ message: 'way 0' });
  });

  test('a final error ends it at once', async () => {
    const ran = await run([up(900), down(10), up(1)], { finalIndex: 1 });
    expect(ran.outcome).toMatchObject({ message: 'way 1' });
    expect(ran.log).toEqual(['start 0 at 0', 'start 1 at 250', 'stop 0 at 260']);
  });

  test('the caller gives up: all are told, nothing starts', async () => {
    const ran = await run([up(900), stays(900), up(1)], { abortAt: 300 });
    expect(ran.outcome).toBe('enough');
    expect(ran.log).toEqual(['start 0 at 0', 'start 1 at 250', 'stop 0 at 300', 'stop 1 at 300']);
    expect(ran.discarded).toEqual([1]);
    const before = await run([up(1)], { abortAt: 0, delayMs: 0 });
    expect(before.outcome).toBe('enough');
  });

  test('nothing to try is an error', async () => {
    expect((await run([])).outcome).toBeInstanceOf(Error);
  });

  test('whatever happens: an order that is kept, a bound that is kept, one outcome', async () => {
    const plan = fc.record({
      ms: fc.integer({ min: 0, max: 1000 }),
      ends: fc.constantFrom('up' as const, 'down' as const, 'stays' as const),
    });
    const plans = fc.array(plan, { minLength: 1, maxLength: 6 });
    const settings = fc.record({
      delayMs: fc.integer({ min: 0, max: 400 }),
      atOnce: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(plans, settings, async (ways, race) => {
        const { log, outcome, most, discarded } = await run(ways, race);
        const started = log
          .filter((line) => line.startsWith('start'))
          .map((line) => Number(line[6]));
        expect(started).toEqual(started.map((_start, index) => index));
        expect(most).toBeLessThanOrEqual(race.atOnce);
        if (ways.every(({ ends }) => ends === 'down')) expect(outcome).toBeInstanceOf(Error);
        else expect(ways[outcome as number]?.ends).not.toBe('down');
        expect(discarded).not.toContain(outcome);
      }),
      { numRuns: 60 },
    );
  });
});

describe('resolveRace', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { race: undefined,                    resolved: undefined },
    { race: false,                        resolved: undefined },
    { race: true,                         resolved: { delayMs: 250, atOnce: 3 } },
    { race: { delayMs: 0 },               resolved: { delayMs: 0, atOnce: 3 } },
    { race: { atOnce: 1, delayMs: 1000 }, resolved: { delayMs: 1000, atOnce: 1 } },
  ])('$race', ({ race, resolved }) => {
    expect(resolveRace(race)).toEqual(resolved);
  });

  test.each([{ delayMs: -1 }, { delayMs: Number.NaN }, { atOnce: 0 }, { atOnce: 1.5 }])(
    '%j is refused',
    (race) => {
      expect(() => resolveRace(race)).toThrow(/expected `race`/);
    },
  );
});
