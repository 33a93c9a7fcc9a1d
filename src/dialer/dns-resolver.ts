import PQueue from 'p-queue';
import type { Cancel, Clock } from '../core/clock.ts';
import type { RandomSource } from '../core/random.ts';
import { IpAddress } from '../netstack/ip-address.ts';
import { abortable } from './abortable.ts';
import { DnsCache } from './dns-cache.ts';
import { DnsError, type DnsErrorCode } from './dns-error.ts';
import { addressesWithoutAsking, candidateNames, type DnsServer, reverseName } from './dns-name.ts';
import { type DnsOutcome, DnsQuery } from './dns-query.ts';
import { DnsQueryRun } from './dns-query-run.ts';
import type { DnsRecord, DnsType } from './dns-record.ts';
import type { DnsTransport } from './dns-transport.ts';

/** Most questions on their way at once; the others wait. */
export const MAX_QUERIES_IN_FLIGHT = 32;
/** Once one family is known, how long the other may still take. Unit: milliseconds. */
export const OTHER_FAMILY_GRACE_MS = 250;

const NO_SERVER_HINT =
  'the server pushed no DNS server and names are never asked outside the tunnel: ' +
  'give the option `dnsServers`, or an address instead of the name';

export interface DnsResolverParts {
  readonly transport: DnsTransport;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly servers: readonly DnsServer[];
  readonly searchDomains: readonly string[];
  /** The families that the tunnel has, the preferred one first. */
  readonly families: readonly (4 | 6)[];
}

export interface LookupAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

export interface LookupOptions {
  /** Which addresses to ask for; 0 is both. Default: 0. */
  readonly family?: 0 | 4 | 6 | undefined;
  /** Ends the waiting, not the question: others may wait for the same one. */
  readonly signal?: AbortSignal | undefined;
}

/** All that is known of one answer. */
export interface DnsReply<T extends DnsType = DnsType> {
  /** The name that was found: with a search domain, where one was needed. */
  readonly name: string;
  readonly type: T;
  /** `address:port` of the server that answered; `localhost` where none was asked. */
  readonly server: string;
  /** The aliases on the way, then the records of the type that was asked for. */
  readonly records: readonly DnsRecord[];
}

/** Resolves names inside the tunnel, and nowhere else, as `node:dns/promises` does. */
export class DnsResolver {
  readonly #parts: DnsResolverParts;
  readonly #cache = new DnsCache();
  readonly #flights = new Map<string, Promise<DnsOutcome | undefined>>();
  readonly #runs = new Set<DnsQueryRun>();
  readonly #queue = new PQueue({ concurrency: MAX_QUERIES_IN_FLIGHT });
  #closed = false;
  #closeCause: Error | undefined;

  constructor(parts: DnsResolverParts) {
    this.#parts = parts;
  }

  /** The servers that are asked, in order, as text. */
  getServers(): string[] {
    return this.#parts.servers.map(serverText);
  }

  /**
   * All addresses of `name`, as `dns.lookup` with `all`: literals and `localhost` without a question, the
   * preferred family first. @throws DnsError
   */
  async lookup(name: string, { family = 0, signal }: LookupOptions = {}): Promise<LookupAddress[]> {
    const { families } = this.#parts;
    const wanted = family === 0 ? families : [family];
    const known = addressesWithoutAsking(name);
    if (known !== undefined) {
      // One literal is an address whatever family was asked for, as in `dns.lookup`.
      return known
        .filter((address) => known.length === 1 || wanted.includes(address.family))
        .map((address) => ({ address: address.toString(), family: address.family }));
    }
    return abortable(this.#addresses(name, wanted), `lookup of ${name}`, signal);
  }

  /**
   * The records of `name`, without the aliases on the way. For PTR `name` may be an address.
   * @throws DnsError
   */
  async resolve<T extends DnsType>(
    name: string,
    type: T,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<DnsRecord<T>[]> {
    const { records } = await this.query(name, type, options);
    return records.filter((record): record is DnsRecord<T> => record.type === type);
  }

  /**
   * Asks for `name` and tells all: aliases, times to live, who answered. For PTR `name` may be an
   * address. @throws DnsError
   */
  async query<T extends DnsType>(
    name: string,
    type: T,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<DnsReply<T>> {
    const literal = type === 'PTR' ? IpAddress.parse(name) : undefined;
    const asked = literal === undefined ? name : `${reverseName(literal)}.`;
    return abortable(this.#search(asked, type, `query${type}`), `query for ${name}`, signal);
  }

  /** Ends every question with `ECANCELLED` and `cause`. May be called twice. */
  close(cause?: Error): void {
    this.#closed = true;
    this.#closeCause ??= cause;
    for (const run of this.#runs) run.cancel();
    this.#cache.clear();
  }

  /** Asks for the families side by side; once one is known the other has a little while left. */
  #addresses(name: string, families: readonly (4 | 6)[]): Promise<LookupAddress[]> {
    const { clock } = this.#parts;
    return new Promise((resolve, reject) => {
      const found: LookupAddress[][] = families.map(() => []);
      const errors: unknown[] = [];
      let cancelGrace: Cancel = () => {};
      let left = families.length;
      const finish = () => {
        cancelGrace();
        const all = found.flat();
        if (all.length > 0) resolve(all);
        else reject(lookupError(errors, name));
      };
      const settled = () => {
        left -= 1;
        if (left === 0) finish();
        else if (found.some(({ length }) => length > 0)) {
          cancelGrace = clock.setTimer(clock.now() + OTHER_FAMILY_GRACE_MS, finish);
        }
      };
      if (left === 0) finish();
      for (const [index, family] of families.entries()) {
        const type = ADDRESS_TYPE[family];
        this.#search(name, type, 'getaddrinfo')
          .then(({ records }) => {
            const own = records.filter((record) => record.type === type);
            found[index] = own.map(({ value }) => ({ address: String(value), family }));
          })
          .catch((error) => errors.push(error))
          .finally(settled);
      }
    });
  }

  /** Tries the name and the search domains in order until one has records. */
  async #search<T extends DnsType>(name: string, type: T, syscall: string): Promise<DnsReply<T>> {
    if (this.#closed) throw this.#cancelled(syscall, name);
    const known = addressesWithoutAsking(name);
    if (known !== undefined) return localReply(name, type, syscall, known);
    const candidates = candidateNames(name, this.#parts.searchDomains);
    if (candidates.length === 0) throw new DnsError('EBADNAME', syscall, name);
    if (this.#parts.servers.length === 0) {
      throw new DnsError('ENOTFOUND', syscall, name, { hint: NO_SERVER_HINT });
    }
    let code: DnsErrorCode = 'ENOTFOUND';
    for (const candidate of candidates) {
      const outcome = await this.#ask(candidate, type);
      if (outcome === undefined) throw this.#cancelled(syscall, name);
      if (outcome.kind === 'failed') throw new DnsError(outcome.code, syscall, name);
      if (outcome.kind === 'answer') {
        const { records, server } = outcome;
        return { name: candidate, type, server: serverText(server), records };
      }
      if (outcome.code === 'ENODATA') code = 'ENODATA';
    }
    throw new DnsError(code, syscall, name);
  }

  /** Those who ask for the same thing at the same time share one question (RFC 5452 §5). */
  #ask(name: string, type: DnsType): Promise<DnsOutcome | undefined> {
    const { clock } = this.#parts;
    const cached = this.#cache.get(name, type, clock.now());
    if (cached !== undefined) return Promise.resolve(cached);
    const key = `${type} ${name}`;
    const flight = this.#flights.get(key);
    if (flight !== undefined) return flight;
    const asked = this.#queue
      .add(() => this.#run(name, type))
      .then((outcome) => {
        if (outcome !== undefined && outcome.kind !== 'failed') {
          this.#cache.put(name, type, outcome, clock.now());
        }
        return outcome;
      })
      .finally(() => this.#flights.delete(key));
    this.#flights.set(key, asked);
    return asked;
  }

  async #run(name: string, type: DnsType): Promise<DnsOutcome | undefined> {
    if (this.#closed) return undefined;
    const { servers, random, transport, clock } = this.#parts;
    const run = new DnsQueryRun(new DnsQuery(name, type, servers, random), transport, clock);
    this.#runs.add(run);
    const outcome = await run.done;
    this.#runs.delete(run);
    return outcome;
  }

  #cancelled(syscall: string, name: string): DnsError {
    return new DnsError('ECANCELLED', syscall, name, { cause: this.#closeCause });
  }
}

const ADDRESS_TYPE = { 4: 'A', 6: 'AAAA' } as const;

/** The answer of the stack itself. @throws DnsError `ENODATA` where it has none of that type */
function localReply<T extends DnsType>(
  name: string,
  type: T,
  syscall: string,
  addresses: readonly IpAddress[],
): DnsReply<T> {
  const records = addresses
    .map((address) => ({ type: ADDRESS_TYPE[address.family], value: address.toString() }))
    .filter((record) => record.type === type)
    .map((record) => ({ ...record, name, ttl: 0, text: record.value }));
  if (records.length === 0) throw new DnsError('ENODATA', syscall, name);
  return { name, type, server: 'localhost', records };
}

/** As `dns.lookup`: a name without addresses is not found; trouble with a server says more. */
function lookupError(errors: readonly unknown[], name: string): unknown {
  const negative = (error: unknown) =>
    error instanceof DnsError && (error.code === 'ENOTFOUND' || error.code === 'ENODATA');
  const trouble = errors.find((error) => !negative(error));
  if (trouble !== undefined) return trouble;
  const notFound = errors.find((error) => error instanceof DnsError && error.code === 'ENOTFOUND');
  return notFound ?? new DnsError('ENOTFOUND', 'getaddrinfo', name);
}

function serverText({ address, port }: DnsServer): string {
  return address.family === 4 ? `${address}:${port}` : `[${address}]:${port}`;
}
