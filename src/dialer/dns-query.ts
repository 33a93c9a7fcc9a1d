import { Drop, type Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import type { NameTransport } from '../model/name-server.ts';
import { type DnsResponse, DnsStatus, decodeResponse, encodeQuery } from './dns-message.ts';
import { mixCase, normalizeName } from './dns-name.ts';
import type { DnsRecord, DnsType } from './dns-record.ts';
import type { DnsServer } from './dns-server.ts';

/** How long one server may take. Unit: milliseconds. */
export const SERVER_TIMEOUT_MS = 2000;
/** How often the list of servers is gone through. */
export const ROUNDS = 2;
/** Most aliases between the name that is asked for and its records. */
export const MAX_CNAME_DEPTH = 8;
/** After this many answers that are not ours somebody is guessing: the question goes over TCP. */
export const MAX_FORGERIES = 16;

/** What carries a message; `tls` and `https` where the server wants DoT or DoH. */
export type DnsCarrier = 'udp' | 'tcp' | 'tls' | 'https';

/** One message to be sent; whatever was sent before it is over. */
export interface DnsSend {
  readonly server: DnsServer;
  readonly carrier: DnsCarrier;
  readonly message: Buffer;
}

export type DnsOutcome =
  | {
      readonly kind: 'answer';
      /** The aliases that led there, then the records. */
      readonly records: readonly DnsRecord[];
      readonly server: DnsServer;
    }
  | {
      readonly kind: 'negative';
      readonly code: 'ENOTFOUND' | 'ENODATA';
      readonly ttl: number | undefined;
      readonly server: DnsServer;
    }
  | { readonly kind: 'failed'; readonly code: DnsFailure; readonly cause: Error | undefined };

/**
 * Silence, trouble at the server, a refusal, no server there: what was seen last. Silence counts
 * only where nothing else was seen.
 */
export type DnsFailure = 'ETIMEOUT' | 'ESERVFAIL' | 'EREFUSED' | 'ECONNREFUSED';

/**
 * Asks the servers for one name and type, one after the other:
 *
 *     ask ─ UDP ─▶ waiting ─ records, NXDOMAIN, NODATA ─▶ outcome
 *      ▲             │ truncated, forgeries: the same server over TCP
 *      │             │ other case:           the same server over TCP, in lower case
 *      │             │ FORMERR, NOTIMP:      the same server without EDNS
 *      │             │ alias without target: the target, from the same server on
 *      └─────────────┘ 2 s, SERVFAIL, …:     the next server; after two rounds ─▶ failed
 *
 * A server for DoT or DoH is asked over that alone. Every question has a fresh random id and, in
 * the first round, random case; its sender gives it a fresh random port and passes on only what
 * comes from the server's address (RFC 5452).
 */
export class DnsQuery {
  readonly #type: DnsType;
  readonly #servers: readonly DnsServer[];
  readonly #random: RandomSource;
  readonly #chain: DnsRecord[] = [];
  #name: string;
  #turn = 0;
  #carrier: DnsCarrier = 'udp';
  #edns = true;
  #mixedCase = true;
  #forgeries = 0;
  #query: Buffer | undefined;
  #unsent: DnsSend | undefined;
  #deadline: Millis = Number.POSITIVE_INFINITY;
  #failure: DnsFailure = 'ETIMEOUT';
  #cause: Error | undefined;
  #outcome: DnsOutcome | undefined;

  /** @param name normalized; @param servers at least one */
  constructor(name: string, type: DnsType, servers: readonly DnsServer[], random: RandomSource) {
    this.#name = name;
    this.#type = type;
    this.#servers = servers;
    this.#random = random;
    this.#askServer();
  }

  /** The message that is due; its time starts now. */
  takeDown(now: Millis): DnsSend | undefined {
    const send = this.#unsent;
    if (send === undefined) return undefined;
    this.#unsent = undefined;
    this.#deadline = now + SERVER_TIMEOUT_MS;
    return send;
  }

  /** One message from the server that was asked last. */
  fromBelow(message: Buffer): Drop {
    const server = this.#server;
    if (this.#query === undefined || server === undefined) return Drop.UNEXPECTED;
    const response = decodeResponse(message, this.#query);
    if (typeof response === 'number') {
      this.#onForgery(response);
      return response;
    }
    this.#query = undefined;
    this.#onResponse(response, server);
    return Drop.NONE;
  }

  /** The server cannot be reached, or is not who it should be: `cause` says so. */
  onUnreachable(cause?: Error): void {
    if (this.#query === undefined) return;
    this.#failServer('ECONNREFUSED', cause);
  }

  takeUp(): DnsOutcome | undefined {
    return this.#outcome;
  }

  nextTimeout(): Millis {
    return this.#deadline;
  }

  onTimeout(now: Millis): void {
    if (now >= this.#deadline) this.#nextServer();
  }

  get #server(): DnsServer | undefined {
    return this.#servers[this.#turn % this.#servers.length];
  }

  /** Begins with the server whose turn it is. */
  #askServer(): void {
    this.#carrier = CARRIERS[this.#server?.transport ?? 'plain'];
    this.#edns = true;
    // A server may be silent for the case of the question: the second round is in lower case.
    this.#mixedCase = this.#turn < this.#servers.length;
    this.#forgeries = 0;
    this.#ask();
  }

  #ask(): void {
    const server = this.#server;
    if (server === undefined || this.#turn >= this.#servers.length * ROUNDS) {
      this.#end({ kind: 'failed', code: this.#failure, cause: this.#cause });
      return;
    }
    const name = this.#mixedCase ? mixCase(this.#name, this.#random) : this.#name;
    const id = this.#random.uint32() & 0xffff;
    this.#query = encodeQuery(id, { name, type: this.#type }, { edns: this.#edns });
    this.#unsent = { server, carrier: this.#carrier, message: this.#query };
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  #nextServer(): void {
    this.#turn += 1;
    this.#askServer();
  }

  #failServer(failure: DnsFailure, cause?: Error): void {
    this.#failure = failure;
    this.#cause = cause;
    this.#nextServer();
  }

  #onForgery(drop: Drop): void {
    if (this.#carrier !== 'udp') {
      if (drop === Drop.MALFORMED) this.#failServer('ESERVFAIL');
      return;
    }
    this.#forgeries += 1;
    if (this.#forgeries < MAX_FORGERIES) return;
    this.#carrier = 'tcp';
    this.#ask();
  }

  #onResponse(response: DnsResponse, server: DnsServer): void {
    const isDatagram = this.#carrier === 'udp';
    if ((response.truncated && isDatagram) || (response.folded && this.#mixedCase)) {
      if (isDatagram) this.#carrier = 'tcp';
      if (response.folded) this.#mixedCase = false;
      this.#ask();
      return;
    }
    if (response.truncated || response.folded || response.referral) {
      this.#failServer('ESERVFAIL');
      return;
    }
    switch (response.status) {
      case DnsStatus.NOERROR:
      case DnsStatus.NXDOMAIN:
        this.#onAnswer(response, server);
        return;
      case DnsStatus.FORMERR:
      case DnsStatus.NOTIMP:
        if (this.#edns) {
          this.#edns = false;
          this.#ask();
          return;
        }
        break;
      default:
        break;
    }
    this.#failServer(response.status === DnsStatus.SERVFAIL ? 'ESERVFAIL' : 'EREFUSED');
  }

  /** Takes the aliases from our name on and what the last one has; all else is not ours. */
  #onAnswer({ records, status, negativeTtl }: DnsResponse, server: DnsServer): void {
    const asked = this.#name;
    for (;;) {
      const own = records.filter(({ name }) => name === this.#name);
      const found = own.filter(({ type }) => type === this.#type);
      if (found.length > 0) {
        this.#end({ kind: 'answer', records: [...this.#chain, ...found], server });
        return;
      }
      const alias = own.find((record) => record.type === 'CNAME');
      if (alias === undefined) break;
      const target = normalizeName(String(alias.value));
      if (target === undefined || this.#chain.length >= MAX_CNAME_DEPTH) {
        this.#end({ kind: 'failed', code: 'ESERVFAIL', cause: undefined });
        return;
      }
      this.#chain.push(alias);
      this.#name = target;
    }
    if (status === DnsStatus.NOERROR && this.#name !== asked && negativeTtl === undefined) {
      this.#ask();
      return;
    }
    const code = status === DnsStatus.NXDOMAIN ? 'ENOTFOUND' : 'ENODATA';
    this.#end({ kind: 'negative', code, ttl: negativeTtl, server });
  }

  #end(outcome: DnsOutcome): void {
    this.#outcome = outcome;
    this.#query = undefined;
    this.#unsent = undefined;
    this.#deadline = Number.POSITIVE_INFINITY;
  }
}

const CARRIERS: Readonly<Record<NameTransport, DnsCarrier>> = {
  plain: 'udp',
  DoT: 'tls',
  DoH: 'https',
};
