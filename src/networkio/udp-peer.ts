import type { Socket } from 'node:dgram';
import type { DatagramPipe } from './datagram-link.ts';

/** Packets that wait for a peer's link to be opened. */
export const MAX_UNOPENED_PACKETS = 16;

/** One peer's share of a listener's socket: a pipe that sends to one address only. */
export class UdpPeer implements DatagramPipe {
  readonly #socket: Socket;
  readonly #address: string;
  readonly #port: number;
  #waiting: Buffer[] = [];
  #onMessage: ((packet: Uint8Array) => void) | undefined;
  readonly #onClose: (() => void)[] = [];
  #closed = false;

  constructor(socket: Socket, address: string, port: number) {
    this.#socket = socket;
    this.#address = address;
    this.#port = port;
  }

  /** Passes one packet of this peer on, or keeps it for the link that will be opened. */
  deliver(packet: Buffer): void {
    if (this.#onMessage !== undefined) this.#onMessage(packet);
    else if (this.#waiting.length < MAX_UNOPENED_PACKETS) this.#waiting.push(packet);
  }

  send(packet: Uint8Array, sent?: (error: Error | null) => void): void {
    if (!this.#closed) this.#socket.send(packet, this.#port, this.#address, sent);
  }

  getSendQueueSize(): number {
    return this.#closed ? 0 : this.#socket.getSendQueueSize();
  }

  on(event: 'message', listener: (packet: Uint8Array) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'close', listener: () => void): this;
  on(...[event, listener]: PeerEvent): this {
    if (event === 'message') this.#open(listener);
    // The socket's errors are the listener's: no packet of one peer may end another.
    if (event === 'close') this.#onClose.push(listener);
    return this;
  }

  /** Ends this peer; the socket stays open for the others. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting = [];
    for (const listener of this.#onClose) listener();
  }

  #open(listener: (packet: Uint8Array) => void): void {
    this.#onMessage = listener;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const packet of waiting) listener(packet);
  }
}

type PeerEvent =
  | [event: 'message', listener: (packet: Uint8Array) => void]
  | [event: 'error', listener: (error: Error) => void]
  | [event: 'close', listener: () => void];
