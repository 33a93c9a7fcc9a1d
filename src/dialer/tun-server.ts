import { EventEmitter } from 'node:events';
import type { AddressInfo, DropArgument, Server } from 'node:net';
import { OvpnUsageError } from '../core/errors.ts';
import type { FlowTuple } from '../netstack/flow-tuple.ts';
import { IpAddress } from '../netstack/ip-address.ts';
import { NetstackError } from '../netstack/netstack-error.ts';
import type { TcpConnection } from '../netstack/tcp/connection.ts';
import type { TcpEvents } from '../netstack/tcp/tcp-events.ts';
import type { TcpListening } from '../netstack/tcp-listening.ts';
import { addressChanged } from './address-changed.ts';
import { listenArguments, type TunListenOptions } from './listen-arguments.ts';
import { SocketError, type SocketErrorCode } from './socket-error.ts';
import { socketNames } from './socket-names.ts';
import { TunSocket } from './tun-socket.ts';
import type { TunSocketOptions } from './tun-socket-options.ts';
import type { TunnelScope } from './tunnel-scope.ts';

/** What may be chosen for a server; the rest is handed to each of its sockets. */
export interface TunServerOptions extends Omit<TunSocketOptions, 'signal'> {
  /** Does not read from a socket before `resume`. Default: false. */
  readonly pauseOnConnect?: boolean | undefined;
}

export interface TunServerEvents {
  listening: [];
  connection: [socket: TunSocket];
  drop: [refused: DropArgument];
  error: [error: Error];
  close: [];
}

type Callback = (error?: Error) => void;

/**
 * Listens for TCP connections inside the tunnel, as `net.Server` does on the host. To serve HTTP:
 * `server.on('connection', (socket) => httpServer.emit('connection', socket))`.
 */
export class TunServer extends EventEmitter<TunServerEvents> implements Server {
  /** Connections beyond this are reset, and `drop` tells of them. */
  maxConnections: number = Number.POSITIVE_INFINITY;
  /** As `net.Server` has it, where it matters in a cluster only; here it changes nothing. */
  dropMaxConnection = false;
  readonly #scope: TunnelScope;
  readonly #options: TunServerOptions;
  readonly #sockets = new Set<TunSocket>();
  #listening: TcpListening | undefined;
  #address: AddressInfo | null = null;
  #closing = false;

  /** Servers are made by a `TunDialer`. */
  constructor(scope: TunnelScope, options: TunServerOptions = {}) {
    super();
    this.#scope = scope;
    this.#options = options;
  }

  get listening(): boolean {
    return this.#listening !== undefined;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Begins to listen; `listening` follows, or `error`. @throws OvpnUsageError while it listens */
  listen(options: TunListenOptions, listener?: () => void): this;
  listen(port?: number, host?: string, backlog?: number, listener?: () => void): this;
  listen(port?: number, host?: string, listener?: () => void): this;
  listen(port?: number, backlog?: number, listener?: () => void): this;
  listen(port?: number, listener?: () => void): this;
  listen(path: string, ...rest: unknown[]): this;
  listen(...args: unknown[]): this {
    if (this.#listening !== undefined) throw new OvpnUsageError('already listening', 'dialer');
    const { options, listener } = listenArguments(...args);
    if (listener !== undefined) this.once('listening', listener);
    const error = this.#open(options);
    if (error === undefined) {
      this.#scope.holdLasting(this.#onTunnelEnd);
      this.#closeBy(options.signal);
    }
    process.nextTick(() => {
      if (error !== undefined) this.emit('error', error);
      else if (this.listening) this.emit('listening');
    });
    return this;
  }

  #closeBy(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    const close = () => this.close();
    signal.addEventListener('abort', close, { once: true });
    this.once('close', () => signal.removeEventListener('abort', close));
    if (signal.aborted) close();
  }

  #open({ port = 0, host, backlog }: TunListenOptions): Error | undefined {
    const { netstack, ended, cause } = this.#scope;
    const failed = (code: SocketErrorCode, why?: unknown) =>
      new SocketError(code, 'listen', { address: host, port, cause: why });
    if (ended) return failed('ENETDOWN', cause);
    const address = host === undefined ? undefined : IpAddress.parse(hostAddress(host));
    if (host !== undefined && address === undefined) return failed('EADDRNOTAVAIL');
    try {
      const listening = netstack.listenTcp(
        {
          port,
          ...(address === undefined ? {} : { address }),
          ...(backlog === undefined ? {} : { backlog }),
          onAddressGone: () => this.#onTunnelEnd(addressChanged()),
        },
        (connection, tuple) => this.#onConnection(connection, tuple),
      );
      const shown = address ?? netstack.ipv4 ?? netstack.ipv6;
      this.#listening = listening;
      this.#address = {
        address: shown?.toString() ?? '',
        family: `IPv${shown?.family ?? 4}`,
        port: listening.port,
      };
      return undefined;
    } catch (error) {
      if (error instanceof NetstackError) return failed(error.code, error);
      throw error;
    }
  }

  #onConnection(connection: TcpConnection, tuple: FlowTuple): TcpEvents {
    if (this.#sockets.size >= this.maxConnections) return this.#refuse(connection, tuple);
    const { pauseOnConnect = false } = this.#options;
    const socket = new TunSocket(this.#scope, socketOptions(this.#options));
    const events = socket.adopt(connection, tuple);
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#finishClosing();
    });
    if (pauseOnConnect) socket.pause();
    process.nextTick(() => {
      this.emit('connection', socket);
      if (!socket.isPaused()) socket.read(0);
    });
    return events;
  }

  #refuse(connection: TcpConnection, tuple: FlowTuple): TcpEvents {
    process.nextTick(() => {
      connection.abort();
      this.emit('drop', socketNames(tuple));
    });
    return DEAF;
  }

  /** Where it listens; the address inside the tunnel when that was left open. Null when it does not. */
  address(): AddressInfo | null {
    return this.#address;
  }

  /** Stops listening; `close` follows once the last connection has ended. */
  close(callback?: Callback): this {
    if (callback !== undefined) {
      if (this.listening) this.once('close', callback);
      else process.nextTick(callback, new OvpnUsageError('the server is not running', 'dialer'));
    }
    if (this.#listening === undefined) return this;
    this.#listening.close();
    this.#listening = undefined;
    this.#address = null;
    this.#scope.release(this.#onTunnelEnd);
    this.#finishClosing();
    return this;
  }

  /** Stops listening and waits for the last connection to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.listening) await new Promise<void>((resolve) => this.close(() => resolve()));
  }

  #finishClosing(): void {
    if (this.listening || this.#closing || this.#sockets.size > 0) return;
    this.#closing = true;
    process.nextTick(() => {
      this.#closing = false;
      this.emit('close');
    });
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this.#sockets.size);
    return this;
  }

  /** Undoes `unref`. */
  ref(): this {
    this.#scope.ref(this.#onTunnelEnd);
    return this;
  }

  /** Lets the process end although the server listens: see `TunDialer.unref`. */
  unref(): this {
    this.#scope.unref(this.#onTunnelEnd);
    return this;
  }

  readonly #onTunnelEnd = (cause: Error | undefined): void => {
    this.close();
    if (cause === undefined || this.listenerCount('error') === 0) return;
    process.nextTick(() => this.emit('error', new SocketError('ENETRESET', 'accept', { cause })));
  };
}

/** What the sockets of a server get: not the `signal`, which closes the server and leaves them alone. */
function socketOptions(options: TunServerOptions): TunSocketOptions {
  const { allowHalfOpen, noDelay, keepAlive, keepAliveInitialDelay, highWaterMark } = options;
  return { allowHalfOpen, noDelay, keepAlive, keepAliveInitialDelay, highWaterMark };
}

/** `localhost` is the stack's own loopback; it cannot be reached from the tunnel. */
function hostAddress(host: string): string {
  return host === 'localhost' ? '127.0.0.1' : host;
}

const DEAF: TcpEvents = {
  connected: () => {},
  readable: () => {},
  writable: () => {},
  closed: () => {},
};
