import type { IpAddress } from '../netstack/ip-address.ts';
import { NetstackError } from '../netstack/netstack-error.ts';
import type { UdpEndpoint } from '../netstack/udp-endpoint.ts';
import { SocketError } from './socket-error.ts';
import type { SendCallback } from './udp-send-arguments.ts';

/** Datagrams that wait for the tunnel, at most; more are refused with `ENOBUFS`. Unit: bytes. */
export const MAX_SEND_QUEUE_BYTES: number = 1024 * 1024;

/** A datagram, where it goes, and who hears what became of it. */
export interface Outgoing {
  readonly payload: Buffer;
  readonly to: IpAddress;
  readonly port: number;
  readonly callback: SendCallback | undefined;
}

/** Sends datagrams in order; those that find no room wait for `flush`. */
export class DatagramQueue {
  readonly #waiting: Outgoing[] = [];
  #bytes = 0;

  /** Unit: bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#waiting.length;
  }

  send(datagram: Outgoing, endpoint: UdpEndpoint): void {
    if (this.#waiting.length === 0 && place(datagram, endpoint)) return;
    const { payload, to, port, callback } = datagram;
    if (this.#bytes + payload.length > MAX_SEND_QUEUE_BYTES) {
      const error = new SocketError('ENOBUFS', 'send', { address: `${to}`, port });
      if (callback !== undefined) process.nextTick(callback, error, 0);
      return;
    }
    this.#waiting.push(datagram);
    this.#bytes += payload.length;
  }

  /** There is room again. */
  flush(endpoint: UdpEndpoint): void {
    let sent = 0;
    for (const datagram of this.#waiting) {
      if (!place(datagram, endpoint)) break;
      sent += 1;
      this.#bytes -= datagram.payload.length;
    }
    this.#waiting.splice(0, sent);
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting.length = 0;
    this.#bytes = 0;
  }
}

/** False when the netstack has no room. Callbacks run on the next tick, outside the pump. */
function place({ payload, to, port, callback }: Outgoing, endpoint: UdpEndpoint): boolean {
  try {
    if (!endpoint.send(payload, to, port)) return false;
    if (callback !== undefined) process.nextTick(callback, null, payload.length);
  } catch (error) {
    if (!(error instanceof NetstackError)) throw error;
    const failure = new SocketError(error.code, 'send', { address: `${to}`, port, cause: error });
    if (callback !== undefined) process.nextTick(callback, failure, 0);
  }
  return true;
}
