import { OvpnUsageError } from '../core/errors.ts';

/** What `dial` can be asked for, as Go's `net.Dial` spells it. */
export type DialNetwork = 'tcp' | 'tcp4' | 'tcp6' | 'udp' | 'udp4' | 'udp6';

export const DIAL_NETWORKS: readonly DialNetwork[] = ['tcp', 'tcp4', 'tcp6', 'udp', 'udp4', 'udp6'];

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Reads `host:port` or `[v6]:port`. @throws OvpnUsageError for anything else */
export function parseHostPort(text: string): HostPort {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d+)$/.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  if (host === undefined) {
    throw new OvpnUsageError(`expected host:port or [v6]:port, got ${JSON.stringify(text)}`, LAYER);
  }
  return { host, port: checkPort(Number(parts?.[3])) };
}

/** `port`, 1 … 65,535. @throws OvpnUsageError */
export function checkPort(port: number): number {
  if (Number.isInteger(port) && port > 0 && port <= MAX_PORT) return port;
  throw new OvpnUsageError(`expected a port from 1 to ${MAX_PORT}, got ${port}`, LAYER);
}

/** The address families of a network, or 0 for both. @throws OvpnUsageError for an unknown one */
export function familyOf(network: DialNetwork): 0 | 4 | 6 {
  if (!DIAL_NETWORKS.includes(network)) {
    throw new OvpnUsageError(`expected one of ${DIAL_NETWORKS.join(', ')}, got ${network}`, LAYER);
  }
  if (network.endsWith('4')) return 4;
  return network.endsWith('6') ? 6 : 0;
}

const MAX_PORT = 0xffff;
const LAYER = 'dialer';
