import type { FlowTuple } from '../netstack/flow-tuple.ts';
import type { IpAddress } from '../netstack/ip-address.ts';
import type { StreamConnection } from './host-connection.ts';
import type { ConnectEvents } from './socket-connect.ts';

/** A socket that connects, as far as this file needs it: a `TunSocket`. */
interface ConnectingSocket {
  readonly autoSelectFamilyAttemptedAddresses: string[];
  readonly destroyed: boolean;
  emit(event: string, ...args: unknown[]): unknown;
  destroy(error: Error): unknown;
}

/**
 * Tells a socket's listeners how connecting goes, with the events of `net.Socket`: `lookup`,
 * `connectionAttempt`, `connectionAttemptFailed`, `connectionAttemptTimeout`, and `error` at the end
 * of a failure. They are emitted on the next tick: what they tell comes from inside the pump. An
 * attempt that timed out is not given up, as Node's is: the next one begins beside it.
 */
export function connectEvents(
  socket: ConnectingSocket,
  port: number,
  won: (connection: StreamConnection, tuple: FlowTuple) => void,
): ConnectEvents {
  const tell = (event: string, ...args: unknown[]) => {
    if (!socket.destroyed) process.nextTick(() => socket.emit(event, ...args));
  };
  /** The address that was tried last, unless that has failed. */
  let last: IpAddress | undefined;
  return {
    lookedUp(found, host) {
      for (const { address, family } of found) tell('lookup', null, address, family, host);
    },
    lookupFailed(error, host) {
      tell('lookup', error, undefined, undefined, host);
      socket.destroy(error);
    },
    attempt(address) {
      if (last !== undefined) {
        tell('connectionAttemptTimeout', `${last}`, port, last.family);
      }
      last = address;
      socket.autoSelectFamilyAttemptedAddresses.push(`${address}:${port}`);
      tell('connectionAttempt', `${address}`, port, address.family);
    },
    attemptFailed(address, error) {
      if (last === address) last = undefined;
      tell('connectionAttemptFailed', `${address}`, port, address.family, error);
    },
    won,
    lost: (error) => socket.destroy(error),
  };
}
