import net from 'node:net';
import { IpAddress } from '../netstack/ip-address.ts';
import type { TcpConnection } from '../netstack/tcp/connection.ts';
import type { TcpEvents, TcpFailure } from '../netstack/tcp/tcp-events.ts';
import type { TcpInfo } from '../netstack/tcp/tcp-info.ts';
import type { KeepAliveOptions } from '../netstack/tcp/tcp-options.ts';

/** What a `TunSocket` uses of a connection. */
export interface StreamConnection
  extends Pick<
    TcpConnection,
    'ended' | 'read' | 'write' | 'shutdown' | 'close' | 'abort' | 'setNoDelay' | 'setKeepAlive'
  > {
  events: TcpEvents;
  info(): TcpInfo | undefined;
}

/**
 * A TCP connection that the host itself makes, outside of the tunnel, in the shape of one of the
 * netstack's. It does not keep the process alive: the socket that stands on it does.
 */
export class HostConnection implements StreamConnection {
  events: TcpEvents;
  readonly #socket: net.Socket;
  #failure: TcpFailure | undefined;
  #ended = false;

  /** Begins to connect. */
  constructor(
    remote: IpAddress,
    port: number,
    events: TcpEvents,
    { noDelay = false }: { readonly noDelay?: boolean | undefined },
  ) {
    this.events = events;
    const socket = net.connect({ host: `${remote}`, port, allowHalfOpen: true, noDelay });
    this.#socket = socket.unref();
    socket.on('connect', () => this.events.connected());
    socket.on('readable', () => this.events.readable());
    socket.on('drain', () => this.events.writable());
    socket.on('end', () => {
      this.#ended = true;
      this.events.readable();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure ??= FAILURES.get(error.code ?? '') ?? 'reset';
    });
    socket.on('close', () => this.events.closed(this.#failure));
  }

  /** Our end outside of the tunnel, once connected. */
  get local(): { readonly address: IpAddress | undefined; readonly port: number } {
    const { localAddress = '', localPort = 0 } = this.#socket;
    return { address: IpAddress.parse(localAddress), port: localPort };
  }

  get ended(): boolean {
    return this.#ended;
  }

  read(): Buffer | undefined {
    return this.#socket.read() ?? undefined;
  }

  write(chunk: Buffer): boolean {
    return this.#socket.writable && this.#socket.write(chunk);
  }

  shutdown(): void {
    this.#socket.end();
  }

  close(): void {
    if (this.#socket.connecting || this.#socket.readableLength > 0) this.abort();
    else this.#socket.end();
    // What still comes is nobody's: read to its end, so that the end is seen.
    this.#socket.removeAllListeners('readable').resume();
  }

  abort(): void {
    this.#failure ??= 'aborted';
    if (this.#socket.connecting) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  setNoDelay(on: boolean): void {
    this.#socket.setNoDelay(on);
  }

  setKeepAlive({ enabled, idleMs }: KeepAliveOptions): void {
    this.#socket.setKeepAlive(enabled, idleMs);
  }

  /** The host's TCP does not tell. */
  info(): undefined {
    return undefined;
  }
}

const FAILURES: ReadonlyMap<string, TcpFailure> = new Map([
  ['ECONNREFUSED', 'refused'],
  ['ECONNRESET', 'reset'],
  ['ETIMEDOUT', 'timed-out'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'network-unreachable'],
]);
