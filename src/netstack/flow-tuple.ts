import type { IpAddress } from './ip-address.ts';

/** The two ends of a flow. */
export interface FlowTuple {
  readonly localAddress: IpAddress;
  readonly localPort: number;
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
}
