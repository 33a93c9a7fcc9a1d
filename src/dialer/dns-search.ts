import type { IpAddress } from '../netstack/ip-address.ts';
import { DnsError } from './dns-error.ts';
import { addressesWithoutAsking, candidateNames } from './dns-name.ts';
import type { DnsQuestions } from './dns-questions.ts';
import type { DnsRecord, DnsType } from './dns-record.ts';
import { type DnsServer, serversFor, serverText } from './dns-server.ts';

const NO_SERVER_HINT =
  'the VPN server pushed no DNS server and names are never asked outside the tunnel: name one ' +
  '(`dnsServers`, on the command line `--dns-server`), or give an address instead of the name';

const OTHER_DOMAINS_HINT =
  'the DNS servers that the VPN server pushed are for other domains and names are never asked ' +
  'outside the tunnel: name another one (`dnsServers`, on the command line `--dns-server`)';

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

export interface DnsSearchParts {
  readonly questions: DnsQuestions;
  readonly servers: readonly DnsServer[];
  readonly searchDomains: readonly string[];
}

/** Tries a name and the search domains in order, each by the servers that are meant for it. */
export class DnsSearch {
  #parts: DnsSearchParts;
  #closed = false;
  #closeCause: Error | undefined;

  constructor(parts: DnsSearchParts) {
    this.#parts = parts;
  }

  /** Other servers and domains from now on; what the old ones said is forgotten. */
  configure({ servers, searchDomains }: Omit<DnsSearchParts, 'questions'>): void {
    this.#parts = { ...this.#parts, servers, searchDomains };
    this.#parts.questions.forget();
  }

  /**
   * The records of the first of the names that exists: one that has no records of this type ends
   * the search too, so that both families of a host come from one name.
   *
   * @param syscall what the errors name. @throws DnsError
   */
  async find<T extends DnsType>(name: string, type: T, syscall: string): Promise<DnsReply<T>> {
    if (this.#closed) throw this.#cancelled(syscall, name);
    const known = addressesWithoutAsking(name);
    if (known !== undefined) return localReply(name, type, syscall, known);
    const candidates = candidateNames(name, this.#parts.searchDomains);
    if (candidates.length === 0) throw new DnsError('EBADNAME', syscall, name);
    let hint: string | undefined;
    for (const candidate of candidates) {
      const servers = serversFor(candidate, this.#parts.servers);
      if (servers.length === 0) {
        hint = this.#parts.servers.length === 0 ? NO_SERVER_HINT : OTHER_DOMAINS_HINT;
        continue;
      }
      const outcome = await this.#parts.questions.ask(candidate, type, servers);
      if (outcome === undefined) throw this.#cancelled(syscall, name);
      if (outcome.kind === 'failed') {
        throw new DnsError(outcome.code, syscall, name, { cause: outcome.cause });
      }
      if (outcome.kind === 'answer') {
        const { records, server } = outcome;
        return { name: candidate, type, server: serverText(server), records };
      }
      if (outcome.code === 'ENODATA') throw new DnsError('ENODATA', syscall, name);
    }
    throw new DnsError('ENOTFOUND', syscall, name, { hint });
  }

  /** Ends every question with `ECANCELLED` and `cause`. May be called twice. */
  close(cause: Error | undefined): void {
    this.#closed = true;
    this.#closeCause ??= cause;
    this.#parts.questions.close();
  }

  #cancelled(syscall: string, name: string): DnsError {
    return new DnsError('ECANCELLED', syscall, name, { cause: this.#closeCause });
  }
}

/** The record type of each family's addresses. */
export const ADDRESS_TYPE = { 4: 'A', 6: 'AAAA' } as const;

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
