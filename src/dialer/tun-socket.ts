import type { AddressInfo, Socket, SocketReadyState } from 'node:net';
import { addAbortSignal, Duplex } from 'node:stream';
import { MAX_TIMER_DELAY_MS } from '../core/clock.ts';
import { OvpnUsageError } from '../core/errors.ts';
import { IdleTimer } from '../core/idle-timer.ts';
import type { FlowTuple } from '../netstack/flow-tuple.ts';
import type { TcpEvents, TcpFailure } from '../netstack/tcp/tcp-events.ts';
import type { TcpInfo } from '../netstack/tcp/tcp-info.ts';
import { connectionError } from './address-changed.ts';
import { closedSocketError } from './closed-socket-errors.ts';
import { ConnectionFlow, type WriteCallback } from './connection-flow.ts';
import type { StreamConnection } from './host-connection.ts';
import { SocketConnect } from './socket-connect.ts';
import { connectEvents } from './socket-connect-events.ts';
import { SocketError } from './socket-error.ts';
import { socketNames } from './socket-names.ts';
import { SocketTuning } from './socket-tuning.ts';
import {
  type ConnectListener,
  connectArguments,
  type TunConnectOptions,
  type TunSocketOptions,
} from './tun-socket-options.ts';
import type { TunnelScope } from './tunnel-scope.ts';
import { refuseWritesAfterEnd } from './write-after-end.ts';

/** As much as `net.Socket` reads at once. Unit: bytes. */
const HIGH_WATER_MARK: number = 64 * 1024;

/**
 * A TCP connection inside the tunnel that passes for a `net.Socket`: in `tls.connect({ socket })`,
 * `http.request`, undici, and whatever else takes a socket. It differs in this: it connects once,
 * names are always resolved inside the tunnel (`lookup` of the options is not called), and there is
 * no `onread`. The tunnel keeps the process alive too, whatever its sockets do, before
 * `TunDialer.unref`.
 *
 * Errors have the shape of Node's (`code`, `errno`, `syscall`, `address`, `port`). When the tunnel
 * ends or our address in it changes, the code is `ENETRESET` and `cause` tells why.
 */
export class TunSocket extends Duplex implements Socket {
  /** `address:port` of every attempt so far. */
  readonly autoSelectFamilyAttemptedAddresses: string[] = [];
  /** Null until an `http.Server` that serves this socket enters itself, as on a `net.Socket`. */
  server: unknown = null;
  /** Unit: milliseconds. Undefined while none is set. */
  timeout?: number;
  /** Our end, once the connection is open. */
  localAddress?: string;
  localPort?: number;
  /** `IPv4` or `IPv6` */
  localFamily?: string;
  /** The other end, once the connection is open. */
  remoteAddress: string | undefined;
  remotePort: number | undefined;
  remoteFamily: string | undefined;
  readonly #scope: TunnelScope;
  readonly #idle: IdleTimer;
  readonly #flow: ConnectionFlow;
  #connect: SocketConnect | undefined;
  readonly #tuning: SocketTuning;
  #connecting = false;
  #closed = false;

  /** Sockets are made by a `TunDialer` or a `TunServer`. */
  constructor(scope: TunnelScope, options: TunSocketOptions = {}) {
    super({
      allowHalfOpen: options.allowHalfOpen ?? false,
      highWaterMark: options.highWaterMark ?? HIGH_WATER_MARK,
      emitClose: false,
    });
    this.#scope = scope;
    this.#idle = new IdleTimer(scope.clock, () => this.emit('timeout'));
    this.#flow = new ConnectionFlow(this, {
      moved: () => this.#idle.touch(),
      closed: (failure) => this.#onClosed(failure),
    });
    this.#tuning = new SocketTuning(options);
    if (!this.allowHalfOpen) refuseWritesAfterEnd(this);
    if (options.signal !== undefined) addAbortSignal(options.signal, this);
  }

  /** Begins to connect; `connect` and `ready` follow, or `error`. @throws OvpnUsageError when called twice */
  connect(options: TunConnectOptions, listener?: ConnectListener): this;
  connect(port: number, host: string, listener?: ConnectListener): this;
  connect(port: number, listener?: ConnectListener): this;
  connect(path: string, listener?: ConnectListener): this;
  connect(...args: unknown[]): this {
    const { options, listener } = connectArguments(...args);
    if (this.#connect !== undefined || this.#flow.connection !== undefined || this.#closed) {
      throw new OvpnUsageError('a TunSocket connects once: make another one', 'dialer');
    }
    if (listener !== undefined) this.once('connect', listener);
    if (this.destroyed) return this;
    this.#tuning.update(options);
    this.#connecting = true;
    this.#scope.hold(this.#onTunnelEnd);
    this.#idle.touch();
    const connect = new SocketConnect(
      this.#scope,
      { ...options, noDelay: this.#tuning.noDelay },
      connectEvents(this, options.port, (connection, tuple) => this.#onWon(connection, tuple)),
    );
    this.#connect = connect;
    process.nextTick(() => {
      if (this.#connecting) connect.start();
    });
    return this;
  }

  /** Takes a connection that has opened; gives who hears of it. @internal */
  adopt(connection: StreamConnection, tuple: FlowTuple): TcpEvents {
    Object.assign(this, socketNames(tuple));
    this.#scope.hold(this.#onTunnelEnd);
    this.#tuning.apply(connection);
    const events = this.#flow.attach(connection);
    if (!this.#connecting) this.#flow.open();
    return events;
  }

  #onWon(connection: StreamConnection, tuple: FlowTuple): void {
    connection.events = this.adopt(connection, tuple);
    process.nextTick(() => {
      if (this.destroyed) return;
      this.#connecting = false;
      this.#idle.touch();
      this.#flow.open();
      this.emit('connect');
      this.emit('ready');
      if (this.readable && !this.isPaused()) this.read(0);
    });
  }

  override _read(): void {
    this.#flow.read();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#give([chunk], callback);
  }

  override _writev(writes: { chunk: Buffer }[], callback: WriteCallback): void {
    this.#give(
      writes.map(({ chunk }) => chunk),
      callback,
    );
  }

  #give(chunks: readonly Buffer[], callback: WriteCallback): void {
    if (!this.#connecting) {
      this.#flow.write(chunks, callback);
      return;
    }
    const onClose = () => callback(closedSocketError('ERR_SOCKET_CLOSED_BEFORE_CONNECTION'));
    this.once('close', onClose);
    this.once('connect', () => {
      this.removeListener('close', onClose);
      this.#flow.write(chunks, callback);
    });
  }

  override _final(callback: WriteCallback): void {
    if (this.#connecting) {
      this.once('connect', () => this._final(callback));
      return;
    }
    this.#flow.end();
    process.nextTick(callback);
  }

  #onClosed(failure: TcpFailure | undefined): void {
    // The end of the tunnel is explained by `#onTunnelEnd`.
    if (failure === undefined || this.destroyed || this.#scope.stopping) return;
    this.destroy(connectionError(failure));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#connecting = false;
    this.#idle.stop();
    this.#connect?.cancel();
    this.#scope.release(this.#onTunnelEnd);
    callback(error);
    this.#flow.close(error);
    this.#tellClose(error !== null);
  }

  /** A connection closes a turn later than a socket that has none, as with the host's. */
  #tellClose(hadError: boolean): void {
    const tell = () => {
      this.#closed = true;
      this.emit('close', hadError);
    };
    if (this.#connect === undefined && this.#flow.connection === undefined) process.nextTick(tell);
    else this.#scope.clock.setImmediate(tell);
  }

  readonly #onTunnelEnd = (cause: Error | undefined): void => {
    if (cause !== undefined) {
      const syscall = this.#connecting ? 'connect' : 'read';
      this.destroy(new SocketError('ENETRESET', syscall, { cause }));
    } else {
      const aborted = new SocketError('ECONNABORTED', 'connect', { hint: 'the dialer was closed' });
      this.destroy(this.#connecting ? aborted : undefined);
    }
  };

  /** Ends the writing side and destroys the socket once all is written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Resets the connection (RST) and destroys the socket; when it is connecting, once it is connected. */
  resetAndDestroy(): this {
    if (this.#connecting) return this.once('connect', () => this.resetAndDestroy());
    if (this.destroyed || this.#flow.connection === undefined) {
      return this.destroy(closedSocketError('ERR_SOCKET_CLOSED'));
    }
    this.#flow.connection.abort();
    return this.destroy();
  }

  /** Emits `timeout` after so long without traffic; the socket stays open. 0 switches off. Unit: milliseconds. */
  setTimeout(timeoutMs: number, callback?: () => void): this {
    if (!(timeoutMs >= 0 && timeoutMs <= MAX_TIMER_DELAY_MS)) {
      throw new OvpnUsageError(`expected a timeout of 0 or more ms, got ${timeoutMs}`, 'dialer');
    }
    this.timeout = timeoutMs;
    this.#idle.set(timeoutMs);
    if (callback === undefined) return this;
    if (timeoutMs === 0) this.removeListener('timeout', callback);
    else this.once('timeout', callback);
    return this;
  }

  /** Switches Nagle's wait off, or on again. */
  setNoDelay(noDelay?: boolean): this {
    this.#tuning.setNoDelay(noDelay ?? true);
    return this;
  }

  /** Asks a peer that was silent for `initialDelay` ms (0: as before, two hours at first) whether it lives. */
  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    this.#tuning.setKeepAlive(enable ?? false, initialDelay ?? 0);
    return this;
  }

  /** Undoes `unref`. */
  ref(): this {
    this.#scope.ref(this.#onTunnelEnd);
    return this;
  }

  /** Lets the process end although the socket is open: see `TunDialer.unref`. */
  unref(): this {
    this.#scope.unref(this.#onTunnelEnd);
    return this;
  }

  /** Our end; empty before the connection is open. */
  address(): AddressInfo | Record<string, never> {
    const { localAddress: address, localPort: port, localFamily: family } = this;
    return address === undefined || port === undefined || family === undefined
      ? {}
      : { address, port, family };
  }

  /** What the TCP below knows of itself, as `ss -ti` shows it; undefined before it is open. */
  tcpInfo(): TcpInfo | undefined {
    return this.#flow.connection?.info();
  }

  get connecting(): boolean {
    return this.#connecting;
  }

  get pending(): boolean {
    return this.#flow.connection === undefined || this.#connecting;
  }

  get readyState(): SocketReadyState {
    if (this.#connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  get bytesRead(): number {
    return this.#flow.bytesRead;
  }

  /** What was given to the connection or waits for it. */
  get bytesWritten(): number {
    return this.#flow.bytesWritten;
  }

  /** As `writableLength`. */
  get bufferSize(): number {
    return this.writableLength;
  }
}
