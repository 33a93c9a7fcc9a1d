import type { Cancel, Clock } from '../core/clock.ts';
import { IpAddress } from '../netstack/ip-address.ts';
import { abortable } from './abortable.ts';
import { type SourceFor, sortAddresses } from './address-order.ts';
import { DnsError } from './dns-error.ts';
import { allAddresses, askFamilies, type FamilyEvents, type LookupAddress } from './dns-lookup.ts';
import { addressesWithoutAsking, reverseName } from './dns-name.ts';
import { DnsQuestions, type DnsQuestionsParts } from './dns-questions.ts';
import type { DnsRecord, DnsType, DnsValues } from './dns-record.ts';
import { type DnsReply, DnsSearch } from './dns-search.ts';
import { type DnsServer, serverText } from './dns-server.ts';

/** Whom a resolver asks, and for what. */
export interface DnsResolverSettings {
  readonly servers: readonly DnsServer[];
  readonly searchDomains: readonly string[];
  /** The families that the tunnel has, the preferred one first. */
  readonly families: readonly (4 | 6)[];
}

export interface DnsResolverParts extends DnsQuestionsParts, DnsResolverSettings {
  readonly clock: Clock;
  /** Our address towards another one, by which addresses are sorted. */
  readonly sourceFor: SourceFor;
}

export interface ResolveOptions {
  /** Ends the waiting, not the question: others may wait for the same one. */
  readonly signal?: AbortSignal | undefined;
}

export interface LookupOptions extends ResolveOptions {
  /** Which addresses to ask for; 0 is both. Default: 0. */
  readonly family?: 0 | 4 | 6 | undefined;
}

/** An address and how long it may be kept. Unit of `ttl`: seconds. */
export interface AddressWithTtl {
  address: string;
  ttl: number;
}

/** Resolves names inside the tunnel, and nowhere else, as `node:dns/promises` does. */
export class DnsResolver {
  readonly #search: DnsSearch;
  #parts: DnsResolverParts;

  constructor(parts: DnsResolverParts) {
    this.#parts = parts;
    this.#search = new DnsSearch({ ...parts, questions: new DnsQuestions(parts) });
  }

  /** The tunnel has changed: what is asked from now on is asked so; nothing known before counts. */
  configure(settings: DnsResolverSettings): void {
    this.#parts = { ...this.#parts, ...settings };
    this.#search.configure(settings);
  }

  /** The servers that are asked, in order, as text. */
  getServers(): string[] {
    return this.#parts.servers.map(serverText);
  }

  /**
   * All addresses of `name`, as `dns.lookup` with `all`: literals and `localhost` without a
   * question, the likeliest to work first. @throws DnsError
   */
  async lookup(name: string, { family = 0, signal }: LookupOptions = {}): Promise<LookupAddress[]> {
    const wanted = this.#familiesFor(family);
    const known = addressesWithoutAsking(name);
    if (known !== undefined) {
      // One literal is an address whatever family was asked for, as in `dns.lookup`.
      return known
        .filter((address) => known.length === 1 || wanted.includes(address.family))
        .map((address) => ({ address: address.toString(), family: address.family }));
    }
    const asked = allAddresses(this.#search, name, wanted, this.#parts.clock);
    const found = await abortable(asked, `lookup of ${name}`, signal);
    return sorted(found, this.#parts.sourceFor);
  }

  /**
   * As `lookup`, but tells of each family as soon as it is known: for whoever races them.
   * Gives the families that are asked for. @internal
   */
  lookupFamilies(
    name: string,
    family: 0 | 4 | 6,
    events: FamilyEvents,
  ): { readonly families: readonly (4 | 6)[]; readonly cancel: Cancel } {
    const families = this.#familiesFor(family);
    return { families, cancel: askFamilies(this.#search, name, families, events) };
  }

  /**
   * The records of `name`, without the aliases on the way. For PTR `name` may be an address.
   * @throws DnsError
   */
  async resolve<T extends DnsType>(
    name: string,
    type: T,
    options: ResolveOptions = {},
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
    { signal }: ResolveOptions = {},
  ): Promise<DnsReply<T>> {
    const literal = type === 'PTR' ? IpAddress.parse(name) : undefined;
    const asked = literal === undefined ? name : `${reverseName(literal)}.`;
    const answer = this.#search.find(asked, type, syscallOf(type));
    return abortable(answer, `query for ${name}`, signal);
  }

  /** IPv4 addresses. @throws DnsError */
  resolve4(name: string, options: ResolveOptions & { ttl: true }): Promise<AddressWithTtl[]>;
  resolve4(name: string, options?: ResolveOptions & { ttl?: false }): Promise<string[]>;
  resolve4(name: string, options?: ResolveOptions & { ttl?: boolean }): Promise<unknown[]> {
    return this.#addresses(name, 'A', options);
  }

  /** IPv6 addresses. @throws DnsError */
  resolve6(name: string, options: ResolveOptions & { ttl: true }): Promise<AddressWithTtl[]>;
  resolve6(name: string, options?: ResolveOptions & { ttl?: false }): Promise<string[]>;
  resolve6(name: string, options?: ResolveOptions & { ttl?: boolean }): Promise<unknown[]> {
    return this.#addresses(name, 'AAAA', options);
  }

  /** What `name` is an alias of. @throws DnsError */
  resolveCname(name: string, options?: ResolveOptions): Promise<string[]> {
    return this.#values(name, 'CNAME', options);
  }

  /** Who issues certificates for `name`. @throws DnsError */
  resolveCaa(name: string, options?: ResolveOptions): Promise<DnsValues['CAA'][]> {
    return this.#values(name, 'CAA', options);
  }

  /** Mail servers. @throws DnsError */
  resolveMx(name: string, options?: ResolveOptions): Promise<DnsValues['MX'][]> {
    return this.#values(name, 'MX', options);
  }

  /** Name servers. @throws DnsError */
  resolveNs(name: string, options?: ResolveOptions): Promise<string[]> {
    return this.#values(name, 'NS', options);
  }

  /** What a name of the reverse tree, or an address, points to. @throws DnsError */
  resolvePtr(name: string, options?: ResolveOptions): Promise<string[]> {
    return this.#values(name, 'PTR', options);
  }

  /** The start of the zone that `name` is. @throws DnsError */
  async resolveSoa(name: string, options?: ResolveOptions): Promise<DnsValues['SOA']> {
    const [first] = await this.#values(name, 'SOA', options);
    if (first === undefined) throw new DnsError('ENODATA', syscallOf('SOA'), name);
    return first;
  }

  /** Where a service is. @throws DnsError */
  resolveSrv(name: string, options?: ResolveOptions): Promise<DnsValues['SRV'][]> {
    return this.#values(name, 'SRV', options);
  }

  /** Texts, each in the strings it was cut into. @throws DnsError */
  resolveTxt(name: string, options?: ResolveOptions): Promise<string[][]> {
    return this.#values(name, 'TXT', options);
  }

  /** The names of an address. @throws DnsError `EINVAL` for what is none */
  async reverse(address: string, { signal }: ResolveOptions = {}): Promise<string[]> {
    const literal = IpAddress.parse(address);
    if (literal === undefined) throw new DnsError('EINVAL', 'getHostByAddr', address);
    const answer = this.#search.find(`${reverseName(literal)}.`, 'PTR', 'getHostByAddr');
    const { records } = await abortable(answer, `query for ${address}`, signal);
    return records.filter(({ type }) => type === 'PTR').map(({ text }) => text);
  }

  /** Ends every question with `ECANCELLED` and `cause`. May be called twice. */
  close(cause?: Error): void {
    this.#search.close(cause);
  }

  #familiesFor(family: 0 | 4 | 6): readonly (4 | 6)[] {
    return family === 0 ? this.#parts.families : [family];
  }

  async #addresses(
    name: string,
    type: 'A' | 'AAAA',
    { ttl: withTtl = false, ...options }: ResolveOptions & { ttl?: boolean } = {},
  ): Promise<unknown[]> {
    const records = await this.resolve(name, type, options);
    return records.map(({ value, ttl }) => (withTtl ? { address: value, ttl } : value));
  }

  async #values<T extends DnsType>(
    name: string,
    type: T,
    options: ResolveOptions = {},
  ): Promise<DnsValues[T][]> {
    const records = await this.resolve(name, type, options);
    return records.map(({ value }) => value);
  }
}

function sorted(found: readonly LookupAddress[], sourceFor: SourceFor): LookupAddress[] {
  const addresses = found.map(({ address }) => IpAddress.parse(address));
  const known = addresses.filter((address) => address !== undefined);
  return sortAddresses(known, sourceFor).map((address) => ({
    address: address.toString(),
    family: address.family,
  }));
}

/** As `node:dns` names it: `queryA`, `queryAaaa`, `queryMx`. */
function syscallOf(type: DnsType): string {
  return `query${type.charAt(0)}${type.slice(1).toLowerCase()}`;
}
