import { TunDialer } from '../../src/dialer/tun-dialer.ts';
import type { LineOptions } from '../sim/sim-link.ts';
import { ImpairedTun } from './impaired-tun.ts';
import { KernelTun, type Tap } from './kernel-tun.ts';
import { NetworkSpace } from './network-space.ts';
import { KERNEL, TunEnd } from './tun-end.ts';

/** How the kernel and we are joined. */
export interface KernelPeerOptions {
  /** Default: 1500. */
  readonly mtu?: number;
  /** Settings of the kernel's side, without `net.`. */
  readonly sysctl?: Readonly<Record<string, string | number>>;
  /** Default: a good line. */
  readonly line?: LineOptions;
  readonly seed?: number;
  readonly tap?: Tap;
}

/** The kernel's TCP/IP in a namespace of its own, and our dialer on the other end of its device. */
export class KernelPeer {
  readonly space: NetworkSpace;
  readonly dialer: TunDialer<TunEnd>;

  private constructor(space: NetworkSpace, dialer: TunDialer<TunEnd>) {
    this.space = space;
    this.dialer = dialer;
  }

  static async open(options: KernelPeerOptions = {}): Promise<KernelPeer> {
    const { mtu = 1500, sysctl = {}, line, seed = 1, tap } = options;
    const space = new NetworkSpace();
    try {
      space.configure(sysctl);
      // Linux takes IPv6 off a device whose MTU is below 1280 (RFC 8200 §5).
      const ipv6 = mtu < SMALLEST_IPV6_MTU ? [] : [`${KERNEL.ipv6}/64`];
      const tun = await KernelTun.open(space, {
        mtu,
        addresses: [`${KERNEL.ipv4}/24`, ...ipv6],
        ...(tap && { tap }),
      });
      const end = new TunEnd(line === undefined ? tun : new ImpairedTun(tun, seed, line));
      return new KernelPeer(space, TunDialer.over(end));
    } catch (error) {
      await space.remove();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.dialer.close();
    await this.space.remove();
  }
}

const SMALLEST_IPV6_MTU = 1280;
