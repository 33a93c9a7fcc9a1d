import type { Clock } from '../core/clock.ts';
import type { RandomSource } from '../core/random.ts';
import type { Netstack } from '../netstack/netstack.ts';
import { ProcessHold } from '../vpnclient/process-hold.ts';
import type { DnsResolver } from './dns-resolver.ts';
import type { RoutingPolicy } from './routing-policy.ts';

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
  readonly routing: RoutingPolicy;
}

/**
 * What sockets, servers and pings stand on, and where each is kept until it ends. As with the host's
 * sockets, each that is open keeps the process alive unless it was `unref`ed.
 */
export class TunnelScope {
  readonly netstack: Netstack;
  readonly resolver: DnsResolver;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** What goes into the tunnel; another one after the server has changed its routes. */
  routing: RoutingPolicy;
  readonly #tenants = new Set<OnTunnelEnd>();
  readonly #unreferenced = new WeakSet<OnTunnelEnd>();
  readonly #lasting = new WeakSet<OnTunnelEnd>();
  readonly #processHold = new ProcessHold();
  /** How many of the tenants keep the process alive. */
  #referenced = 0;
  /** The netstack has been stopped; `end` follows with the reason. */
  stopping = false;
  #ended = false;
  #cause: Error | undefined;

  constructor({ netstack, resolver, clock, random, routing }: TunnelScopeParts) {
    this.netstack = netstack;
    this.resolver = resolver;
    this.clock = clock;
    this.random = random;
    this.routing = routing;
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

  /** Keeps `tenant`, and the process for it. May be called twice. */
  hold(tenant: OnTunnelEnd): void {
    if (this.#tenants.has(tenant)) return;
    this.#tenants.add(tenant);
    if (!this.#unreferenced.has(tenant)) this.#reference(1);
  }

  /** As `hold`; `tenant` does not mind that the tunnel is interrupted. */
  holdLasting(tenant: OnTunnelEnd): void {
    this.#lasting.add(tenant);
    this.hold(tenant);
  }

  /** May be called twice. */
  release(tenant: OnTunnelEnd): void {
    if (!this.#tenants.delete(tenant)) return;
    if (!this.#unreferenced.has(tenant)) this.#reference(-1);
  }

  /** Undoes `unref`. */
  ref(tenant: OnTunnelEnd): void {
    if (this.#unreferenced.delete(tenant) && this.#tenants.has(tenant)) this.#reference(1);
  }

  /** `tenant`, which may come later, does not keep the process alive. */
  unref(tenant: OnTunnelEnd): void {
    if (this.#unreferenced.has(tenant)) return;
    this.#unreferenced.add(tenant);
    if (this.#tenants.has(tenant)) this.#reference(-1);
  }

  #reference(change: 1 | -1): void {
    this.#referenced += change;
    if (this.#referenced > 0) this.#processHold.begin();
    else this.#processHold.end();
  }

  /** The tunnel was lost because of `cause`, and comes back: ends what cannot live on. */
  interrupt(cause: Error): void {
    this.stopping = true;
    this.netstack.interrupt();
    for (const tenant of [...this.#tenants]) if (!this.#lasting.has(tenant)) tenant(cause);
    this.stopping = this.#ended;
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
    this.#referenced = 0;
    this.#processHold.end();
  }
}
