import type { IpAddress } from '../netstack/ip-address.ts';
import { DATAGRAM_OVERHEAD_BYTES } from '../netstack/udp-table.ts';

/** Datagrams that wait for the application, at most; newer ones are dropped. Unit: bytes. */
export const MAX_RECEIVE_QUEUE_BYTES: number = 1024 * 1024;

/** Takes a datagram; runs outside the pump. */
export type OnDatagram = (payload: Buffer, from: IpAddress, port: number) => void;

interface Received {
  readonly payload: Buffer;
  readonly from: IpAddress;
  readonly port: number;
}

/**
 * Datagrams on their way to the application: each is delivered on a tick of its own, so that code
 * of the user never runs inside the pump, and one that throws does not cost the others.
 */
export class DatagramInbox {
  /** How much may wait. Unit: bytes. */
  limitBytes: number = MAX_RECEIVE_QUEUE_BYTES;
  readonly #deliver: OnDatagram;
  #waiting: Received[] = [];
  #next = 0;
  #bytes = 0;

  constructor(deliver: OnDatagram) {
    this.#deliver = deliver;
  }

  /** Whether there is room for a datagram of so many bytes; an empty inbox takes any. */
  accepts(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.limitBytes;
  }

  push(payload: Buffer, from: IpAddress, port: number): void {
    if (this.#waiting.length === 0) process.nextTick(this.#deliverNext);
    this.#waiting.push({ payload, from, port });
    this.#bytes += payload.length + DATAGRAM_OVERHEAD_BYTES;
  }

  /** Forgets what waits. */
  clear(): void {
    // The list itself stays until the tick that was asked for it.
    this.#next = this.#waiting.length;
    this.#bytes = 0;
  }

  readonly #deliverNext = (): void => {
    const datagram = this.#waiting[this.#next];
    if (datagram === undefined) {
      this.#waiting = [];
      this.#next = 0;
      return;
    }
    this.#next += 1;
    this.#bytes -= datagram.payload.length + DATAGRAM_OVERHEAD_BYTES;
    process.nextTick(this.#deliverNext);
    this.#deliver(datagram.payload, datagram.from, datagram.port);
  };
}
