import { EventEmitter } from 'node:events';
import type { Clock } from '../core/clock.ts';
import { OvpnNetworkError, OvpnUsageError, toError } from '../core/errors.ts';
import { Pump, type Service } from '../core/pump.ts';
import type { RandomSource } from '../core/random.ts';
import type { TunDevice } from '../model/tun-device.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';
import { TcpListener } from '../networkio/tcp-listener.ts';
import { UdpListener } from '../networkio/udp-listener.ts';
import { AddressPool } from './address-pool.ts';
import { openingGate } from './opening-gate.ts';
import { type PeerInfo, PeerTable } from './peer-table.ts';
import { buildPushReply } from './push-builder.ts';
import {
  type ResolvedServerOptions,
  resolveServerOptions,
  type VpnServerOptions,
} from './server-options.ts';
import { pushesOf, serverSegmentLimit } from './server-session.ts';
import { ServerTun } from './server-tun.ts';

/** Events of a {@link VpnServer}. Payloads are frozen. */
export interface VpnServerEvents {
  /** A client has its tunnel. */
  connect: [PeerInfo];
  /** A client that had its tunnel is gone. */
  disconnect: [{ readonly peer: PeerInfo; readonly error: Error | undefined }];
  /** A client did not get that far. */
  refused: [{ readonly remote: string; readonly error: Error }];
}

/**
 * An OpenVPN server in this process: the same layers as the client's, one session a peer, an
 * address pool, and the peers' packets on one {@link TunDevice} on which a dialer can stand. Clients
 * do not reach each other, and nothing is forwarded outside.
 */
export class VpnServer extends EventEmitter<VpnServerEvents> {
  /** Settles when the server is closed. */
  readonly ended: Promise<Error | undefined>;
  readonly #options: ResolvedServerOptions;
  readonly #pool: AddressPool;
  readonly #tun: ServerTun;
  readonly #pump: Pump;
  readonly #peers: PeerTable;
  readonly #listener: UdpListener | TcpListener;
  #opening: Promise<void> = Promise.resolve();
  #resolveEnded: (error: Error | undefined) => void = () => {};
  #attached: Service | undefined;
  #state: 'new' | 'listening' | 'closed' = 'new';
  #closing: Promise<void> | undefined;

  /** @throws OvpnUsageError for options that cannot be meant */
  constructor(options: VpnServerOptions) {
    super();
    this.#options = resolveServerOptions(options);
    const { clock, maxPeers, tunMtu, protocol, subnet, subnet6 } = this.#options;
    this.#pool = new AddressPool({ subnet, ...(subnet6 !== undefined && { subnet6 }) });
    this.#checkPushes();
    this.#pump = new Pump(clock, (thrown) => this.#fail(toError(thrown)));
    this.#tun = new ServerTun(tunMtu, () => this.#pump.now);
    this.#tun.onReadable = this.#pump.arm;
    this.#tun.onWritable = this.#pump.arm;
    this.#pump.add(this.#tun);
    this.#peers = new PeerTable(this.#options, this.#pool, this.#tun, {
      connect: (peer) => this.emit('connect', peer),
      disconnect: (peer, error) => this.emit('disconnect', Object.freeze({ peer, error })),
      refused: (remote, error) => this.emit('refused', Object.freeze({ remote, error })),
    });
    const listen = {
      gate: openingGate(this.#options),
      maxPeers,
      clock,
      onPeer: this.#peers.accept,
      onError: (error: Error) => this.#fail(error),
    };
    this.#listener = protocol === 'udp' ? new UdpListener(listen) : new TcpListener(listen);
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  /**
   * Starts to listen. Once.
   * @throws OvpnNetworkError when the address cannot be had; OvpnUsageError after `close`
   */
  async listen(): Promise<void> {
    const { host, port, protocol } = this.#options;
    if (this.#state !== 'new') throw usage(`expected a new server, it is ${this.#state}`);
    this.#state = 'listening';
    this.#opening = this.#listener.listen({ host, port });
    try {
      await this.#opening;
    } catch (cause) {
      const errno = (toError(cause).cause as NodeJS.ErrnoException | undefined)?.code ?? 'unknown';
      const message = `cannot listen on ${protocol} ${host} port ${port} (${errno})`;
      const error = new OvpnNetworkError('OVPN_LINK_FAILED', message, { layer: 'server', cause });
      await this.#end(error);
      throw error;
    }
    if (this.#closing !== undefined) throw usage('expected no close() during listen()');
  }

  /** Where it listens. @throws OvpnUsageError before `listen` and after `close` */
  address(): { address: string; port: number } {
    if (this.#state !== 'listening') throw usage('expected a server that listens');
    const { address, port } = this.#listener.address();
    return { address, port };
  }

  /** Peers that have their tunnel. */
  get peers(): readonly PeerInfo[] {
    return this.#peers.connected;
  }

  /** The server's own end of the tunnel. @throws OvpnUsageError before `listen` and after `close` */
  get info(): TunnelInfo {
    const { ipv4, ipv6 } = this.#pool.server;
    const { address: remoteAddress, port: remotePort } = this.address();
    const { protocol, tunMtu } = this.#options;
    return Object.freeze({
      ipv4,
      ipv6,
      gateway: undefined,
      gateway6: undefined,
      routes: [],
      redirect: undefined,
      blockIpv4: false,
      blockIpv6: false,
      dnsServers: [],
      nameServers: [],
      searchDomains: [],
      mtu: tunMtu,
      mss: serverSegmentLimit(this.#options, { protocol, remoteAddress }),
      cipher: this.#options.dataCiphers[0] ?? '',
      peerId: undefined,
      tlsVersion: '',
      remoteAddress,
      remotePort,
      protocol,
    });
  }

  get tun(): TunDevice {
    return this.#tun;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get random(): RandomSource {
    return this.#options.random;
  }

  /** Runs `service` on the peers' packets. @throws OvpnUsageError when somebody has them */
  attach(service: Service): void {
    if (this.#attached !== undefined) throw usage('expected a server whose packets nobody has yet');
    if (this.#state === 'closed') throw usage('expected a server that is not closed');
    this.#attached = service;
    this.#pump.add(service);
  }

  /** Asks the pump of the attached service for a turn. */
  arm(): void {
    this.#pump.arm();
  }

  /**
   * Changes what a client was pushed while its tunnel stays up: `route 10.9.0.0 255.255.0.0`,
   * `-dhcp-option`, `tun-mtu 1400` (PUSH_UPDATE). All earlier values of the names that are given go.
   *
   * @returns false for a client that is not there, or that takes no updates
   * @throws OvpnUsageError for what cannot be pushed
   */
  pushUpdate(peerId: number, options: readonly string[]): boolean {
    return this.#peers.pushUpdate(peerId, options);
  }

  /** Starts a renegotiation with every peer. */
  renegotiate(): void {
    this.#peers.renegotiate();
  }

  /**
   * Tells the clients to connect anew, ends their sessions, closes the socket. May be called twice;
   * never rejects.
   */
  close(): Promise<void> {
    return this.#end(undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #end(error: Error | undefined): Promise<void> {
    this.#closing ??= this.#shut(error);
    return this.#closing;
  }

  async #shut(error: Error | undefined): Promise<void> {
    this.#state = 'closed';
    this.#pump.stop();
    this.#attached?.stop?.();
    this.#tun.close();
    await this.#opening.catch(() => {});
    await this.#peers.close();
    await this.#listener.close();
    this.#resolveEnded(error);
  }

  #fail(error: Error): void {
    this.#options.logger('error', 'server', error.message);
    void this.#end(error);
  }

  /** A wrong push must not wait for the first client. @throws OvpnUsageError */
  #checkPushes(): void {
    const { server } = this.#pool;
    const pushes = pushesOf(this.#options);
    const flags = { tlsEkm: true, ccExit: true, dynTlsCrypt: true, aeadEpoch: true, ivProto: 0 };
    buildPushReply({ ...flags, server, address: server, peerId: 0, cipher: '', pushes });
  }
}

function usage(message: string): OvpnUsageError {
  return new OvpnUsageError(message, 'server');
}
