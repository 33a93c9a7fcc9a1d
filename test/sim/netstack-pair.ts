import type { Millis } from '../../src/core/machine.ts';
import { Pump } from '../../src/core/pump.ts';
import { IpAddress } from '../../src/netstack/ip-address.ts';
import { Netstack } from '../../src/netstack/netstack.ts';
import type { TcpOptions } from '../../src/netstack/tcp/tcp-options.ts';
import { packetTooBig } from './router.ts';
import { SeededRandom } from './seeded-random.ts';
import { type LineOptions, simLine } from './sim-link.ts';
import { type PairedTun, type TunPairOptions, tunPair } from './tun-pair.ts';
import { VirtualClock } from './virtual-clock.ts';

/** {@link TunPairOptions}, and what the stacks draw their randomness from. */
export interface NetstackPairOptions extends TunPairOptions {
  /** Default: 1. */
  readonly seed?: number;
  /** The line between them, alike in both directions. Default: none, packets are there at once. */
  readonly line?: LineOptions;
  /**
   * Largest packet that a router in the middle passes; it answers longer ones. `line.mtu` is that
   * of a router which says nothing. Default: every packet passes.
   */
  readonly routerMtu?: number;
  /** What TCP connections begin with at either end. */
  readonly leftTcp?: Partial<TcpOptions>;
  readonly rightTcp?: Partial<TcpOptions>;
}

/** An address that is written right. */
export function address(text: string): IpAddress {
  const parsed = IpAddress.parse(text);
  if (parsed === undefined) throw new Error(`no address: ${text}`);
  return parsed;
}

/** Two netstacks, 10.8.0.1/fd00::1 and 10.8.0.2/fd00::2, on two pumps and one virtual clock. */
export class NetstackPair {
  readonly clock = new VirtualClock();
  readonly left: Netstack;
  readonly right: Netstack;
  readonly leftTun: PairedTun;
  readonly rightTun: PairedTun;

  constructor(options: NetstackPairOptions = {}) {
    const seed = options.seed ?? 1;
    const { left, right } = tunPair({ ...options, filter: this.#way(options, seed) });
    this.leftTun = left;
    this.rightTun = right;
    this.left = this.#start(left, '1', seed, options.leftTcp);
    this.right = this.#start(right, '2', seed + 1, options.rightTcp);
  }

  /** Runs everything that needs no time. */
  settle(): void {
    this.clock.settle();
  }

  advance(duration: Millis): void {
    this.clock.advance(duration);
  }

  /** Runs until `done`; false: nothing happens any more, or not before `limitMs` have passed. */
  runUntil(done: () => boolean, limitMs: Millis): boolean {
    const end = this.clock.now() + limitMs;
    this.clock.settle();
    while (!done()) {
      if (this.clock.nextAt > end || !this.clock.step()) return false;
    }
    return true;
  }

  /** What packets meet on their way: the caller's filter, the router, and the line. */
  #way(
    {
      filter = (packet) => packet,
      line,
      routerMtu = Number.POSITIVE_INFINITY,
    }: NetstackPairOptions,
    seed: number,
  ): NonNullable<TunPairOptions['filter']> {
    if (line === undefined && routerMtu === Number.POSITIVE_INFINITY) return filter;
    const lines = {
      left: simLine(this.clock, seed, line ?? {}, (packet) => this.rightTun.inject(packet)),
      right: simLine(this.clock, ~seed, line ?? {}, (packet) => this.leftTun.inject(packet)),
    };
    return (packet, from) => {
      const passed = filter(packet, from);
      if (passed === undefined) return undefined;
      if (passed.length <= routerMtu) lines[from](passed);
      else lines[from === 'left' ? 'right' : 'left'](packetTooBig(passed, routerMtu));
      return undefined;
    };
  }

  #start(tun: PairedTun, host: string, seed: number, tcp: Partial<TcpOptions> = {}): Netstack {
    const pump = new Pump(this.clock, (error) => {
      throw error;
    });
    const netstack = new Netstack({
      tun,
      ipv4: { address: `10.8.0.${host}`, prefixLength: 24 },
      ipv6: { address: `fd00::${host}`, prefixLength: 64 },
      random: new SeededRandom(seed),
      clock: this.clock,
      wake: pump.arm,
      tcp,
    });
    pump.add(netstack);
    return netstack;
  }
}
