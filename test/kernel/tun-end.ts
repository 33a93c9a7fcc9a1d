import { systemClock } from '../../src/core/clock.ts';
import { Pump, type Service } from '../../src/core/pump.ts';
import { SystemRandom } from '../../src/core/random.ts';
import type { TunnelEnd } from '../../src/dialer/tunnel-end.ts';
import type { TunDevice } from '../../src/model/tun-device.ts';
import type { TunnelInfo } from '../../src/model/tunnel-info.ts';

/** Addresses of the kernel's end and of ours. */
export const KERNEL = { ipv4: '10.9.0.1', ipv6: 'fd09::1' } as const;
export const OURS = { ipv4: '10.9.0.2', ipv6: 'fd09::2' } as const;

/** A {@link TunDevice} as what a dialer stands on: there is no tunnel, only its end. */
export class TunEnd implements TunnelEnd {
  readonly tun: TunDevice;
  readonly clock = systemClock;
  readonly random = new SystemRandom();
  readonly ended: Promise<Error | undefined>;
  readonly #pump: Pump;
  #end: (error: Error | undefined) => void = () => {};

  constructor(tun: TunDevice) {
    this.tun = tun;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#pump = new Pump(systemClock, (error) => this.#end(error as Error));
  }

  get info(): TunnelInfo {
    return {
      ipv4: { address: OURS.ipv4, prefixLength: 24 },
      ipv6: { address: OURS.ipv6, prefixLength: 64 },
      gateway: KERNEL.ipv4,
      gateway6: KERNEL.ipv6,
      routes: [],
      redirect: undefined,
      blockIpv4: false,
      blockIpv6: false,
      dnsServers: [],
      nameServers: [],
      searchDomains: [],
      mtu: this.tun.mtu,
      mss: 0,
      cipher: 'none',
      peerId: undefined,
      tlsVersion: 'none',
      remoteAddress: KERNEL.ipv4,
      remotePort: 0,
      protocol: 'udp',
    };
  }

  attach(service: Service): void {
    this.#pump.add(service);
  }

  arm(): void {
    this.#pump.arm();
  }

  async close(): Promise<void> {
    this.#pump.stop();
    this.tun.close();
    this.#end(undefined);
  }
}
