import type { Millis } from '../core/machine.ts';
import type { Service } from '../core/pump.ts';
import type { Netstack } from '../netstack/netstack.ts';
import type { TunnelScope } from './tunnel-scope.ts';

/** The netstack as the pump runs it; tells the scope before it stops, so that sockets know why they end. */
export class NetstackService implements Service {
  readonly name = 'netstack';
  readonly #netstack: Netstack;
  readonly #scope: TunnelScope;

  constructor(netstack: Netstack, scope: TunnelScope) {
    this.#netstack = netstack;
    this.#scope = scope;
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

  stop(): void {
    this.#scope.stopping = true;
    this.#netstack.stop();
  }
}
