import type { Clock } from '../core/clock.ts';
import type { RandomSource } from '../core/random.ts';
import type { TunDevice } from '../model/tun-device.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';
import type { TunnelTenant } from '../model/tunnel-tenant.ts';
/** One end of a tunnel that a dialer can stand on: a `VpnClient` or a `VpnServer`. */
export interface TunnelEnd {
  readonly tun: TunDevice;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** The tunnel as this end sees it; for a server, its own addresses. */
  readonly info: TunnelInfo;
  /** Runs `tenant` on the pump and claims the tun. @throws OvpnUsageError when it is claimed. */
  attach(tenant: TunnelTenant): void;
  /** Tells of a tunnel that has changed while it is up, where that can be: `info` has it already. */
  on?(name: 'updated', listener: (info: TunnelInfo) => void): unknown;
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
