import type { Clock } from '../core/clock.ts';
import type { Millis } from '../core/machine.ts';

/** Waits for `delayMs`, without a timer for 0. @throws the reason of `signal`, when it is aborted before */
export async function pause(clock: Clock, delayMs: Millis, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (delayMs <= 0) return;
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.setTimer(clock.now() + delayMs, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    signal.addEventListener('abort', abort, { once: true });
  });
}
