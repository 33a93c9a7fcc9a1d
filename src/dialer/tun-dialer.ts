import type { RemoteInfo } from 'node:dgram';
import type http from 'node:http';
import type https from 'node:https';
import type { RequestInfo, RequestInit, Response } from 'undici';
import { OvpnError } from '../core/errors.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';
import { Netstack, type NetstackSettings, type NetstackStats } from '../netstack/netstack.ts';
import { type DialOptions, dialled } from './dial.ts';
import { type DialNetwork, familyOf, parseHostPort } from './dial-target.ts';
import { makeLookup, type TunLookup } from './dns-lookup-function.ts';
import { type DnsOptions, dnsServers, makeResolver, resolverSettings } from './dns-options.ts';
import type { DnsResolver } from './dns-resolver.ts';
import { TunHttpAgent, TunHttpsAgent } from './http-agent.ts';
import type { TunListenOptions } from './listen-arguments.ts';
import { NetstackService } from './netstack-service.ts';
import { type PathMtu, type PathMtuOptions, searchPathMtu } from './path-mtu-search.ts';
import { type PingOptions, type PingReply, pingReplies } from './ping.ts';
import { type RoutingOptions, RoutingPolicy } from './routing-policy.ts';
import { type TracerouteHop, type TracerouteOptions, tracerouteHops } from './traceroute.ts';
import { TunServer, type TunServerOptions } from './tun-server.ts';
import { TunSocket } from './tun-socket.ts';
import {
  type ConnectListener,
  connectArguments,
  type TunConnectOptions,
  type TunSocketOptions,
} from './tun-socket-options.ts';
import { TunUdpSocket, type TunUdpSocketOptions } from './tun-udp-socket.ts';
import type { TunnelEnd } from './tunnel-end.ts';
import { TunnelScope } from './tunnel-scope.ts';
import { undici } from './undici.ts';
import { type DispatcherOptions, makeDispatcher } from './undici-dispatcher.ts';

/** What may be chosen for a dialer. */
export interface TunDialerOptions extends DnsOptions, RoutingOptions {}

/** Something of the dialer's that keeps connections. */
interface Pool {
  destroy(): unknown;
}

/**
 * Everything that a program does inside a tunnel: TCP and UDP both ways, names, HTTP, ping. It
 * stands on one end of a tunnel (a `VpnClient` or a `VpnServer`), claims its packets, and closes
 * it when it is closed itself. The host's routes and DNS are never touched.
 */
export class TunDialer<End extends TunnelEnd = TunnelEnd> {
  /** What the dialer stands on. */
  readonly client: End;
  /** Resolves names inside the tunnel. */
  readonly resolver: DnsResolver;
  /**
   * As `dns.promises.lookup`, asked inside the tunnel; with a callback as `dns.lookup`, so that it
   * serves as the `lookup` option of `net.connect` and `http.request`. @throws DnsError
   */
  readonly lookup: TunLookup;
  readonly #options: TunDialerOptions;
  readonly #netstack: Netstack;
  readonly #scope: TunnelScope;
  readonly #pools = new Set<Pool>();
  #dispatcher: ReturnType<typeof makeDispatcher> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(end: End, options: TunDialerOptions) {
    const { clock, random, info } = end;
    const routing = routingOf(options, info);
    this.client = end;
    this.#options = options;
    this.#netstack = new Netstack({
      tun: end.tun,
      random,
      clock,
      wake: () => end.arm(),
      ...netstackSettings(info, routing),
    });
    this.resolver = makeResolver(this.#netstack, end, options, routing, (target) =>
      this.connect(target).unref(),
    );
    this.lookup = makeLookup(this.resolver);
    this.#scope = new TunnelScope({
      netstack: this.#netstack,
      resolver: this.resolver,
      clock,
      random,
      routing,
    });
    end.on?.('updated', (changed) => this.#follow(changed));
    end.attach(
      new NetstackService(this.#netstack, this.#scope, (changed) => this.#follow(changed)),
    );
    void end.ended.then((error) => this.#scope.end(error ?? closedBelow()));
  }

  /** Stands on a tunnel that is up. @throws OvpnUsageError when its packets are claimed already */
  static over<E extends TunnelEnd>(end: E, options: TunDialerOptions = {}): TunDialer<E> {
    return new TunDialer(end, options);
  }

  /** Addresses, DNS servers, MTU and cipher of the tunnel. */
  get info(): TunnelInfo {
    return this.client.info;
  }

  /** What the TCP/IP stack has counted. */
  get stats(): NetstackStats {
    return this.#netstack.stats();
  }

  /**
   * Connects and waits for it: `dial('tcp', 'example.com:443')`. A UDP socket is connected too: it
   * sends to that peer and hears only it.
   *
   * @throws OvpnUsageError for an unknown network or a target that is not `host:port`; DnsError;
   *   SocketError; OvpnError `OVPN_ABORTED` or `OVPN_DIAL_TIMEOUT`
   */
  dial(network: 'tcp' | 'tcp4' | 'tcp6', target: string, options?: DialOptions): Promise<TunSocket>;
  dial(
    network: 'udp' | 'udp4' | 'udp6',
    target: string,
    options?: DialOptions,
  ): Promise<TunUdpSocket>;
  async dial(
    network: DialNetwork,
    target: string,
    options: DialOptions = {},
  ): Promise<TunSocket | TunUdpSocket> {
    const family = familyOf(network);
    const { host, port } = parseHostPort(target);
    if (network.startsWith('tcp')) {
      return dialled(this.connect({ host, port, family }), target, this.#scope, options);
    }
    const { address, family: found } = await this.lookup(host, { family, signal: options.signal });
    const socket = this.createSocket({ type: `udp${found}` });
    socket.connect(port, address);
    return dialled(socket, target, this.#scope, options);
  }

  /** As `net.connect`: a socket that is still connecting. */
  connect(options: TunConnectOptions, listener?: ConnectListener): TunSocket;
  connect(port: number, host?: string, listener?: ConnectListener): TunSocket;
  connect(target: TunConnectOptions | number, ...rest: unknown[]): TunSocket {
    const { options, listener } = connectArguments(target, ...rest);
    return this.socket(options).connect(options, listener);
  }

  /** As `new net.Socket`: for libraries that call `connect` themselves. */
  socket(options: TunSocketOptions = {}): TunSocket {
    return new TunSocket(this.#scope, options);
  }

  /** As `net.createServer` and `listen`, on the address inside the tunnel. */
  listen(
    options: (TunListenOptions & TunServerOptions) | number,
    onConnection?: (socket: TunSocket) => void,
  ): TunServer {
    const chosen = typeof options === 'number' ? { port: options } : options;
    const server = new TunServer(this.#scope, chosen);
    if (onConnection !== undefined) server.on('connection', onConnection);
    return server.listen(chosen);
  }

  /** As `dgram.createSocket`. */
  createSocket(
    options: TunUdpSocketOptions | 'udp4' | 'udp6',
    onMessage?: (...message: [payload: Buffer, from: RemoteInfo]) => void,
  ): TunUdpSocket {
    const chosen = typeof options === 'string' ? { type: options } : options;
    const socket = new TunUdpSocket(this.#scope, chosen);
    if (onMessage !== undefined) socket.on('message', onMessage);
    return socket;
  }

  /** As the global `fetch`, through the tunnel. A `dispatcher` of the caller's is used instead. */
  fetch(input: RequestInfo, init: RequestInit = {}): Promise<Response> {
    return undici().fetch(input, { ...init, dispatcher: init.dispatcher ?? this.dispatcher() });
  }

  /** An `http.Agent`, or an `https.Agent` with `tls`; keeps connections unless told otherwise. */
  agent(options: https.AgentOptions & { tls: true }): TunHttpsAgent;
  agent(options?: http.AgentOptions & { tls?: false }): TunHttpAgent;
  agent({
    tls = false,
    ...options
  }: https.AgentOptions & { tls?: boolean } = {}): TunHttpAgent | TunHttpsAgent {
    const chosen = { keepAlive: true, ...options };
    const open = (target: TunConnectOptions) => this.connect(target);
    return this.#pool(tls ? new TunHttpsAgent(open, chosen) : new TunHttpAgent(open, chosen));
  }

  /** An undici `Dispatcher`; without options always the same one. */
  dispatcher(options?: DispatcherOptions): ReturnType<typeof makeDispatcher> {
    const open = (target: TunConnectOptions) => this.connect(target);
    if (options !== undefined) return this.#pool(makeDispatcher(open, options));
    this.#dispatcher ??= this.#pool(makeDispatcher(open));
    return this.#dispatcher;
  }

  /** ICMP echo: one result for each request, as soon as it is known. */
  ping(host: string, options?: PingOptions): AsyncGenerator<PingReply, void> {
    return pingReplies(this.#scope, host, options);
  }

  /**
   * The routers between the tunnel and `host`, hop by hop, as soon as each is known.
   *
   * @throws OvpnUsageError for an option out of range; DnsError; SocketError; OvpnError `OVPN_ABORTED`
   */
  traceroute(host: string, options?: TracerouteOptions): AsyncGenerator<TracerouteHop, void> {
    return tracerouteHops(this.#scope, host, options);
  }

  /**
   * The largest packet that reaches `host` uncut, by a search.
   *
   * @throws DnsError; SocketError `ETIMEDOUT` when the host answers no echo request; OvpnError
   *   `OVPN_ABORTED`
   */
  pathMtu(host: string, options?: PathMtuOptions): Promise<PathMtu> {
    return searchPathMtu(this.#scope, host, options);
  }

  /** The server has changed the tunnel: what fits it still lives on. */
  #follow(info: TunnelInfo): void {
    if (this.#scope.ended) return;
    const routing = routingOf(this.#options, info);
    this.#scope.routing = routing;
    this.#netstack.configure(netstackSettings(info, routing));
    this.resolver.configure(resolverSettings(this.#options, info, routing));
  }

  /** Undoes `unref`. */
  ref(): this {
    this.client.ref?.();
    return this;
  }

  /**
   * Lets the process end although the tunnel is up, as a host's network does: only sockets, servers
   * and pings that are open keep it alive then, and those not that were `unref`ed themselves. A
   * tunnel's end that cannot be `unref`ed (a `VpnServer`) keeps the process alive all the same.
   */
  unref(): this {
    this.client.unref?.();
    return this;
  }

  /** Ends every socket, the TCP/IP stack, and the tunnel. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#scope.end(undefined);
    await Promise.all([...this.#pools].map((pool) => pool.destroy()));
    // One turn of the pump, so that the peers hear of it.
    const { client } = this;
    client.arm();
    await new Promise<void>((resolve) => client.clock.setImmediate(resolve));
    await client.close();
  }

  #pool<P extends Pool>(pool: P): P {
    this.#pools.add(pool);
    return pool;
  }
}

/** What sockets are told when the tunnel was closed, not by the dialer. */
function closedBelow(): OvpnError {
  return new OvpnError('OVPN_CLOSED', 'the tunnel was closed', {
    layer: 'dialer',
    initiator: 'user',
  });
}

/** Name servers are asked inside the tunnel whatever the routes say. */
function routingOf(options: TunDialerOptions, info: TunnelInfo): RoutingPolicy {
  const servers = dnsServers(options, info).map(({ address }) => address);
  return new RoutingPolicy(options, info, servers);
}

/** `mss` is that of IPv4, whose header is 20 bytes shorter; 0 is no limit. */
function netstackSettings(
  { ipv4, ipv6, mss }: TunnelInfo,
  routing: RoutingPolicy,
): NetstackSettings {
  const limits = mss > 0 ? { mssLimit4: mss, mssLimit6: mss - 20 } : {};
  return { ipv4, ipv6, reaches: routing.reaches, ...limits };
}
