import { type Framing, framingOf } from '../../src/datachannel/compression-framing.ts';
import type { DataCodec } from '../../src/datachannel/data-codec.ts';
import { createDataKey } from '../../src/datachannel/data-key.ts';
import { KEY_LIMITS } from '../../src/datachannel/key-limits.ts';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import type { DataChannelKey } from '../../src/model/data-channel-key.ts';
import type { ControlPacket } from '../../src/model/packet.ts';
import type { CompressionFraming } from '../../src/model/push-options.ts';
import type { SessionIds } from '../../src/model/tls-chunk.ts';
import type { Link } from '../../src/networkio/link.ts';
import { AddressPool } from '../../src/server/address-pool.ts';
import type { ResolvedServerOptions } from '../../src/server/server-options.ts';
import { serverSessionOptions } from '../../src/server/server-session.ts';
import { Stack } from '../../src/session/stack.ts';
import type { TlsStateOptions } from '../../src/tlsstate/service.ts';
import { framed as formatFramed } from '../datachannel/formats.ts';
import { echoReplyTo } from './inner-packets.ts';

/** The control texts that stand in for the PUSH_REPLY. */
export type PushScript = (honest: readonly string[]) => readonly string[];

export interface HostilePeerOptions {
  readonly link: Link;
  readonly ids: SessionIds;
  readonly options: ResolvedServerOptions;
  readonly push: PushScript;
}

/** Texts that may wait for the TLS session: enough to keep the control channel busy. */
const WAITING_TEXTS = 32;

/**
 * The server's end of one client's session: the layers of the library, and above each of them a way
 * to say what no honest server says.
 */
export class HostilePeer {
  readonly link: Link;
  /** The key exchange is done. */
  readonly established: Promise<void>;
  /** Why it ended. */
  readonly done: Promise<Error | undefined>;
  /** Gets each IP packet of the client that is no ping. */
  onPacket: (packet: Buffer) => void = () => {};
  readonly #stack: Stack;
  #codec: DataCodec | undefined;
  #framing: Framing | undefined;
  #packetsIn = 0;
  #waitingTexts = 0;

  constructor({ link, ids, options, push }: HostilePeerOptions) {
    const pool = new AddressPool();
    const address = pool.allocate();
    const { stack, wraps } = serverSessionOptions(
      {
        link,
        ids,
        peerId: 0,
        gateway: pool.server,
        address: () => address,
        authenticate: async () => ({ ok: true }),
      },
      options,
    );
    let established = () => {};
    this.established = new Promise((resolve) => {
      established = resolve;
    });
    const fail = (error: Error) => this.#stack.workers.fail(error);
    this.link = link;
    this.#stack = new Stack({
      ...stack,
      tls: (arm) => scripted(stack.tls(arm), push),
      events: {
        linkEnded: fail,
        tls: {
          state: () => {},
          pushed: () => {},
          controlKey: (exported) => wraps.settle(exported),
          established,
          message: () => {},
          // As a session: what the client said last is acknowledged first.
          failed: (error) => setImmediate(fail, error),
        },
        data: { peerExit: () => {}, pingTimeout: fail, failed: fail, rekeyed: () => {} },
      },
    });
    this.done = this.#stack.workers.done;
    this.#keepKeys();
    this.#stack.start();
    this.#stack.workers.start({ name: 'hostile', moveUpWorker: () => this.#answer() });
  }

  /** IP packets that the client sent. */
  get packetsIn(): number {
    return this.#packetsIn;
  }

  get over(): boolean {
    return this.#stack.workers.stopped;
  }

  /** Sends `text` and a NUL inside TLS; false, and nothing sent, while too much waits. */
  say(text: string): boolean {
    if (this.over) return false;
    if (this.#stack.tlsstate.idle) this.#waitingTexts = 0;
    if (this.#waitingTexts >= WAITING_TEXTS) return false;
    this.#waitingTexts += 1;
    return this.#stack.tlsstate.send({ kind: 'unknown', text });
  }

  /** Sends a control packet as this session's, wrapped; no resends. False while there is no room. */
  control(packet: ControlPacket): boolean {
    if (this.over) return false;
    return this.#stack.channels.reliableToMuxer.push(packet);
  }

  /** Sends bytes as they are. False while the socket has no room. */
  outer(bytes: Buffer): boolean {
    if (this.over || !this.link.writable) return false;
    this.link.send(bytes);
    return true;
  }

  /** The data packet around `payload`, whatever that is, with the newest key. */
  seal(payload: Buffer): Buffer {
    const packet = this.#codec?.seal(payload);
    if (packet === undefined) throw new Error('no data key');
    return packet;
  }

  /** Sends `payload` inside an authentic data packet. False while the socket has no room. */
  inner(payload: Buffer): boolean {
    return this.outer(this.seal(payload));
  }

  /** Reads packets of this framing from now on, and frames its answers to pings. */
  useFraming(framing: CompressionFraming): void {
    this.#stack.datachannel.useFormat(formatFramed(framing));
    this.#framing = framingOf(framing);
  }

  /** Asks for new keys, as often as it is called. */
  renegotiate(): boolean {
    return this.#stack.channels.rekeyDue.push('again');
  }

  async close(): Promise<void> {
    this.#stack.workers.stop();
    await this.link.close();
  }

  /** The library's own codec would not seal what is no IP packet: this one has the same key. */
  #keepKeys(): void {
    const { keyReady } = this.#stack.channels;
    const push = keyReady.push.bind(keyReady);
    keyReady.push = (key) => {
      const { codec } = createDataKey(copyOf(key), {
        provider: nodeProvider,
        limits: KEY_LIMITS,
        auth: 'SHA1',
        replayWindow: { packets: 64, ms: 15_000 },
      });
      this.#codec = codec;
      return push(key);
    };
  }

  /** tun → answers to pings: what a client that is alive looks for */
  #answer(): boolean {
    let moved = false;
    for (let packet = this.#stack.tun.read(); packet !== undefined; ) {
      this.#packetsIn += 1;
      const reply = echoReplyTo(packet);
      if (reply !== undefined) this.inner(this.#framing?.frame(reply) ?? reply);
      else this.onPacket(packet);
      packet = this.#stack.tun.read();
      moved = true;
    }
    return moved;
  }
}

function scripted(tls: TlsStateOptions, push: PushScript): TlsStateOptions {
  if (tls.role !== 'server') throw new Error('not a server');
  const { handshake } = tls;
  return {
    ...tls,
    handshake: { ...handshake, buildPush: (facts) => push(handshake.buildPush(facts)) },
  };
}

/** Whoever installs a key overwrites its material. */
function copyOf(key: DataChannelKey): DataChannelKey {
  const { material } = key;
  if (Buffer.isBuffer(material)) return { ...key, material: Buffer.from(material) };
  const copies = Object.entries(material).map(([name, bytes]) => [name, Buffer.from(bytes)]);
  return { ...key, material: Object.fromEntries(copies) };
}
