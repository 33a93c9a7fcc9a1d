// Opens tunnels by tundial one after the other, and pings through the last; writes one line of JSON
// with all times in milliseconds.
//   node answers-client.js PROFILE HOST STARTS PINGS INTERVAL_MS
import { startNewTunDialer } from '../../src/dialer/start-new-tun-dialer.ts';
import type { TunDialer } from '../../src/dialer/tun-dialer.ts';

const [profile = '', host = '', ...numbers] = process.argv.slice(2);
const [starts = 0, count = 0, intervalMs = 0] = numbers.map(Number);

const firstReplies: number[] = [];
const pings: number[] = [];
for (let start = 0; start <= starts; start += 1) {
  const startedAt = performance.now();
  const dialer = await startNewTunDialer({ profile });
  await ping(dialer, 1);
  if (start > 0) firstReplies.push(performance.now() - startedAt);
  if (start === starts) pings.push(...(await ping(dialer, count)));
  await dialer.close();
}
console.log(JSON.stringify({ firstReplies, pings }));

/** Round trips of those that were answered. */
async function ping(dialer: TunDialer, requests: number): Promise<number[]> {
  const times: number[] = [];
  for await (const { timeMs } of dialer.ping(host, { count: requests, intervalMs })) {
    if (timeMs !== undefined) times.push(timeMs);
  }
  return times;
}
