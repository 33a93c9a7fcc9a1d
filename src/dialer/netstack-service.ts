import type { Millis } from '../core/machine.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';
import type { TunnelTenant } from '../model/tunnel-tenant.ts';
import type { Netstack } from '../netstack/netstack.ts';
import type { TunnelScope } from './tunnel-scope.ts';

/** The netstack as the pump runs it; tells the scope before it stops, so that sockets know why they end. */
export class NetstackService implements TunnelTenant {
  readonly name = 'netstack';
  readonly #netstack: Netstack;
  readonly #scope: TunnelScope;
  readonly #follow: (info: TunnelInfo) => void;

  /** @param follow brings a tunnel that has changed into the netstack */
  constructor(netstack: Netstack, scope: TunnelScope, follow: (info: TunnelInfo) => void) {
    this.#netstack = netstack;
    this.#scope = scope;
    this.#follow = follow;
  }

  /** tun → sockets */
  moveUpWorker(now: Millis): boolean {
    return this.#netstack.moveUpWorker(now);
  }

  endOfBurst(now: Millis): void {
    this.#netstack.endOfBurst(now);
  }

  /** sockets → tun */
  moveDownWorker(now: Millis): boolean {
    return this.#netstack.moveDownWorker(now);
  }

  nextTimeout(): Millis {
    return this.#netstack.nextTimeout();
  }

  onTimeout(now: Millis): void {
    this.#netstack.onTimeout(now);
  }

  interrupted(cause: Error): void {
    this.#scope.interrupt(cause);
  }

  /** What lives on goes on at once. */
  renewed(info: TunnelInfo): void {
    this.#follow(info);
    this.#netstack.resume(this.#scope.clock.now());
  }

  stop(): void {
    this.#scope.stopping = true;
    this.#netstack.stop();
  }
}
