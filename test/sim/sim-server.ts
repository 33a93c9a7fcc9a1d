import type { SessionIds } from '../../src/model/tls-chunk.ts';
import { type PeerGate, peerName } from '../../src/networkio/peer-gate.ts';
import { AddressPool } from '../../src/server/address-pool.ts';
import { openingGate } from '../../src/server/opening-gate.ts';
import type { ResolvedServerOptions } from '../../src/server/server-options.ts';
import { serverSessionOptions } from '../../src/server/server-session.ts';
import { Session } from '../../src/session/session.ts';
import { CLIENT, SERVER } from './sim-identity.ts';
import { SimLink } from './sim-link.ts';

type LinkMaker = (...parts: ConstructorParameters<typeof SimLink>) => SimLink;

/**
 * The server's side of a simulated line: as behind a listener, nothing is kept about the client
 * before the gate accepts it, and then every datagram of its session goes there.
 */
export class SimServer {
  readonly pool = new AddressPool();
  /** Key ids of complete renegotiations. */
  readonly keyIds: number[] = [];
  /** Why sessions ended. */
  readonly endings: (Error | undefined)[] = [];
  readonly #options: ResolvedServerOptions;
  readonly #gate: PeerGate;
  readonly #transmit: (datagram: Buffer) => void;
  readonly #linkTo: LinkMaker;
  #isUp = false;
  #peer:
    | { readonly session: Session; readonly link: SimLink; readonly ids: SessionIds }
    | undefined;

  /** @param transmit where datagrams to the client go */
  constructor(
    options: ResolvedServerOptions,
    transmit: (datagram: Buffer) => void,
    linkTo: LinkMaker = (...parts) => new SimLink(...parts),
  ) {
    this.#options = options;
    this.#transmit = transmit;
    this.#linkTo = linkTo;
    this.#gate = openingGate(options);
  }

  /** The client's session, once it was accepted and while it lives. */
  get session(): Session | undefined {
    return this.#peer?.session;
  }

  /** Whether that session can send packets. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Takes a datagram of the client. */
  receive(datagram: Buffer): void {
    const peer = this.#peer;
    if (peer !== undefined && this.#gate.belongsTo(datagram, peer.ids)) {
      peer.link.deliver(datagram);
      return;
    }
    const remote = peerName(CLIENT.address, CLIENT.port);
    const verdict = this.#gate.onPacket(datagram, remote, this.#options.clock.now());
    if (verdict.kind === 'reply') this.#transmit(verdict.packet);
    else if (verdict.kind === 'accept') this.#accept(datagram, verdict.ids, verdict.memory);
  }

  #accept(firstDatagram: Buffer, ids: SessionIds, wrappedKey: Buffer | undefined): void {
    const address = this.pool.allocate();
    if (address === undefined) throw new Error('no address left');
    this.#peer?.session.stop();
    const link = this.#linkTo(
      {
        localAddress: SERVER.address,
        localPort: SERVER.port,
        remoteAddress: CLIENT.address,
        remotePort: CLIENT.port,
      },
      this.#transmit,
    );
    const peer = {
      link,
      ids,
      wrappedKey,
      peerId: 0,
      gateway: this.pool.server,
      address: () => address,
      authenticate: async () => ({ ok: true }) as const,
    };
    const session = new Session({
      ...serverSessionOptions(peer, this.#options),
      events: { rekeyed: (keyId) => this.keyIds.push(keyId) },
    });
    this.#peer = { session, link, ids };
    session.established.then(
      () => {
        this.#isUp = true;
      },
      () => {},
    );
    void session.done.then((error) => {
      this.#isUp = false;
      this.endings.push(error);
      this.pool.release(address);
      if (this.#peer?.session === session) this.#peer = undefined;
    });
    link.deliver(firstDatagram);
    session.start();
  }
}
