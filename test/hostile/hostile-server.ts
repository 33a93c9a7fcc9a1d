import { parseStaticKey } from '../../src/config/static-key.ts';
import { Secret } from '../../src/core/secret.ts';
import type { SessionIds } from '../../src/model/tls-chunk.ts';
import type { Link } from '../../src/networkio/link.ts';
import { TcpListener } from '../../src/networkio/tcp-listener.ts';
import { UdpListener } from '../../src/networkio/udp-listener.ts';
import { openingGate } from '../../src/server/opening-gate.ts';
import {
  type ResolvedServerOptions,
  resolveServerOptions,
} from '../../src/server/server-options.ts';
import { authority, serverIdentity, staticKeyText } from '../embedded/site.ts';
import { HostilePeer, type PushScript } from './hostile-peer.ts';

export interface HostileServerOptions {
  readonly protocol: 'udp' | 'tcp';
  readonly wrap: 'none' | 'tls-crypt';
  /** What it says instead of the honest PUSH_REPLY. */
  readonly push: PushScript;
  /** Whether it grants the epoch format of data packets. */
  readonly epoch: boolean;
}

/**
 * A server on loopback that has all the keys it should have: TLS and key exchange are genuine, so
 * that whatever comes after them is authentic.
 */
export class HostileServer {
  readonly #options: ResolvedServerOptions;
  readonly #push: PushScript;
  readonly #listener: UdpListener | TcpListener;
  readonly #peers: HostilePeer[] = [];
  readonly #awaited: ((peer: HostilePeer) => void)[] = [];

  private constructor({ protocol, wrap, push, epoch }: HostileServerOptions) {
    const key = parseStaticKey(staticKeyText);
    if (key === undefined) throw new Error('no static key');
    this.#push = push;
    this.#options = resolveServerOptions({
      ca: authority.certPem,
      cert: serverIdentity.certPem,
      key: serverIdentity.keyPem,
      protocol,
      wrap: wrap === 'none' ? { kind: 'none' } : { kind: 'tls-crypt', key: new Secret(key) },
      keepalive: { pingMs: 0, pingRestartMs: 0 },
      renegSecMs: 0,
      aeadEpoch: epoch,
    });
    const gate = openingGate(this.#options);
    const onPeer = (link: Link, ids: SessionIds) => this.#accept(link, ids);
    this.#listener =
      protocol === 'udp' ? new UdpListener({ gate, onPeer }) : new TcpListener({ gate, onPeer });
  }

  static async open(options: HostileServerOptions): Promise<HostileServer> {
    const server = new HostileServer(options);
    await server.#listener.listen({ host: '127.0.0.1', port: 0 });
    return server;
  }

  get port(): number {
    return this.#listener.address().port;
  }

  /** The next client whose key exchange is done: it has been told what the script says. */
  nextPeer(): Promise<HostilePeer> {
    return new Promise((resolve) => this.#awaited.push(resolve));
  }

  async close(): Promise<void> {
    for (const peer of this.#peers) await peer.close();
    await this.#listener.close();
  }

  #accept(link: Link, ids: SessionIds): void {
    const peer = new HostilePeer({ link, ids, options: this.#options, push: this.#push });
    this.#peers.push(peer);
    void peer.established.then(() => this.#awaited.shift()?.(peer));
  }
}
