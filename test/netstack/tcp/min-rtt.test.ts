import { describe, expect, test } from 'vitest';
import { MIN_RTT_WINDOW_MS, MinRtt } from '../../../src/netstack/tcp/min-rtt.ts';

describe('MinRtt', () => {
  test.each([
    { name: 'nothing measured', samples: [], least: 0 },
    {
      name: 'the least',
      samples: [
        [30, 0],
        [20, 10],
        [40, 20],
      ],
      least: 20,
    },
    {
      name: 'of the window before, too',
      samples: [
        [20, 0],
        [40, MIN_RTT_WINDOW_MS],
      ],
      least: 20,
    },
    {
      name: 'not of one earlier than that',
      samples: [
        [20, 0],
        [40, MIN_RTT_WINDOW_MS],
        [50, 2 * MIN_RTT_WINDOW_MS],
      ],
      least: 40,
    },
    {
      name: 'not from before a long silence',
      samples: [
        [20, 0],
        [40, 3 * MIN_RTT_WINDOW_MS],
      ],
      least: 40,
    },
  ])('$name', ({ samples, least }) => {
    const minRtt = new MinRtt();
    for (const [roundTrip = 0, now = 0] of samples) minRtt.sample(roundTrip, now);
    expect(minRtt.valueMs).toBe(least);
  });
});
