import type { SessionIds } from '../../src/model/tls-chunk.ts';
import { peerName } from '../../src/networkio/peer-gate.ts';
import { HardResetResponder } from '../../src/packetmuxer/hard-reset-responder.ts';
import { AddressPool } from '../../src/server/address-pool.ts';
import type { ResolvedServerOptions } from '../../src/server/server-options.ts';
import { serverSessionOptions } from '../../src/server/server-session.ts';
import { statelessWrap } from '../../src/session/control-wraps.ts';
import { Session } from '../../src/session/session.ts';
import { CLIENT, SERVER } from './sim-identity.ts';
import { SimLink } from './sim-link.ts';

/**
 * The server's side of a simulated line: as behind a listener, nothing is kept about the client
 * before the responder accepts it, and then every datagram of its session goes there.
 */
export class SimServer {
  readonly pool = new AddressPool();
  /** Key ids of complete renegotiations. */
  readonly keyIds: number[] = [];
  /** Why sessions ended. */
  readonly endings: (Error | undefined)[] = [];
  readonly #options: ResolvedServerOptions;
  readonly #responder: HardResetResponder;
  readonly #transmit: (datagram: Buffer) => void;
  #isUp = false;
  #peer:
    | { readonly session: Session; readonly link: SimLink; readonly ids: SessionIds }
    | undefined;

  /** @param transmit where datagrams to the client go */
  constructor(options: ResolvedServerOptions, transmit: (datagram: Buffer) => void) {
    const { wrap, clock, random, handWindowMs } = options;
    this.#options = options;
    this.#transmit = transmit;
    this.#responder = new HardResetResponder({
      wrap: statelessWrap(wrap, () => clock.unixSeconds()),
      random,
      handWindowMs,
    });
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
    if (peer !== undefined && this.#responder.belongsTo(datagram, peer.ids)) {
      peer.link.deliver(datagram);
      return;
    }
    const remote = peerName(CLIENT.address, CLIENT.port);
    const verdict = this.#responder.onPacket(datagram, remote, this.#options.clock.now());
    if (verdict.kind === 'reply') this.#transmit(verdict.packet);
    else if (verdict.kind === 'accept') this.#accept(datagram, verdict.ids);
  }

  #accept(firstDatagram: Buffer, ids: SessionIds): void {
    const address = this.pool.allocate();
    if (address === undefined) throw new Error('no address left');
    this.#peer?.session.stop();
    const link = new SimLink(
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
