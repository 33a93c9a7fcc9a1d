import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CLOSE_GRACE_MS, type Link, type LinkAddresses, type LinkPort } from './link.ts';
import { errnoOf, linkClosed, linkFailed } from './network-errors.ts';
import { StreamDeframer, StreamFramer } from './stream-framing.ts';

/** Bytes that may wait in a stream that asks to be drained before packets stay with us. */
export const MAX_QUEUED_STREAM_BYTES = 131_072;

/** Packets of one turn are gathered into writes of about this size. Unit: bytes. */
export const WRITE_BYTES = 65_536;

export interface StreamLinkOptions {
  /** Default: what the stream says of itself, as a `net.Socket` does. */
  readonly addresses?: LinkAddresses;
  /** What was read from the (paused) stream already: a packet, and what its deframer still holds. */
  readonly received?: { readonly packet: Buffer; readonly deframer: StreamDeframer };
}

/** A {@link Link} over a byte stream, whose owner it becomes: a `net.Socket` or a user's Duplex. */
export class StreamLink implements Link {
  readonly protocol = 'tcp';
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Always 0: a stream waits. */
  readonly overflows = 0;
  readonly #stream: Duplex;
  readonly #deframer: StreamDeframer;
  readonly #framer = new StreamFramer();
  #port: LinkPort | undefined;
  /** The packet that the port had no room for. */
  #held: Buffer | undefined;
  #bytesRead = 0;
  #bytesWritten = 0;
  #flushDue = false;
  #end: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(stream: Duplex, { addresses, received }: StreamLinkOptions = {}) {
    const { localAddress, localPort, remoteAddress, remotePort } = addresses ?? addressesOf(stream);
    this.localAddress = localAddress;
    this.localPort = localPort;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.#stream = stream;
    this.#deframer = received?.deframer ?? new StreamDeframer();
    this.#held = received?.packet;
    stream.on('error', (error: Error) => this.#finish(endOf(error)));
    stream.on('end', () => this.#finish(linkClosed()));
    stream.on('close', () => this.#finish(linkClosed()));
    stream.on('drain', () => this.#port?.drained());
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  get writable(): boolean {
    const { writableNeedDrain, writableLength } = this.#stream;
    return !writableNeedDrain || writableLength < MAX_QUEUED_STREAM_BYTES;
  }

  open(port: LinkPort): void {
    this.#port = port;
    this.#stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    if (this.#end !== undefined) queueMicrotask(() => this.#tellEnd());
    else this.resume();
  }

  send(packet: Buffer): void {
    this.#framer.add(packet);
    if (this.#framer.bytes >= WRITE_BYTES) {
      this.#flush();
    } else if (!this.#flushDue) {
      this.#flushDue = true;
      process.nextTick(this.#flushOnTick);
    }
  }

  resume(): void {
    this.#deliver();
    if (this.#held === undefined && this.#end === undefined) this.#stream.resume();
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  ref(): void {
    if (this.#stream instanceof Socket) this.#stream.ref();
  }

  unref(): void {
    if (this.#stream instanceof Socket) this.#stream.unref();
  }

  #receive(chunk: Buffer): void {
    if (this.#closing !== undefined) return;
    this.#bytesRead += chunk.length;
    this.#deframer.push(chunk);
    if (this.#held === undefined) this.#deliver();
  }

  #deliver(): void {
    const port = this.#port;
    if (port === undefined) return;
    for (;;) {
      const packet = this.#held ?? this.#deframer.take();
      if (packet === undefined) break;
      this.#held = undefined;
      if (!port.receive(packet)) {
        this.#held = packet;
        this.#stream.pause();
        return;
      }
    }
    const { failure } = this.#deframer;
    if (failure === undefined) return;
    this.#finish(failure);
    this.#stream.destroy();
  }

  /** Runs after the pump's turn: what it sent goes out in one write. */
  readonly #flushOnTick = (): void => {
    this.#flushDue = false;
    this.#flush();
  };

  #flush(): void {
    if (this.#framer.bytes === 0) return;
    const framed = this.#framer.flush();
    if (!this.#stream.writable) return;
    this.#bytesWritten += framed.length;
    this.#stream.write(framed);
  }

  #finish(error: Error): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#tellEnd();
  }

  #tellEnd(): void {
    if (this.#end !== undefined && this.#closing === undefined) this.#port?.ended(this.#end);
  }

  /** Half-closes and reads on: a socket closed with unread bytes would reset what is on its way. */
  async #shut(): Promise<void> {
    const stream = this.#stream;
    this.#flush();
    if (stream.closed) return;
    await new Promise<void>((resolve) => {
      const giveUp = setTimeout(() => {
        stream.destroy();
        resolve();
      }, CLOSE_GRACE_MS);
      stream.once('close', () => {
        clearTimeout(giveUp);
        resolve();
      });
      stream.end();
      stream.resume();
    });
  }
}

function endOf(error: Error): Error {
  const errno = errnoOf(error);
  return errno === 'ECONNRESET' || errno === 'EPIPE' ? linkClosed(error) : linkFailed(error);
}

function addressesOf(stream: Duplex): LinkAddresses {
  const { localAddress, localPort, remoteAddress, remotePort } = stream as Partial<LinkAddresses>;
  return {
    localAddress: localAddress ?? '',
    localPort: localPort ?? 0,
    remoteAddress: remoteAddress ?? '',
    remotePort: remotePort ?? 0,
  };
}
