import { OvpnUsageError } from '../core/errors.ts';
import { IpAddress } from '../netstack/ip-address.ts';
import { HOP_LIMIT } from '../netstack/ip-header.ts';
import { NetstackError } from '../netstack/netstack-error.ts';
import type { UdpEndpoint, UdpEvents, UdpOptions } from '../netstack/udp-endpoint.ts';
import { SocketError } from './socket-error.ts';
import type { TunnelScope } from './tunnel-scope.ts';

/** The peer of a connected socket. */
export interface UdpPeer {
  readonly address: IpAddress;
  readonly port: number;
}

/**
 * The port that a UDP socket holds in the netstack. Connecting and disconnecting exchange the
 * endpoint behind it; address, port and hop limit stay.
 */
export class UdpBinding {
  readonly family: 4 | 6;
  readonly #scope: TunnelScope;
  readonly #events: UdpEvents;
  #endpoint: UdpEndpoint | undefined;
  #address: IpAddress | undefined;
  #peer: UdpPeer | undefined;
  #hopLimit = HOP_LIMIT;

  constructor(scope: TunnelScope, family: 4 | 6, events: UdpEvents) {
    this.#scope = scope;
    this.family = family;
    this.#events = events;
  }

  /** What it is bound to; undefined before, and when a bind failed. */
  get endpoint(): UdpEndpoint | undefined {
    return this.#endpoint;
  }

  get peer(): UdpPeer | undefined {
    return this.#peer;
  }

  /** @throws OvpnUsageError for one that is not 1 … 255 */
  set hopLimit(hopLimit: number) {
    if (!(Number.isInteger(hopLimit) && hopLimit > 0 && hopLimit <= MAX_HOP_LIMIT)) {
      throw new OvpnUsageError(
        `expected a TTL from 1 to ${MAX_HOP_LIMIT}, got ${hopLimit}`,
        'dialer',
      );
    }
    this.#hopLimit = hopLimit;
    if (this.#endpoint !== undefined) this.#endpoint.hopLimit = hopLimit;
  }

  /** Binds; gives the error when that fails. Port 0 is any, and so is no address. */
  bind(port: number, address: string | undefined): Error | undefined {
    const local = address === undefined ? undefined : IpAddress.parse(address);
    if (address !== undefined && local?.family !== this.family) {
      return new SocketError('EADDRNOTAVAIL', 'bind', { address, port });
    }
    this.#address = local;
    return this.#open(port, 'bind');
  }

  /** Exchanges the peer, or lets it go; binds where needed. A peer without a way changes nothing. */
  exchangePeer(peer: UdpPeer | undefined): Error | undefined {
    const { endpoint } = this;
    const before = this.#peer;
    const port = endpoint?.localPort ?? 0;
    endpoint?.close();
    this.#peer = peer;
    const error = this.#open(port, 'connect');
    if (error === undefined) return undefined;
    this.#peer = before;
    if (endpoint !== undefined) this.#open(port, 'connect');
    return error;
  }

  close(): void {
    this.#endpoint?.close();
  }

  #open(port: number, syscall: string): Error | undefined {
    const { netstack, ended, cause } = this.#scope;
    const place = this.#peer ?? { address: this.#address, port };
    const detail = { address: place.address?.toString(), port: place.port };
    if (ended) return new SocketError('ENETDOWN', syscall, { ...detail, cause });
    const options: UdpOptions = {
      family: this.family,
      port,
      ...(this.#address === undefined ? {} : { address: this.#address }),
      ...(this.#peer === undefined ? {} : { remote: this.#peer }),
    };
    try {
      const endpoint = netstack.openUdp(options, this.#events);
      endpoint.hopLimit = this.#hopLimit;
      this.#endpoint = endpoint;
      return undefined;
    } catch (error) {
      if (!(error instanceof NetstackError)) throw error;
      return new SocketError(error.code, syscall, { ...detail, cause: error });
    }
  }
}

const MAX_HOP_LIMIT = 255;
