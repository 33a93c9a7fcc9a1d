import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 1_000;

/**
 * What keeps the event loop busy now and did not when `before` was taken. Node forgets a closed
 * handle only a few turns after its `close` event, so it is asked again for a while.
 */
export async function resourcesSince(before: readonly string[]): Promise<string[]> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const left = difference(process.getActiveResourcesInfo(), before);
    if (left.length === 0 || performance.now() > until) return left;
    await sleep(5);
  }
}

function difference(now: readonly string[], before: readonly string[]): string[] {
  const left = [...now];
  for (const name of before) {
    const at = left.indexOf(name);
    if (at >= 0) left.splice(at, 1);
  }
  return left;
}
