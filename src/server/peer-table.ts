import { OvpnAuthError, OvpnError, toError } from '../core/errors.ts';
import { printable } from '../core/log.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';
import type { OnPeer } from '../networkio/peer-gate.ts';
import { Session } from '../session/session.ts';
import type {
  AuthenticationRequest,
  AuthenticationVerdict,
  RefusedSignIn,
} from '../tlsstate/handshake-step.ts';
import { IvProto, ivProtoOf } from '../tlsstate/peer-info.ts';
import type { AddressPool, PoolAddress } from './address-pool.ts';
import { buildPushUpdate } from './push-builder.ts';
import type { ResolvedServerOptions } from './server-options.ts';
import { serverSessionOptions } from './server-session.ts';
import type { ServerTun, TunPeer } from './server-tun.ts';
import { addressKey } from './server-tun.ts';

/** A client of the server, as its program sees it. */
export interface PeerInfo {
  readonly peerId: number;
  /** Its address outside the tunnel. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Its addresses inside. */
  readonly ipv4: string;
  readonly ipv6: string | undefined;
  readonly cipher: string;
  /** From the key exchange; undefined where it sent none. */
  readonly username: string | undefined;
  /** Subject of its certificate; undefined where it has none. */
  readonly subject: string | undefined;
}

/** Whom the table tells. */
export interface PeerTableEvents {
  connect(peer: PeerInfo): void;
  disconnect(peer: PeerInfo, error: Error | undefined): void;
  refused(remote: string, error: Error): void;
}

interface Peer {
  readonly id: number;
  readonly session: Session;
  /** Taken from the pool only once the client has proved who it is. */
  address: PoolAddress | undefined;
  username: string | undefined;
  subject: string | undefined;
  /** What the client said it can do. */
  ivProto: number;
  tun: TunPeer | undefined;
  info: PeerInfo | undefined;
  /** Why its last key exchange was refused: it stays a while, so that it hears of it. */
  refusal: Error | undefined;
}

/** The sessions of a server: one a peer, found by peer id; an address for each from the pool. */
export class PeerTable {
  readonly #options: ResolvedServerOptions;
  readonly #pool: AddressPool;
  readonly #tun: ServerTun;
  readonly #events: PeerTableEvents;
  readonly #peers = new Map<number, Peer>();
  #nextPeerId = 0;
  #closed = false;

  constructor(
    options: ResolvedServerOptions,
    pool: AddressPool,
    tun: ServerTun,
    events: PeerTableEvents,
  ) {
    this.#options = options;
    this.#pool = pool;
    this.#tun = tun;
    this.#events = events;
  }

  get connected(): readonly PeerInfo[] {
    return [...this.#peers.values()].flatMap(({ info }) => info ?? []);
  }

  /** Takes a peer that the listener's gate has accepted. */
  readonly accept: OnPeer = (link, ids, _firstPacket, wrappedKey): void => {
    if (this.#closed) {
      void link.close();
      return;
    }
    const id = this.#takePeerId();
    const accepted = {
      link,
      ids,
      wrappedKey,
      peerId: id,
      gateway: this.#pool.server,
      address: () => peer.address,
      authenticate: (request: AuthenticationRequest) => this.#authenticate(request, peer),
    };
    const session = new Session(serverSessionOptions(accepted, this.#options));
    const peer: Peer = {
      id,
      session,
      address: undefined,
      username: undefined,
      subject: undefined,
      ivProto: 0,
      tun: undefined,
      info: undefined,
      refusal: undefined,
    };
    this.#peers.set(id, peer);
    session.established.then(
      (info) => this.#connected(peer, info),
      () => {},
    );
    void session.done.then((error) => this.#remove(peer, error));
    session.start();
  };

  renegotiate(): void {
    for (const { session, info } of this.#peers.values()) if (info) session.renegotiate();
  }

  /**
   * Changes what a client was pushed. An address that `ifconfig` gives it is its own from then on:
   * the caller sees to it that nobody else has it.
   *
   * @returns false for a client that is not there or has not said that it takes updates
   * @throws OvpnUsageError for what cannot be pushed
   */
  pushUpdate(peerId: number, options: readonly string[]): boolean {
    const texts = buildPushUpdate(options);
    const peer = this.#peers.get(peerId);
    if (peer?.tun === undefined || (peer.ivProto & IvProto.PUSH_UPDATE) === 0) return false;
    for (const text of texts) peer.session.tell({ kind: 'unknown', text });
    this.#tun.remove(peer.tun);
    peer.tun = { tun: peer.tun.tun, addresses: updatedKeys(peer.tun.addresses, options) };
    this.#tun.add(peer.tun);
    return true;
  }

  /** Tells the peers to connect anew, and ends their sessions. May be called twice. */
  async close(): Promise<void> {
    this.#closed = true;
    const sessions = [...this.#peers.values()].map(({ session }) => session);
    await Promise.all(
      sessions.map((session) => session.close({ kind: 'restart', flags: '', text: '' })),
    );
  }

  /** The program's judgement of a key exchange; with the first one goes an address. */
  async #authenticate(request: AuthenticationRequest, peer: Peer): Promise<AuthenticationVerdict> {
    let verdict = await judged(this.#options, request);
    if (verdict.ok) {
      peer.username = request.username;
      peer.ivProto = ivProtoOf(request.peerInfo);
      peer.subject = request.certificate?.subject;
      if (this.#peers.get(peer.id) === peer) peer.address ??= this.#pool.allocate();
      if (peer.address === undefined) verdict = NO_ADDRESS;
    }
    if (!verdict.ok && verdict.pending === undefined) this.#refuse(peer, refusal(verdict));
    return verdict;
  }

  #refuse(peer: Peer, error: Error): void {
    const { remoteAddress, remotePort } = peer.session.link;
    if (peer.info === undefined && peer.refusal === undefined) {
      this.#events.refused(`${remoteAddress} ${remotePort}`, error);
    }
    peer.refusal ??= error;
  }

  #connected(peer: Peer, info: TunnelInfo): void {
    const { address } = peer;
    if (address === undefined) throw new Error('a client without an address');
    peer.tun = { tun: peer.session.tun, addresses: addressKeys(address) };
    peer.info = peerInfo(peer, address, info);
    this.#tun.add(peer.tun);
    this.#events.connect(peer.info);
  }

  #remove(peer: Peer, error: Error | undefined): void {
    this.#peers.delete(peer.id);
    if (peer.tun !== undefined) this.#tun.remove(peer.tun);
    if (peer.address !== undefined) this.#pool.release(peer.address);
    if (peer.info !== undefined) {
      this.#events.disconnect(peer.info, peer.refusal ?? leftError(error));
    } else if (error !== undefined) {
      this.#refuse(peer, error);
    }
  }

  #takePeerId(): number {
    while (this.#peers.has(this.#nextPeerId)) this.#nextPeerId = (this.#nextPeerId + 1) % PEER_IDS;
    const peerId = this.#nextPeerId;
    this.#nextPeerId = (peerId + 1) % PEER_IDS;
    return peerId;
  }
}

/** Peer ids that are given out before they begin anew. */
const PEER_IDS = 0x10_0000;

/** Without `authenticate` a certificate, which TLS has checked, is enough. */
async function judged(
  { authenticate, logger }: ResolvedServerOptions,
  request: AuthenticationRequest,
): Promise<AuthenticationVerdict> {
  if (authenticate === undefined) return { ok: true };
  try {
    const verdict = await authenticate(request);
    if (verdict?.ok === true) return verdict;
    const { reason, ...refused } = verdict ?? { ok: false };
    return { ...refused, ...(reason !== undefined && { reason: printable(reason) }), ok: false };
  } catch (thrown) {
    logger('error', 'server', `authenticate threw: ${toError(thrown).name}`);
    return { ok: false, temporary: true };
  }
}

const NO_ADDRESS = { ok: false, temporary: true, reason: 'no address is left' } as const;

function refusal({ reason, temporary, challenge }: RefusedSignIn): Error {
  const why = reason === undefined ? '' : `: ${reason}`;
  const options = {
    layer: 'server',
    initiator: 'user',
    ...(reason !== undefined && { reason }),
  } as const;
  if (challenge !== undefined) {
    return new OvpnAuthError(
      'OVPN_AUTH_CHALLENGE',
      `the client was asked a question${why}`,
      options,
    );
  }
  return new OvpnAuthError(
    temporary ? 'OVPN_AUTH_TEMPORARY' : 'OVPN_AUTH_FAILED',
    `the client was ${temporary ? 'put off' : 'refused'}${why}`,
    options,
  );
}

function peerInfo(
  { id, session, username, subject }: Peer,
  { ipv4, ipv6 }: PoolAddress,
  { cipher }: TunnelInfo,
): PeerInfo {
  return Object.freeze({
    peerId: id,
    remoteAddress: session.link.remoteAddress,
    remotePort: session.link.remotePort,
    ipv4: ipv4.address,
    ipv6: ipv6?.address,
    cipher,
    username,
    subject,
  });
}

function addressKeys({ ipv4, ipv6 }: PoolAddress): string[] {
  return [ipv4, ipv6].flatMap((subnet) => (subnet ? [addressKey(subnet.address)] : []));
}

/** The addresses of a client after it was pushed `options`. */
function updatedKeys(before: readonly string[], options: readonly string[]): string[] {
  let keys = [...before];
  for (const option of options) {
    const [name = '', address = ''] = option.split(/[ /]+/);
    if (name !== 'ifconfig' && name !== 'ifconfig-ipv6') continue;
    const own = addressKey(address);
    keys = [...keys.filter((key) => key.length !== own.length), own];
  }
  return keys;
}

/** A client that said goodbye has not failed; over TCP, the end of the connection says it. */
function leftError(error: Error | undefined): Error | undefined {
  if (!(error instanceof OvpnError)) return error;
  const isGoodbye = error.code === 'OVPN_PEER_EXIT' || error.code === 'OVPN_LINK_CLOSED';
  return isGoodbye && error.cause === undefined ? undefined : error;
}
