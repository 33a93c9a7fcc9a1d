import type { Socket as UdpSocket } from 'node:dgram';
import type { Socket } from 'node:net';
import type { DatagramPipe } from './datagram-link.ts';
import { encodeDatagramHeader, type SocksAddress } from './socks5-codec.ts';

/** How often an association that is silent shows that it lives. Unit: milliseconds. */
const KEEP_ALIVE_MS = 60_000;

export interface Socks5DatagramsParts {
  /** Connected to the relay. */
  readonly socket: UdpSocket;
  /** The association ends with it. */
  readonly control: Socket;
  /** A literal address: replies name one, and only those from there are let in. */
  readonly target: SocksAddress;
  /** The error for an association that the proxy ends. */
  readonly ended: () => Error;
}

/** Datagrams to and from one peer by the relay of a SOCKS5 proxy. Owns both sockets. */
export class Socks5Datagrams implements DatagramPipe {
  readonly #socket: UdpSocket;
  readonly #control: Socket;
  readonly #header: Buffer;
  #onError: ((error: Error) => void) | undefined;
  #closed = false;

  constructor({ socket, control, target, ended }: Socks5DatagramsParts) {
    this.#socket = socket;
    this.#control = control;
    this.#header = encodeDatagramHeader(target);
    const end = (): void => {
      if (this.#closed) return;
      this.#onError?.(ended());
      this.close();
    };
    control.on('error', () => {});
    control.on('close', end);
    control.on('end', end);
    // Nothing more is said on it; what comes all the same is not kept.
    control.resume();
    control.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  send(packet: Uint8Array, sent?: (error: Error | null) => void): void {
    if (this.#closed) return;
    const { length } = this.#header;
    const wrapped = Buffer.allocUnsafe(length + packet.length);
    wrapped.set(this.#header);
    wrapped.set(packet, length);
    this.#socket.send(wrapped, sent);
  }

  getSendQueueSize(): number {
    return this.#closed ? 0 : this.#socket.getSendQueueSize();
  }

  on(event: 'message', listener: (packet: Uint8Array) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'close', listener: () => void): this;
  on(...[event, listener]: PipeEvent): this {
    if (event === 'message') {
      this.#socket.on('message', (datagram) => {
        const packet = this.#unwrapped(datagram);
        if (packet !== undefined) listener(packet);
      });
    } else if (event === 'error') {
      this.#onError = listener;
      this.#socket.on('error', listener);
    } else {
      this.#socket.on('close', listener);
    }
    return this;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
    this.#control.destroy();
  }

  ref(): void {
    this.#socket.ref();
    this.#control.ref();
  }

  unref(): void {
    this.#socket.unref();
    this.#control.unref();
  }

  /** What came from the peer; fragments, and what came from elsewhere, have another header. */
  #unwrapped(datagram: Buffer): Buffer | undefined {
    const { length } = this.#header;
    if (datagram.length < length) return undefined;
    if (datagram.compare(this.#header, 0, length, 0, length) !== 0) return undefined;
    return datagram.subarray(length);
  }
}

type PipeEvent =
  | [event: 'message', listener: (packet: Uint8Array) => void]
  | [event: 'error', listener: (error: Error) => void]
  | [event: 'close', listener: () => void];
