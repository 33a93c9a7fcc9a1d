import PQueue from 'p-queue';
import type { Clock } from '../core/clock.ts';
import type { RandomSource } from '../core/random.ts';
import { DnsCache } from './dns-cache.ts';
import { type DnsOutcome, DnsQuery } from './dns-query.ts';
import { DnsQueryRun } from './dns-query-run.ts';
import type { DnsType } from './dns-record.ts';
import type { DnsServer } from './dns-server.ts';
import type { DnsTransport } from './dns-transport.ts';

/** Most questions on their way at once; the others wait. */
export const MAX_QUERIES_IN_FLIGHT = 32;

export interface DnsQuestionsParts {
  readonly transport: DnsTransport;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** The questions of one tunnel: what is known, what is being asked, and what waits its turn. */
export class DnsQuestions {
  readonly #parts: DnsQuestionsParts;
  readonly #cache = new DnsCache();
  readonly #flights = new Map<string, Promise<DnsOutcome | undefined>>();
  readonly #runs = new Set<DnsQueryRun>();
  readonly #queue = new PQueue({ concurrency: MAX_QUERIES_IN_FLIGHT });
  /** Answers to questions of an earlier one are not kept. */
  #generation = 0;
  #closed = false;

  constructor(parts: DnsQuestionsParts) {
    this.#parts = parts;
  }

  /**
   * What is known of `name`, or what its servers say: those who ask for the same thing at the same
   * time share one question (RFC 5452 §5). Undefined after `close`.
   *
   * @param name normalized; @param servers at least one, always the same for a name
   */
  ask(name: string, type: DnsType, servers: readonly DnsServer[]): Promise<DnsOutcome | undefined> {
    const { clock } = this.#parts;
    const cached = this.#cache.get(name, type, clock.now());
    if (cached !== undefined) return Promise.resolve(cached);
    const key = `${type} ${name}`;
    const flight = this.#flights.get(key);
    if (flight !== undefined) return flight;
    const generation = this.#generation;
    const asked = this.#queue
      .add(() => this.#run(name, type, servers))
      .then((outcome) => {
        const isCurrent = generation === this.#generation;
        if (isCurrent && outcome !== undefined && outcome.kind !== 'failed') {
          this.#cache.put(name, type, outcome, clock.now());
        }
        return outcome;
      })
      .finally(() => {
        if (this.#flights.get(key) === asked) this.#flights.delete(key);
      });
    this.#flights.set(key, asked);
    return asked;
  }

  /** What is known counts no more; questions on their way go on for those who asked. */
  forget(): void {
    this.#cache.clear();
    this.#flights.clear();
    this.#generation += 1;
  }

  /** Ends every question. May be called twice. */
  close(): void {
    this.#closed = true;
    for (const run of this.#runs) run.cancel();
    this.#cache.clear();
    this.#parts.transport.close();
  }

  async #run(
    name: string,
    type: DnsType,
    servers: readonly DnsServer[],
  ): Promise<DnsOutcome | undefined> {
    if (this.#closed) return undefined;
    const { random, transport, clock } = this.#parts;
    const run = new DnsQueryRun(new DnsQuery(name, type, servers, random), transport, clock);
    this.#runs.add(run);
    const outcome = await run.done;
    this.#runs.delete(run);
    return outcome;
  }
}
