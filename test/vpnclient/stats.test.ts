import { expect, test } from 'vitest';
import type { SessionStats } from '../../src/session/session-stats.ts';
import { NO_STATS, StatsSum } from '../../src/vpnclient/stats.ts';

test('the sum of all sessions, those that live as they are now', async () => {
  const sum = new StatsSum();
  expect(sum.total).toEqual(NO_STATS);
  let end = () => {};
  const done = new Promise<void>((resolve) => {
    end = resolve;
  });
  const first: { done: Promise<void>; stats: SessionStats } = {
    done,
    stats: { ...NO_STATS, packetsIn: 2, drops: { muxer: { replay: 1 } } },
  };
  sum.follow(first);
  first.stats = { ...first.stats, packetsIn: 5 };
  expect(sum.total.packetsIn).toBe(5);
  end();
  await done;
  first.stats = NO_STATS;
  const second = {
    done: new Promise(() => {}),
    stats: {
      ...NO_STATS,
      packetsIn: 1,
      drops: { muxer: { replay: 2, size: 1 }, data: { tag: 3 } },
    },
  };
  sum.follow(second);
  expect(sum.total).toEqual({
    ...NO_STATS,
    packetsIn: 6,
    drops: { muxer: { replay: 3, size: 1 }, data: { tag: 3 } },
  });
});
