import type { Clock } from '../core/clock.ts';
import type { RandomSource } from '../core/random.ts';
import type { Subnet } from '../model/push-options.ts';
import type { TunDevice } from '../model/tun-device.ts';
import type { Reaches } from './local-addresses.ts';
import type { TcpOptions } from './tcp/tcp-options.ts';

/** What may change while sockets are open. */
export interface NetstackSettings {
  /** Our addresses; the subnet of an IPv4 one tells its broadcast address. */
  readonly ipv4?: Subnet | undefined;
  readonly ipv6?: Subnet | undefined;
  /** Largest payload of a TCP segment over IPv4 (`mssfix`). Unit: bytes. Default: no limit. */
  readonly mssLimit4?: number | undefined;
  /** The same over IPv6. */
  readonly mssLimit6?: number | undefined;
  /** Whether an address may be spoken to; asked for each new flow. Default: all may. */
  readonly reaches?: Reaches | undefined;
}

/** What a netstack stands on. */
export interface NetstackOptions extends NetstackSettings {
  /** Where packets come from and go to; its wake-ups become the netstack's. */
  readonly tun: TunDevice;
  readonly random: RandomSource;
  readonly clock: Clock;
  /** Arms the pump that runs the netstack. */
  readonly wake: () => void;
  /** What every TCP connection begins with. Default: as {@link TcpOptions} says. */
  readonly tcp?: Partial<TcpOptions>;
}

/** Counters since the start, and what is open now. */
export interface NetstackStats {
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** TCP connections, those in TIME-WAIT included. */
  readonly tcpFlows: number;
  readonly udpEndpoints: number;
  /** Packets that were refused, by reason. */
  readonly drops: Readonly<Record<string, number>>;
}
