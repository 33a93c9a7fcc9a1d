import type { Millis } from '../../src/core/machine.ts';
import { NumberedTraffic } from './numbered-traffic.ts';
import { Pair, type PairOptions } from './pair.ts';

/** Packets each way at most. */
const PACKETS = 200_000;

const HAND_WINDOW_MS = 60_000;

/** How long packets may be on their way at the end. */
const LAST_ARRIVALS_MS = 2_000;

/** A {@link Pair} with numbered packets going both ways all the time. */
export class BusyPair {
  readonly pair: Pair;
  readonly up: NumberedTraffic;
  readonly down: NumberedTraffic;

  private constructor(pair: Pair, intervalMs: Millis) {
    const { client, clock } = pair;
    const { session: server } = pair.server;
    if (server === undefined) throw new Error('expected a server with a tunnel');
    const pace = { intervalMs, limit: PACKETS };
    this.pair = pair;
    this.up = new NumberedTraffic(clock, { from: client.tun, to: server.tun }, pace);
    this.down = new NumberedTraffic(clock, { from: server.tun, to: client.tun }, pace);
  }

  /** @param intervalMs from one packet to the next, each way */
  static async connected(options: PairOptions, intervalMs: Millis): Promise<BusyPair> {
    const busy = new BusyPair(await Pair.connected(options), intervalMs);
    busy.up.start();
    busy.down.start();
    return busy;
  }

  /** Waits until both ends have completed so many renegotiations. @throws Error when they do not */
  async renegotiated(count: number): Promise<void> {
    const { pair } = this;
    const isDone = () => Math.min(pair.clientKeyIds.length, pair.server.keyIds.length) >= count;
    if (await pair.until(isDone, HAND_WINDOW_MS)) return;
    throw new Error(`renegotiation ${count} did not end: ${pair.account}`);
  }

  /** Lets arrive what is on its way, then stops. */
  async end(): Promise<void> {
    this.up.stop();
    this.down.stop();
    await this.pair.advance(LAST_ARRIVALS_MS);
    await this.pair.stop();
  }
}
