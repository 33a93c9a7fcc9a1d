import { IpAddress } from '../netstack/ip-address.ts';
import type { TcpConnectOptions } from '../netstack/tcp-table.ts';
import type { LookupAddress } from './dns-resolver.ts';
import { HappyEyeballs, type RaceEvents } from './happy-eyeballs.ts';
import { SocketError } from './socket-error.ts';
import type { TunConnectOptions } from './tun-socket-options.ts';
import type { TunnelScope } from './tunnel-scope.ts';

/** What a connecting socket hears. */
export interface ConnectEvents extends RaceEvents {
  /** The name has these addresses. */
  lookedUp(found: readonly LookupAddress[], host: string): void;
  lookupFailed(error: Error, host: string): void;
}

/** From a host and a port to an open connection: looks the name up, then races its addresses. */
export class SocketConnect {
  readonly #scope: TunnelScope;
  readonly #options: TunConnectOptions;
  readonly #events: ConnectEvents;
  #race: HappyEyeballs | undefined;
  #cancelled = false;

  constructor(scope: TunnelScope, options: TunConnectOptions, events: ConnectEvents) {
    this.#scope = scope;
    this.#options = options;
    this.#events = events;
  }

  start(): void {
    const { host = 'localhost', family = 0 } = this.#options;
    if (this.#scope.ended) {
      this.#events.lost(this.#error('ENETDOWN', 'the tunnel has ended'));
      return;
    }
    const literal = IpAddress.parse(host);
    if (literal !== undefined) {
      this.#connect([literal]);
      return;
    }
    this.#scope.resolver.lookup(host, { family }).then(
      (found) => {
        if (this.#cancelled) return;
        this.#events.lookedUp(found, host);
        this.#connect(found.map(({ address }) => IpAddress.parse(address)));
      },
      (error: Error) => {
        if (!this.#cancelled) this.#events.lookupFailed(error, host);
      },
    );
  }

  /** Nothing is told after it. May be called twice. */
  cancel(): void {
    this.#cancelled = true;
    this.#race?.cancel();
  }

  /** Leaves out addresses that were not asked for or that the tunnel has no way to. */
  #connect(found: readonly (IpAddress | undefined)[]): void {
    const { netstack } = this.#scope;
    const { family = 0, localAddress, localPort, noDelay, port } = this.#options;
    const local = localAddress === undefined ? undefined : IpAddress.parse(localAddress);
    if (localAddress !== undefined && local === undefined) {
      this.#events.lost(this.#error('EADDRNOTAVAIL', `${localAddress} is no address of ours`));
      return;
    }
    const wanted = local?.family ?? family;
    const ways = found
      .filter((address) => address !== undefined)
      .filter((address) => wanted === 0 || address.family === wanted)
      .filter((address) => netstack.localAddressFor(address) !== undefined);
    if (ways.length === 0) {
      this.#events.lost(this.#error('ENETUNREACH', this.#whyNone(found, wanted)));
      return;
    }
    const options: TcpConnectOptions = {
      noDelay: noDelay ?? false,
      ...(local === undefined ? {} : { localAddress: local }),
      ...(localPort === undefined ? {} : { localPort }),
    };
    this.#race = new HappyEyeballs(this.#scope, ways, port, options, this.#events);
    this.#race.start();
  }

  #whyNone(found: readonly (IpAddress | undefined)[], wanted: 0 | 4 | 6): string {
    const families = new Set(found.map((address) => address?.family));
    if (wanted !== 0 && !families.has(wanted)) return `there is no IPv${wanted} address`;
    return `the tunnel has no IPv${[...families].join(' and no IPv')} address`;
  }

  #error(code: 'EADDRNOTAVAIL' | 'ENETDOWN' | 'ENETUNREACH', hint: string): SocketError {
    const { host = 'localhost', port } = this.#options;
    return new SocketError(code, 'connect', {
      address: host,
      port,
      hint,
      cause: this.#scope.cause,
    });
  }
}
