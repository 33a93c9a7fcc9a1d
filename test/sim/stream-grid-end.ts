import { createHash } from 'node:crypto';
import type { TcpConnection } from '../../src/netstack/tcp/connection.ts';
import type { TcpEvents, TcpFailure } from '../../src/netstack/tcp/tcp-events.ts';
import { SeededRandom } from './seeded-random.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What is sent is cut out of these: no two places of it look alike. */
const TEXT = new SeededRandom(1).bytes(1 << 18);

/** What one end of a connection does. */
export interface StreamPlan {
  readonly sendBytes: number;
  /** Size of the chunks that are written. */
  readonly chunkBytes: number;
  /** Where in the text its bytes begin. */
  readonly from: number;
  /** Reads one chunk at a time, so far apart; 0 reads all at once. */
  readonly readEveryMs: number;
}

/** Most bytes that a plan can send. */
export const MAX_SEND_BYTES = 200_000;

/** The application at one end: sends, ends, and hashes what it hears, at its own pace. */
export class StreamGridEnd implements TcpEvents {
  receivedBytes = 0;
  ended = false;
  /** How often `closed` came, and what it said. */
  readonly closings: (TcpFailure | undefined)[] = [];
  readonly #clock: VirtualClock;
  readonly #plan: StreamPlan;
  readonly #hash = createHash('sha256');
  #connection: TcpConnection | undefined;
  #sent = 0;
  #reading = false;

  constructor(clock: VirtualClock, plan: StreamPlan) {
    this.#clock = clock;
    this.#plan = plan;
  }

  /** Begins on a connection that is open, or as soon as it is. */
  start(connection: TcpConnection): this {
    this.#connection = connection;
    this.writable();
    this.readable();
    return this;
  }

  get connection(): TcpConnection | undefined {
    return this.#connection;
  }

  /** SHA-256 of what was received. */
  get digest(): string {
    return this.#hash.copy().digest('hex');
  }

  connected(): void {}

  readable(): void {
    if (this.#plan.readEveryMs > 0) this.#readLater();
    else while (this.#readOne());
    this.ended ||= this.#connection?.ended ?? false;
  }

  writable(): void {
    const { sendBytes, chunkBytes, from } = this.#plan;
    while (this.#sent < sendBytes) {
      const at = from + this.#sent;
      const chunk = TEXT.subarray(at, at + Math.min(chunkBytes, sendBytes - this.#sent));
      this.#sent += chunk.length;
      if (this.#connection?.write(chunk) === false) break;
    }
    if (this.#sent === sendBytes) this.#connection?.shutdown();
  }

  closed(failure: TcpFailure | undefined): void {
    this.closings.push(failure);
  }

  #readOne(): boolean {
    const chunk = this.#connection?.read();
    if (chunk === undefined) return false;
    this.receivedBytes += chunk.length;
    this.#hash.update(chunk);
    return true;
  }

  #readLater(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#clock.setTimer(this.#clock.now() + this.#plan.readEveryMs, () => {
      this.#reading = false;
      if (this.#readOne()) this.#readLater();
      this.ended ||= this.#connection?.ended ?? false;
    });
  }
}

/** SHA-256 of what an end with this plan sends. */
export function digestOfPlan({ from, sendBytes }: StreamPlan): string {
  return createHash('sha256')
    .update(TEXT.subarray(from, from + sendBytes))
    .digest('hex');
}
