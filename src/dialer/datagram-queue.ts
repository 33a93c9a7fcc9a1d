import { OvpnUsageError } from '../core/errors.ts';
import type { IpAddress } from '../netstack/ip-address.ts';
import { NetstackError } from '../netstack/netstack-error.ts';
import type { UdpEndpoint } from '../netstack/udp-endpoint.ts';
import { SocketError } from './socket-error.ts';
import type { SendCallback } from './udp-send-arguments.ts';

/** Datagrams that wait for the tunnel, at most; more are refused with `ENOBUFS`. Unit: bytes. */
export const MAX_SEND_QUEUE_BYTES: number = 1024 * 1024;

/** How many may wait at most, however small they are. */
export const MAX_SEND_QUEUE_COUNT = 8192;

/** No queue of a socket is made larger. Unit: bytes. */
export const MAX_BUFFER_BYTES: number = 64 * 1024 * 1024;

/** `bytes`, when it may be the size of a queue. @throws OvpnUsageError */
export function checkBufferBytes(bytes: number): number {
  if (Number.isInteger(bytes) && bytes > 0 && bytes <= MAX_BUFFER_BYTES) return bytes;
  throw new OvpnUsageError(`expected a size from 1 to ${MAX_BUFFER_BYTES}, got ${bytes}`, 'dialer');
}

/** A datagram, where it goes, and who hears what became of it. */
export interface Outgoing {
  readonly payload: Buffer;
  readonly to: IpAddress;
  readonly port: number;
  readonly callback: SendCallback | undefined;
}

/** Sends datagrams in order; those that find no room wait for `flush`. */
export class DatagramQueue {
  /** How much may wait. Unit: bytes. */
  limitBytes: number = MAX_SEND_QUEUE_BYTES;
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
    const tooMuch = this.#bytes + payload.length > this.limitBytes;
    if (tooMuch || this.#waiting.length >= MAX_SEND_QUEUE_COUNT) {
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
