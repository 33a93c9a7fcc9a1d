import type { BindOptions, RemoteInfo } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import { OvpnUsageError } from '../core/errors.ts';
import type { IpAddress } from '../netstack/ip-address.ts';
import type { UdpFailure } from '../netstack/udp-endpoint.ts';
import { addressChanged } from './address-changed.ts';
import { DatagramInbox } from './datagram-inbox.ts';
import { checkBufferBytes } from './datagram-queue.ts';
import { checkPort } from './dial-target.ts';
import { refuseKernelOnly } from './kernel-only.ts';
import { SocketError, UDP_FAILURE_CODES } from './socket-error.ts';
import type { TunnelScope } from './tunnel-scope.ts';
import { bindArguments } from './udp-bind-arguments.ts';
import { UdpBinding, type UdpPeer } from './udp-binding.ts';
import { UdpOutbox } from './udp-outbox.ts';
import { type DatagramContent, type SendArgument, sendArguments } from './udp-send-arguments.ts';

export interface TunUdpSocketOptions {
  readonly type: 'udp4' | 'udp6';
  /** Closes the socket. */
  readonly signal?: AbortSignal | undefined;
}

export interface TunUdpSocketEvents {
  message: [payload: Buffer, from: RemoteInfo];
  listening: [];
  connect: [];
  error: [error: Error];
  close: [];
}

/**
 * A UDP socket inside the tunnel that passes for a `dgram.Socket`. What only a kernel can do
 * (multicast, broadcast) throws `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`.
 */
export class TunUdpSocket extends EventEmitter<TunUdpSocketEvents> {
  static {
    refuseKernelOnly(TunUdpSocket.prototype);
  }

  readonly type: 'udp4' | 'udp6';
  readonly #scope: TunnelScope;
  readonly #binding: UdpBinding;
  readonly #inbox: DatagramInbox;
  readonly #outbox: UdpOutbox;
  #closed = false;

  /** Sockets are made by a `TunDialer`. */
  constructor(scope: TunnelScope, { type, signal }: TunUdpSocketOptions) {
    super();
    if (type !== 'udp4' && type !== 'udp6') {
      throw new OvpnUsageError(`expected udp4 or udp6, got ${type}`, 'dialer');
    }
    this.type = type;
    this.#scope = scope;
    this.#inbox = new DatagramInbox(this.#deliver);
    this.#binding = new UdpBinding(scope, type === 'udp4' ? 4 : 6, {
      accepts: (bytes) => this.#inbox.accepts(bytes),
      datagram: (payload, from, port) => this.#inbox.push(payload, from, port),
      failed: (failure) => process.nextTick(this.#fail, failure),
      drained: () => this.#outbox.flush(),
    });
    this.#outbox = new UdpOutbox(scope, this.#binding, (error) => {
      if (!this.#closed) this.emit('error', error);
    });
    scope.hold(this.#onTunnelEnd);
    if (signal === undefined) return;
    const close = () => this.#close();
    signal.addEventListener('abort', close, { once: true });
    this.once('close', () => signal.removeEventListener('abort', close));
    if (signal.aborted) close();
  }

  /** Binds to a port of ours; `listening` follows, or `error`. Without it the first `send` binds. */
  bind(port?: number, address?: string, callback?: () => void): this;
  bind(port?: number, callback?: () => void): this;
  bind(callback?: () => void): this;
  bind(options: BindOptions, callback?: () => void): this;
  bind(target?: unknown, ...rest: unknown[]): this {
    this.#assertOpen();
    if (this.#binding.endpoint !== undefined) throw new OvpnUsageError('already bound', 'dialer');
    const { port, address, listener } = bindArguments(target, rest);
    if (listener !== undefined) this.once('listening', listener);
    const error = this.#binding.bind(port, address);
    if (error === undefined) this.#announce();
    else process.nextTick(() => this.emit('error', error));
    return this;
  }

  #announce(): void {
    process.nextTick(() => {
      if (!this.#closed) this.emit('listening');
    });
  }

  readonly #deliver = (payload: Buffer, from: IpAddress, port: number): void => {
    const family = from.family === 4 ? 'IPv4' : 'IPv6';
    this.emit('message', payload, { address: `${from}`, family, port, size: payload.length });
  };

  readonly #fail = (failure: UdpFailure): void => {
    // The end of the tunnel is explained by `#onTunnelEnd`; a hop limit that ran out may be a
    // passing loop, and no kernel tells a connected socket of it.
    if (this.#closed || failure === 'network-down' || failure === 'time-exceeded') return;
    if (failure === 'address-gone') {
      this.#onTunnelEnd(addressChanged());
      return;
    }
    this.emit('error', new SocketError(UDP_FAILURE_CODES[failure], 'recvmsg'));
  };

  /** Sends to and takes from one peer only; `connect` follows, or `error`. Binds where needed. */
  connect(port: number, address?: string, callback?: (error?: Error) => void): void;
  connect(port: number, callback: (error?: Error) => void): void;
  connect(port: number, ...rest: unknown[]): void {
    this.#assertOpen();
    checkPort(port);
    if (this.#binding.peer !== undefined || this.#outbox.holding) {
      throw new OvpnUsageError('already connected', 'dialer');
    }
    const callback = rest.find((argument) => typeof argument === 'function') as
      | ((error?: Error) => void)
      | undefined;
    this.#outbox.hold();
    this.#outbox.resolve(rest.find((argument) => typeof argument === 'string')).then(
      (address) => this.#connected(this.#exchangePeer({ address, port }), callback),
      (error) => this.#connected(error, callback),
    );
  }

  #connected(error: Error | undefined, callback: ((error?: Error) => void) | undefined): void {
    if (this.#closed) return;
    if (error === undefined) {
      if (callback !== undefined) this.once('connect', callback);
      this.emit('connect');
    } else if (callback === undefined) this.emit('error', error);
    else callback(error);
    this.#outbox.release(error);
  }

  /** Takes from and sends to anybody again. @throws OvpnUsageError when it is not connected */
  disconnect(): void {
    if (this.#binding.peer === undefined) throw new OvpnUsageError('not connected', 'dialer');
    const error = this.#exchangePeer(undefined);
    if (error !== undefined) process.nextTick(() => this.emit('error', error));
  }

  #exchangePeer(peer: UdpPeer | undefined): Error | undefined {
    if (this.#closed) return undefined;
    const wasBound = this.#binding.endpoint !== undefined;
    const error = this.#binding.exchangePeer(peer);
    if (!wasBound && error === undefined) this.#announce();
    this.#outbox.flush();
    return error;
  }

  /**
   * Sends one datagram; a name is resolved inside the tunnel. `callback` hears when it is on its
   * way. @throws OvpnUsageError for wrong arguments, or when the socket is closed
   */
  send(content: DatagramContent, ...rest: readonly SendArgument[]): void {
    this.#assertOpen();
    const connected = this.#binding.peer !== undefined || this.#outbox.holding;
    const datagram = sendArguments(content, rest, { connected });
    if (!connected && this.#binding.endpoint === undefined) this.bind();
    this.#outbox.send(datagram);
  }

  /** Closes; datagrams that wait are dropped. `close` follows. @throws OvpnUsageError when closed */
  close(callback?: () => void): this {
    this.#assertOpen();
    if (callback !== undefined) this.once('close', callback);
    this.#close();
    return this;
  }

  /** As `close`, and may follow one. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#binding.close();
    this.#inbox.clear();
    this.#outbox.queue.clear();
    this.#scope.release(this.#onTunnelEnd);
    process.nextTick(() => this.emit('close'));
  }

  readonly #onTunnelEnd = (cause: Error | undefined): void => {
    if (cause !== undefined && this.listenerCount('error') > 0) {
      const error = new SocketError('ENETRESET', 'recvmsg', { cause });
      process.nextTick(() => this.emit('error', error));
    }
    this.#close();
  };

  /** Where it is bound. @throws OvpnUsageError before */
  address(): AddressInfo {
    const { endpoint } = this.#binding;
    if (endpoint === undefined) throw new OvpnUsageError('not bound', 'dialer');
    return addressInfo(endpoint.localAddress, endpoint.localPort);
  }

  /** Whom it is connected to. @throws OvpnUsageError when it is not */
  remoteAddress(): AddressInfo {
    const { peer } = this.#binding;
    if (peer === undefined) throw new OvpnUsageError('not connected', 'dialer');
    return addressInfo(peer.address, peer.port);
  }

  #assertOpen(): void {
    if (this.#closed) throw new OvpnUsageError('the socket is closed', 'dialer');
  }

  /** Hop limit of what is sent from now on: 1 … 255. Gives it back. @throws OvpnUsageError */
  setTTL(ttl: number): number {
    this.#assertOpen();
    this.#binding.hopLimit = ttl;
    return ttl;
  }

  /** What may wait for the application. Unit: bytes. Default: 1 MiB. */
  getRecvBufferSize(): number {
    return this.#inbox.limitBytes;
  }

  /** @throws OvpnUsageError for what is no size */
  setRecvBufferSize(size: number): void {
    this.#inbox.limitBytes = checkBufferBytes(size);
  }

  /** What may wait for room in the tunnel. Unit: bytes. Default: 1 MiB. */
  getSendBufferSize(): number {
    return this.#outbox.queue.limitBytes;
  }

  /** @throws OvpnUsageError for what is no size */
  setSendBufferSize(size: number): void {
    this.#outbox.queue.limitBytes = checkBufferBytes(size);
  }

  /** Bytes that wait for room in the tunnel. */
  getSendQueueSize(): number {
    return this.#outbox.queue.bytes;
  }

  /** Datagrams that wait for room in the tunnel. */
  getSendQueueCount(): number {
    return this.#outbox.queue.count;
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
}

function addressInfo(address: IpAddress, port: number): AddressInfo {
  return { address: `${address}`, family: `IPv${address.family}`, port };
}
