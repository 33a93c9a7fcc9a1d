import type { Millis } from './machine.ts';

/** Stops what it stands for; may be called twice. */
export type Cancel = () => void;

/** Where time comes from. Everything that waits takes one, so that tests can bring their own. */
export interface Clock {
  /** Monotonic time. Only differences mean anything. */
  now(): Millis;
  /** Seconds since 1970, whole: for fields on the wire. */
  unixSeconds(): number;
  /** Calls back once at `at` (or as soon as possible after it). */
  setTimer(at: Millis, callback: () => void): Cancel;
  /** Calls back once, after what is ready now has been handled. */
  setImmediate(callback: () => void): Cancel;
}

/** Longest delay that Node's timers keep; a later deadline is reached in several steps. */
export const MAX_TIMER_DELAY_MS = 0x7fff_ffff;

/** The process's own clock. Its timers keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  unixSeconds: () => Math.floor(Date.now() / 1000),
  setTimer(at, callback) {
    const timer = startTimer(at, callback);
    return () => clearTimeout(timer);
  },
  setImmediate(callback) {
    const immediate = setImmediate(callback);
    return () => clearImmediate(immediate);
  },
};

/** The same for owners that keep the process alive by other means: its timers do not. */
export const backgroundClock: Clock = {
  ...systemClock,
  setTimer(at, callback) {
    const timer = startTimer(at, callback).unref();
    return () => clearTimeout(timer);
  },
};

function startTimer(at: Millis, callback: () => void): NodeJS.Timeout {
  const delay = Math.min(Math.max(Math.ceil(at - performance.now()), 0), MAX_TIMER_DELAY_MS);
  return setTimeout(callback, delay);
}
