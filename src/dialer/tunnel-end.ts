import type { Clock } from '../core/clock.ts';
import type { Service } from '../core/pump.ts';
import type { RandomSource } from '../core/random.ts';
import type { TunDevice } from '../model/tun-device.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';

/** One end of a tunnel that a dialer can stand on: a `VpnClient` or a `VpnServer`. */
export interface TunnelEnd {
  readonly tun: TunDevice;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** The tunnel as this end sees it; for a server, its own addresses. */
  readonly info: TunnelInfo;
  /** Runs `service` on the pump and claims the tun. @throws OvpnUsageError when it is claimed. */
  attach(service: Service): void;
  /** Asks the pump for a turn. */
  arm(): void;
  /** Settles when the tunnel has ended: with the cause, or undefined after `close`. */
  readonly ended: Promise<Error | undefined>;
  /** Whether the tunnel itself keeps the process alive, where that can be chosen. */
  ref?(): unknown;
  unref?(): unknown;
  /** Ends the tunnel and stops what is attached. May be called twice. */
  close(): Promise<void>;
}
