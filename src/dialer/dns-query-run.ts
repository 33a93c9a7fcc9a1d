import type { Cancel, Clock } from '../core/clock.ts';
import type { DnsOutcome, DnsQuery } from './dns-query.ts';
import type { DnsExchange, DnsTransport } from './dns-transport.ts';

/** Carries one {@link DnsQuery} between its machine, the transport and the clock until it ends. */
export class DnsQueryRun {
  /** Settles with the outcome; undefined after `cancel`. */
  readonly done: Promise<DnsOutcome | undefined>;
  readonly #query: DnsQuery;
  readonly #transport: DnsTransport;
  readonly #clock: Clock;
  #exchange: DnsExchange | undefined;
  #cancelTimer: Cancel = () => {};
  #resolve: (outcome: DnsOutcome | undefined) => void = () => {};
  #ended = false;

  constructor(query: DnsQuery, transport: DnsTransport, clock: Clock) {
    this.#query = query;
    this.#transport = transport;
    this.#clock = clock;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#step();
  }

  /** May be called twice. */
  cancel(): void {
    this.#end(undefined);
  }

  #step(): void {
    for (;;) {
      const send = this.#query.takeDown(this.#clock.now());
      if (send === undefined) break;
      this.#exchange?.close();
      this.#exchange = this.#transport.open(send, {
        message: (bytes) => {
          this.#query.fromBelow(bytes);
          this.#step();
        },
        failed: (cause) => {
          this.#query.onUnreachable(cause);
          this.#step();
        },
      });
      if (this.#exchange === undefined) this.#query.onUnreachable();
    }
    const outcome = this.#query.takeUp();
    if (outcome === undefined) this.#setTimer();
    else this.#end(outcome);
  }

  #setTimer(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.setTimer(this.#query.nextTimeout(), () => {
      this.#query.onTimeout(this.#clock.now());
      this.#step();
    });
  }

  #end(outcome: DnsOutcome | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelTimer();
    this.#exchange?.close();
    this.#resolve(outcome);
  }
}
