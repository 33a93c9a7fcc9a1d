import type { Cancel } from '../core/clock.ts';
import { IpAddress } from '../netstack/ip-address.ts';
import type { LookupAddress } from './dns-lookup.ts';
import { HappyEyeballs, type RaceEvents, type RaceOptions } from './happy-eyeballs.ts';
import { SocketError } from './socket-error.ts';
import type { TunConnectOptions } from './tun-socket-options.ts';
import type { TunnelScope } from './tunnel-scope.ts';

/** What a connecting socket hears. */
export interface ConnectEvents extends RaceEvents {
  /** The name has these addresses: told once, or family by family. */
  lookedUp(found: readonly LookupAddress[], host: string): void;
  lookupFailed(error: Error, host: string): void;
}

/** From a host and a port to an open connection: looks the name up and races its addresses. */
export class SocketConnect {
  readonly #scope: TunnelScope;
  readonly #options: TunConnectOptions;
  readonly #events: ConnectEvents;
  readonly #host: string;
  readonly #local: IpAddress | undefined;
  readonly #found: IpAddress[] = [];
  #race: HappyEyeballs | undefined;
  #cancelLookup: Cancel = () => {};
  #hasWay = false;

  constructor(scope: TunnelScope, options: TunConnectOptions, events: ConnectEvents) {
    this.#scope = scope;
    this.#options = options;
    this.#events = events;
    this.#host = options.host ?? 'localhost';
    this.#local = IpAddress.parse(options.localAddress ?? '');
  }

  start(): void {
    const { localAddress, family = 0, autoSelectFamily = true } = this.#options;
    if (this.#scope.ended) {
      this.#events.lost(this.#error('ENETDOWN', 'the tunnel has ended'));
      return;
    }
    if (localAddress !== undefined && this.#local === undefined) {
      this.#events.lost(this.#error('EADDRNOTAVAIL', `${localAddress} is no address of ours`));
      return;
    }
    const literal = IpAddress.parse(this.#host);
    if (literal !== undefined) this.#begin([literal.family], [literal]);
    else if (autoSelectFamily) this.#lookUpAndRace(this.#local?.family ?? family);
    else this.#lookUpFirst(this.#local?.family ?? family);
  }

  /** Nothing is told after it. May be called twice. */
  cancel(): void {
    this.#cancelLookup();
    this.#race?.cancel();
  }

  /** The race begins with the family that is known first. */
  #lookUpAndRace(family: 0 | 4 | 6): void {
    const { resolver } = this.#scope;
    let left = 0;
    const { families, cancel } = resolver.lookupFamilies(this.#host, family, {
      family: (known, found) => {
        left -= 1;
        if (found.length > 0) this.#events.lookedUp(found, this.#host);
        this.#add(known, parsed(found), left === 0);
      },
      failed: (error) => this.#events.lookupFailed(error, this.#host),
    });
    left = families.length;
    this.#cancelLookup = cancel;
    this.#begin(families, []);
  }

  /** As `net.connect` without `autoSelectFamily`: one address, whatever becomes of it. */
  #lookUpFirst(family: 0 | 4 | 6): void {
    let cancelled = false;
    this.#cancelLookup = () => {
      cancelled = true;
    };
    this.#scope.resolver.lookup(this.#host, { family }).then(
      (found) => {
        if (cancelled) return;
        const first = found.slice(0, 1);
        this.#events.lookedUp(first, this.#host);
        this.#begin(
          first.map((address) => address.family),
          parsed(first),
        );
      },
      (error: Error) => {
        if (!cancelled) this.#events.lookupFailed(error, this.#host);
      },
    );
  }

  /** @param families whose addresses will come; of those in `known` they have come */
  #begin(families: readonly (4 | 6)[], known: readonly IpAddress[]): void {
    const { localPort, noDelay, port, autoSelectFamilyAttemptTimeout } = this.#options;
    const options: RaceOptions = {
      noDelay: noDelay ?? false,
      ...(this.#local === undefined ? {} : { localAddress: this.#local }),
      ...(localPort === undefined ? {} : { localPort }),
      attemptDelayMs: autoSelectFamilyAttemptTimeout,
    };
    const events = this.#events;
    this.#race = new HappyEyeballs(this.#scope, families, port, options, {
      attempt: (address) => events.attempt(address),
      attemptFailed: (address, error) => events.attemptFailed(address, error),
      won: (connection, tuple) => {
        this.#cancelLookup();
        events.won(connection, tuple);
      },
      lost: (error) => events.lost(error),
    });
    for (const address of known) this.#add(address.family, [address], true);
  }

  /** Leaves out addresses that were not asked for or that the tunnel has no way to. */
  #add(family: 4 | 6, found: readonly IpAddress[], isLast: boolean): void {
    const { netstack, routing } = this.#scope;
    const wanted = this.#local?.family ?? this.#options.family ?? 0;
    const ways = found
      .filter((address) => wanted === 0 || address.family === wanted)
      .filter(
        (address) =>
          netstack.localAddressFor(address) !== undefined ||
          (this.#local === undefined && routing.bypasses(address)),
      );
    this.#found.push(...found);
    this.#hasWay ||= ways.length > 0;
    if (isLast && !this.#hasWay && this.#found.length > 0) {
      this.#events.lost(this.#error('ENETUNREACH', this.#whyNone(wanted)));
    } else {
      this.#race?.add(family, ways);
    }
  }

  #whyNone(wanted: 0 | 4 | 6): string {
    const families = new Set(this.#found.map(({ family }) => family));
    if (wanted !== 0 && !families.has(wanted)) return `there is no IPv${wanted} address`;
    const [refusal] = this.#found.flatMap((address) => this.#scope.routing.refusal(address) ?? []);
    if (refusal !== undefined) return refusal;
    return `the tunnel has no IPv${[...families].join(' and no IPv')} address`;
  }

  #error(code: 'EADDRNOTAVAIL' | 'ENETDOWN' | 'ENETUNREACH', hint: string): SocketError {
    return new SocketError(code, 'connect', {
      address: this.#host,
      port: this.#options.port,
      hint,
      cause: this.#scope.cause,
    });
  }
}

function parsed(found: readonly LookupAddress[]): readonly IpAddress[] {
  return found
    .map(({ address }) => IpAddress.parse(address))
    .filter((address) => address !== undefined);
}
