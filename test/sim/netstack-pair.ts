import type { Millis } from '../../src/core/machine.ts';
import { Pump } from '../../src/core/pump.ts';
import { IpAddress } from '../../src/netstack/ip-address.ts';
import { Netstack } from '../../src/netstack/netstack.ts';
import { SeededRandom } from './seeded-random.ts';
import { type PairedTun, type TunPairOptions, tunPair } from './tun-pair.ts';
import { VirtualClock } from './virtual-clock.ts';

/** {@link TunPairOptions}, and what the stacks draw their randomness from. */
export interface NetstackPairOptions extends TunPairOptions {
  /** Default: 1. */
  readonly seed?: number;
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
    const { left, right } = tunPair(options);
    const seed = options.seed ?? 1;
    this.leftTun = left;
    this.rightTun = right;
    this.left = this.#start(left, '1', seed);
    this.right = this.#start(right, '2', seed + 1);
  }

  /** Runs everything that needs no time. */
  settle(): void {
    this.clock.settle();
  }

  advance(duration: Millis): void {
    this.clock.advance(duration);
  }

  #start(tun: PairedTun, host: string, seed: number): Netstack {
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
    });
    pump.add(netstack);
    return netstack;
  }
}
