import { CLOSE_GRACE_MS, type Link, type LinkAddresses, type LinkPort } from './link.ts';
import { errnoOf, linkClosed, linkFailed } from './network-errors.ts';

/**
 * A way to send and receive datagrams to and from one peer: a connected `dgram.Socket`, or a
 * user's own. Each message is handed over: the pipe does not touch its bytes again. Nothing may
 * throw once the pipe is in use.
 */
export interface DatagramPipe {
  /** Sends one packet. `sent`, if given and if the pipe has `getSendQueueSize`, is called after it. */
  send(packet: Uint8Array, sent?: (error: Error | null) => void): void;
  on(event: 'message', listener: (packet: Uint8Array) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'close', listener: () => void): this;
  close(): void;
  /** How much waits inside the pipe, in bytes. A pipe without it can always take a packet. */
  getSendQueueSize?(): number;
  /** As `dgram.Socket` has them. */
  ref?(): unknown;
  unref?(): unknown;
}

/** Bytes that may wait in a datagram pipe before packets stay with us. */
export const MAX_QUEUED_DATAGRAM_BYTES = 65_536;

/** A queue grows slowly: its size is asked for only every so many packets. */
const PACKETS_PER_LOOK = 16;

const LOOK_AGAIN_MS = 5;

/** Errors that say something of one packet, or of the moment: the next packet may get through. */
const PASSING_ERRORS: ReadonlySet<string> = new Set([
  'EAGAIN',
  'EMSGSIZE',
  'ENOBUFS',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
]);

export interface DatagramLinkOptions {
  readonly addresses: LinkAddresses;
  /** The `ended` error for an error of the pipe. Default: `OVPN_LINK_FAILED` with the cause. */
  readonly toEnd?: (cause: Error) => Error;
}

/** A {@link Link} over a {@link DatagramPipe}, whose owner it becomes. */
export class DatagramLink implements Link {
  readonly protocol = 'udp';
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #pipe: DatagramPipe;
  readonly #toEnd: (cause: Error) => Error;
  #port: LinkPort | undefined;
  #bytesRead = 0;
  #bytesWritten = 0;
  #overflows = 0;
  #untilLook = PACKETS_PER_LOOK;
  #writable = true;
  #end: Error | undefined;
  #pipeClosed = false;
  #closing: Promise<void> | undefined;

  constructor(pipe: DatagramPipe, { addresses, toEnd = linkFailed }: DatagramLinkOptions) {
    this.localAddress = addresses.localAddress;
    this.localPort = addresses.localPort;
    this.remoteAddress = addresses.remoteAddress;
    this.remotePort = addresses.remotePort;
    this.#pipe = pipe;
    this.#toEnd = toEnd;
    pipe.on('error', (error) => this.#onError(error));
    pipe.on('close', () => {
      this.#pipeClosed = true;
      this.#finish(linkClosed());
    });
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  get overflows(): number {
    return this.#overflows;
  }

  get writable(): boolean {
    return this.#writable;
  }

  open(port: LinkPort): void {
    this.#port = port;
    this.#pipe.on('message', (packet) => this.#receive(packet));
    if (this.#end !== undefined) queueMicrotask(() => this.#tellEnd());
  }

  send(packet: Buffer): void {
    if (this.#end !== undefined) return;
    this.#bytesWritten += packet.length;
    this.#untilLook -= 1;
    if (this.#untilLook === 0) {
      this.#untilLook = PACKETS_PER_LOOK;
      this.#writable = this.#queued() < MAX_QUEUED_DATAGRAM_BYTES;
    }
    if (this.#writable) this.#pipe.send(packet);
    else this.#pipe.send(packet, this.#onSent);
  }

  /** Nothing to do: a datagram link never stops reading. */
  resume(): void {}

  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  ref(): void {
    this.#pipe.ref?.();
  }

  unref(): void {
    this.#pipe.unref?.();
  }

  #receive(packet: Uint8Array): void {
    if (this.#end !== undefined || this.#port === undefined) return;
    this.#bytesRead += packet.length;
    if (!this.#port.receive(asBuffer(packet))) this.#overflows += 1;
  }

  #queued(): number {
    return this.#pipe.getSendQueueSize?.() ?? 0;
  }

  /** The queue is first in, first out: with this packet all before it are on their way. */
  readonly #onSent = (): void => {
    this.#writable = true;
    if (this.#end === undefined) this.#port?.drained();
  };

  #onError(error: Error): void {
    const errno = errnoOf(error) ?? '';
    if (PASSING_ERRORS.has(errno)) return;
    // An ICMP error can be forged, and a server that answered may be back at once: silence decides.
    if (errno === 'ECONNREFUSED' && this.#bytesRead > 0) return;
    this.#finish(this.#toEnd(error));
  }

  #finish(error: Error): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#tellEnd();
  }

  #tellEnd(): void {
    if (this.#end !== undefined && this.#closing === undefined) this.#port?.ended(this.#end);
  }

  async #shut(): Promise<void> {
    this.#end ??= linkClosed();
    const until = performance.now() + CLOSE_GRACE_MS;
    while (!this.#pipeClosed && this.#queued() > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
    if (this.#pipeClosed) return;
    await new Promise<void>((resolve) => {
      const giveUp = setTimeout(resolve, CLOSE_GRACE_MS);
      this.#pipe.on('close', () => {
        clearTimeout(giveUp);
        resolve();
      });
      this.#pipe.close();
    });
  }
}

/** The same bytes as a Buffer. */
export function asBuffer(packet: Uint8Array): Buffer {
  if (Buffer.isBuffer(packet)) return packet;
  return Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength);
}
