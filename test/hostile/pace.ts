import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';

/** The client shares the thread with its server: nobody floods for longer without a pause. */
const SLICE_MS = 4;

export interface Pace {
  /** Give up after. */
  readonly ms: number;
  /** Be done after so many. Default: go on until the time is over. */
  readonly times?: number;
  /** Default: as often as it goes. */
  readonly perSecond?: number;
  /** Be done when it gives true. Default: never. */
  readonly until?: () => boolean;
}

/**
 * Calls `act` again and again; when it gives false, it is called again in the next turn of the
 * event loop.
 * @returns how often it gave true
 */
export async function flood(
  { ms, times = Number.POSITIVE_INFINITY, perSecond = Number.POSITIVE_INFINITY, until }: Pace,
  act: (count: number) => boolean,
): Promise<number> {
  const begunAt = performance.now();
  let count = 0;
  for (;;) {
    const turnAt = performance.now();
    const elapsedMs = turnAt - begunAt;
    if (elapsedMs >= ms || count >= times || until?.()) return count;
    const due = Math.min(times, (elapsedMs / 1000) * perSecond);
    while (count < due && performance.now() - turnAt < SLICE_MS && act(count)) count += 1;
    await (perSecond === Number.POSITIVE_INFINITY ? turn() : sleep(1));
  }
}

/** What `promise` gives, or `too late` after `ms`. */
export function within<T>(promise: Promise<T>, ms: number): Promise<T | 'too late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'too late'>((resolve) => {
    timer = setTimeout(resolve, ms, 'too late');
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
