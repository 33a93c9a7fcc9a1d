import type { Clock } from '../core/clock.ts';
import type { RandomSource } from '../core/random.ts';
import type { Netstack } from '../netstack/netstack.ts';
import type { DnsResolver } from './dns-resolver.ts';

/**
 * What a socket, server or ping does when the tunnel has ended by itself because of `cause`, or is
 * being closed by its user.
 */
export type OnTunnelEnd = (cause: Error | undefined) => void;

export interface TunnelScopeParts {
  readonly netstack: Netstack;
  readonly resolver: DnsResolver;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** What sockets, servers and pings stand on, and where each is kept until it ends. */
export class TunnelScope {
  readonly netstack: Netstack;
  readonly resolver: DnsResolver;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly #tenants = new Set<OnTunnelEnd>();
  /** The netstack has been stopped; `end` follows with the reason. */
  stopping = false;
  #ended = false;
  #cause: Error | undefined;

  constructor({ netstack, resolver, clock, random }: TunnelScopeParts) {
    this.netstack = netstack;
    this.resolver = resolver;
    this.clock = clock;
    this.random = random;
  }

  /** There is no tunnel any more: nothing new may begin. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Why the tunnel ended by itself. */
  get cause(): Error | undefined {
    return this.#cause;
  }

  /** How many sockets, servers and pings there are. */
  get tenants(): number {
    return this.#tenants.size;
  }

  hold(tenant: OnTunnelEnd): void {
    this.#tenants.add(tenant);
  }

  release(tenant: OnTunnelEnd): void {
    this.#tenants.delete(tenant);
  }

  /** Ends everything that is held. Later calls do nothing. */
  end(cause: Error | undefined): void {
    if (this.#ended) return;
    this.stopping = true;
    this.#ended = true;
    this.#cause = cause;
    this.resolver.close(cause);
    for (const tenant of [...this.#tenants]) tenant(cause);
    this.#tenants.clear();
  }
}
