import type { FlowTuple } from '../netstack/flow-tuple.ts';

/** The two ends of a connection, named as `net.Socket` names them. */
export interface SocketNames {
  readonly localAddress: string;
  readonly localPort: number;
  readonly localFamily: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly remoteFamily: string;
}

/** The names of the ends of `tuple`. */
export function socketNames(tuple: FlowTuple): SocketNames {
  const { localAddress, localPort, remoteAddress, remotePort } = tuple;
  return {
    localAddress: localAddress.toString(),
    localPort,
    localFamily: `IPv${localAddress.family}`,
    remoteAddress: remoteAddress.toString(),
    remotePort,
    remoteFamily: `IPv${remoteAddress.family}`,
  };
}
