import type { BindOptions, RemoteInfo } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import { OvpnUsageError } from '../core/errors.ts';
import { IpAddress } from '../netstack/ip-address.ts';
import { NetstackError } from '../netstack/netstack-error.ts';
import type { UdpEndpoint, UdpFailure, UdpOptions } from '../netstack/udp-endpoint.ts';
import { DatagramQueue, type Outgoing } from './datagram-queue.ts';
import { checkPort } from './dial-target.ts';
import { refuseKernelOnly } from './kernel-only.ts';
import { SocketError, UDP_FAILURE_CODES } from './socket-error.ts';
import type { TunnelScope } from './tunnel-scope.ts';
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
 * (multicast, broadcast, TTL) throws `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`.
 */
export class TunUdpSocket extends EventEmitter<TunUdpSocketEvents> {
  static {
    refuseKernelOnly(TunUdpSocket.prototype);
  }

  readonly type: 'udp4' | 'udp6';
  readonly #scope: TunnelScope;
  readonly #family: 4 | 6;
  readonly #queue = new DatagramQueue();
  #endpoint: UdpEndpoint | undefined;
  #remote: { address: IpAddress; port: number } | undefined;
  #connecting = false;
  #closed = false;

  /** Sockets are made by a `TunDialer`. */
  constructor(scope: TunnelScope, { type, signal }: TunUdpSocketOptions) {
    super();
    if (type !== 'udp4' && type !== 'udp6') {
      throw new OvpnUsageError(`expected udp4 or udp6, got ${type}`, 'dialer');
    }
    this.type = type;
    this.#scope = scope;
    this.#family = type === 'udp4' ? 4 : 6;
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
  bind(target?: number | BindOptions | (() => void), ...rest: unknown[]): this {
    this.#assertOpen();
    if (this.#endpoint !== undefined) throw new OvpnUsageError('already bound', 'dialer');
    const listener = [target, ...rest].find((argument) => typeof argument === 'function');
    if (listener !== undefined) this.once('listening', listener as () => void);
    const { port, address } =
      typeof target === 'object'
        ? target
        : { port: target, address: rest.find((argument) => typeof argument === 'string') };
    const error = this.#open(typeof port === 'number' ? port : 0, address);
    process.nextTick(() => {
      if (error !== undefined) this.emit('error', error);
      else if (!this.#closed) this.emit('listening');
    });
    return this;
  }

  #open(port: number, address?: string): Error | undefined {
    const { netstack, ended, cause } = this.#scope;
    if (ended) return new SocketError('ENETDOWN', 'bind', { address, port, cause });
    const local = address === undefined ? undefined : IpAddress.parse(address);
    if (address !== undefined && local?.family !== this.#family) {
      return new SocketError('EADDRNOTAVAIL', 'bind', { address, port });
    }
    const options: UdpOptions = {
      family: this.#family,
      port,
      ...(local === undefined ? {} : { address: local }),
      ...(this.#remote === undefined ? {} : { remote: this.#remote }),
    };
    try {
      this.#endpoint = netstack.openUdp(options, {
        datagram: (payload, from, fromPort) => {
          process.nextTick(this.#deliver, payload, from, fromPort);
        },
        failed: (failure) => process.nextTick(this.#fail, failure),
        drained: () => this.#endpoint && this.#queue.flush(this.#endpoint),
      });
      return undefined;
    } catch (error) {
      if (!(error instanceof NetstackError)) throw error;
      return new SocketError(error.code, 'bind', { address, port, cause: error });
    }
  }

  /** On the next tick: code of the user must not run inside the pump. */
  readonly #deliver = (payload: Buffer, from: IpAddress, port: number): void => {
    if (this.#closed) return;
    const family = this.#family === 4 ? 'IPv4' : 'IPv6';
    this.emit('message', payload, { address: `${from}`, family, port, size: payload.length });
  };

  readonly #fail = (failure: UdpFailure): void => {
    // The end of the tunnel is explained by `#onTunnelEnd`.
    if (this.#closed || failure === 'network-down') return;
    this.emit('error', new SocketError(UDP_FAILURE_CODES[failure], 'recvmsg'));
  };

  /** Sends to and takes from one peer only; `connect` follows, or `error`. Binds where needed. */
  connect(port: number, address?: string, callback?: (error?: Error) => void): void;
  connect(port: number, callback: (error?: Error) => void): void;
  connect(port: number, ...rest: unknown[]): void {
    this.#assertOpen();
    checkPort(port);
    if (this.#remote !== undefined || this.#connecting) {
      throw new OvpnUsageError('already connected', 'dialer');
    }
    const callback = rest.find((argument) => typeof argument === 'function') as
      | ((error?: Error) => void)
      | undefined;
    this.#connecting = true;
    this.#resolve(rest.find((argument) => typeof argument === 'string')).then(
      (address) => {
        this.#connecting = false;
        if (this.#closed) return;
        this.#remote = { address, port };
        const error = this.#reopen();
        if (error === undefined) {
          if (callback !== undefined) this.once('connect', callback);
          this.emit('connect');
        } else if (callback === undefined) this.emit('error', error);
        else callback(error);
      },
      (error) => {
        this.#connecting = false;
        if (callback !== undefined) callback(error);
        else if (!this.#closed) this.emit('error', error);
      },
    );
  }

  /** Takes from and sends to anybody again. @throws OvpnUsageError when it is not connected */
  disconnect(): void {
    if (this.#remote === undefined) throw new OvpnUsageError('not connected', 'dialer');
    this.#remote = undefined;
    const error = this.#reopen();
    if (error !== undefined) process.nextTick(() => this.emit('error', error));
  }

  /** The same port with another peer, or none. */
  #reopen(): Error | undefined {
    const before = this.#endpoint;
    before?.close();
    return this.#open(before?.localPort ?? 0);
  }

  /**
   * Sends one datagram; a name is resolved inside the tunnel. `callback` hears when it is on its
   * way. @throws OvpnUsageError for wrong arguments, or when the socket is closed
   */
  send(content: DatagramContent, ...rest: readonly SendArgument[]): void {
    this.#assertOpen();
    if (this.#connecting) {
      this.once('connect', () => this.send(content, ...rest));
      return;
    }
    const connected = this.#remote;
    const { payload, port, address, callback } = sendArguments(content, rest, {
      connected: connected !== undefined,
    });
    if (this.#endpoint === undefined) this.bind();
    if (connected !== undefined) {
      this.#transmit({ payload, to: connected.address, port: connected.port, callback });
      return;
    }
    const literal = IpAddress.parse(address ?? LOOPBACK[this.#family]);
    if (literal !== undefined) {
      this.#transmit({ payload, to: literal, port: port ?? 0, callback });
      return;
    }
    this.#resolve(address).then(
      (to) => this.#transmit({ payload, to, port: port ?? 0, callback }),
      (error) => {
        if (callback !== undefined) callback(error, 0);
        else if (!this.#closed) this.emit('error', error);
      },
    );
  }

  async #resolve(host: string = LOOPBACK[this.#family]): Promise<IpAddress> {
    const found = await this.#scope.resolver.lookup(host, { family: this.#family });
    const address = IpAddress.parse(found[0]?.address ?? '');
    if (address?.family === this.#family) return address;
    throw new SocketError('EADDRNOTAVAIL', 'send', { address: host });
  }

  #transmit(datagram: Outgoing): void {
    if (!this.#closed && this.#endpoint !== undefined) this.#queue.send(datagram, this.#endpoint);
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
    this.#endpoint?.close();
    this.#queue.clear();
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
    if (this.#endpoint === undefined) throw new OvpnUsageError('not bound', 'dialer');
    const { localAddress, localPort } = this.#endpoint;
    return { address: `${localAddress}`, family: `IPv${this.#family}`, port: localPort };
  }

  /** Whom it is connected to. @throws OvpnUsageError when it is not */
  remoteAddress(): AddressInfo {
    if (this.#remote === undefined) throw new OvpnUsageError('not connected', 'dialer');
    const { address, port } = this.#remote;
    return { address: `${address}`, family: `IPv${this.#family}`, port };
  }

  /** Bytes that wait for room in the tunnel. */
  getSendQueueSize(): number {
    return this.#queue.bytes;
  }

  /** Datagrams that wait for room in the tunnel. */
  getSendQueueCount(): number {
    return this.#queue.count;
  }

  /** Does nothing: the tunnel's own socket keeps the process alive. */
  ref(): this {
    return this;
  }

  /** Does nothing: the tunnel's own socket keeps the process alive. */
  unref(): this {
    return this;
  }

  #assertOpen(): void {
    if (this.#closed) throw new OvpnUsageError('the socket is closed', 'dialer');
  }
}

const LOOPBACK = { 4: '127.0.0.1', 6: '::1' } as const;
