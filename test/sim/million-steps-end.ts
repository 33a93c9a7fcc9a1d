import { ControlChannel } from '../../src/controlchannel/control-channel.ts';
import { ControlChannelService } from '../../src/controlchannel/service.ts';
import { Workers } from '../../src/core/workers.ts';
import { DataChannel } from '../../src/datachannel/data-channel.ts';
import { DataChannelService } from '../../src/datachannel/service.ts';
import type { ControlWrapOptions } from '../../src/model/control-wrap-options.ts';
import type { Role, SessionId } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import { PacketMuxer } from '../../src/packetmuxer/packet-muxer.ts';
import { PacketMuxerService } from '../../src/packetmuxer/service.ts';
import { ReliableService } from '../../src/reliable/service.ts';
import { type Channels, createChannels } from '../../src/session/channels.ts';
import { ackV1Limit } from '../../src/session/control-sizes.ts';
import { ControlWraps } from '../../src/session/control-wraps.ts';
import { OPTIONS } from '../datachannel/fixtures.ts';
import { type DataKind, ScriptedTls } from './million-steps-stream.ts';
import { WindowWatch } from './million-steps-window.ts';
import { SeededRandom } from './seeded-random.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface NoisyEndOptions {
  readonly role: Role;
  readonly clock: VirtualClock;
  readonly wrap: ControlWrapOptions;
  /** Renegotiations have keys of their own (dynamic tls-crypt). */
  readonly dynamic: boolean;
  readonly data: DataKind;
  readonly ids: { readonly local: SessionId; readonly remote: SessionId };
  readonly peerWrote: (generation: number) => number;
  readonly fault: (text: string) => void;
}

const TLS_TIMEOUT_MS = 500;
const EXPORTED_SEED = 0xd1;

/** The layers of a session between link and tun device, with a script in place of TLS. */
export class NoisyEnd {
  readonly role: Role;
  readonly channels: Channels;
  readonly keys: ControlChannel;
  readonly tls: ScriptedTls;
  readonly watch: WindowWatch;
  readonly reliable: ReliableService;
  readonly #clock: VirtualClock;
  readonly #workers: Workers;
  readonly #muxer: PacketMuxer;
  readonly #packetmuxer: PacketMuxerService;
  readonly #datachannel: DataChannelService;

  constructor({ role, clock, wrap, dynamic, data, ids, peerWrote, fault }: NoisyEndOptions) {
    const workers = new Workers(clock);
    const { arm } = workers.pump;
    const channels = createChannels(arm);
    const activity = new LinkActivity(clock.now());
    const wraps = new ControlWraps({ wrap, role, unixSeconds: () => clock.unixSeconds() });
    const wrapFor = (keyId: number) => wraps.forKey(keyId);
    const common = { localSessionId: ids.local, wrapFor, activity };
    const keys = new ControlChannel(OPTIONS.handWindowMs);

    this.role = role;
    this.channels = channels;
    this.keys = keys;
    this.#clock = clock;
    this.#workers = workers;
    this.#muxer = new PacketMuxer(
      role === 'client' ? { ...common, role } : { ...common, role, remoteSessionId: ids.remote },
    );
    const first = role === 'client' ? { send: 0, receive: 0 } : { send: 1, receive: 1 };
    this.watch = new WindowWatch(first, (text) => fault(`${role}: ${text}`));
    this.#packetmuxer = new PacketMuxerService(this.#muxer, channels, { tracer: this.watch });
    this.reliable = new ReliableService(
      {
        role,
        tlsTimeoutMs: TLS_TIMEOUT_MS,
        ackV1Limit: ackV1Limit(wrap.kind !== 'none'),
        acceptsSoftReset: (keyId) => keys.acceptsSoftReset(keyId),
      },
      channels,
    );
    this.tls = new ScriptedTls({
      role,
      data,
      channels,
      arm,
      peerWrote,
      fault,
      settled: () => wraps.settle(dynamic ? exportedBytes() : undefined),
    });
    const random = new SeededRandom(EXPORTED_SEED);
    const datachannel = new DataChannel(OPTIONS, activity, { random });
    this.#datachannel = new DataChannelService(datachannel, channels, {
      peerExit: () => fault(`${role}: peer exit`),
      pingTimeout: ({ message }) => fault(`${role}: ${message}`),
      failed: ({ message }) => fault(`${role}: ${message}`),
      rekeyed: () => {},
    });
    workers.start(this.#packetmuxer);
    workers.start(this.reliable);
    workers.start(new ControlChannelService(keys, channels));
    workers.start(this.tls);
    workers.start(this.#datachannel);
  }

  /** Why it has ended; undefined while it lives. */
  get error(): Error | undefined {
    return this.#workers.error;
  }

  /** Packets that were refused as forged, replayed, malformed or misplaced. */
  get refused(): number {
    return sum(this.#packetmuxer.drops) + sum(this.#datachannel.stats.drops);
  }

  /** Drops of all layers by reason. */
  get drops(): Record<string, Readonly<Record<string, number>>> {
    return {
      packetmuxer: this.#packetmuxer.drops,
      reliable: this.reliable.drops.snapshot(),
      datachannel: this.#datachannel.stats.drops,
    };
  }

  /** Whether there is a key for data. */
  get isEstablished(): boolean {
    return this.tls.established >= 0;
  }

  /** Takes an outer packet from the line. */
  receive(packet: Buffer): void {
    this.channels.networkToMuxer.push(packet);
  }

  /** Asks for a renegotiation. */
  renegotiate(): void {
    this.channels.rekeyDue.push('asked for');
  }

  /** An authentic packet of this end that its layers did not ask for. */
  sealed(packet: ControlPacket): Buffer {
    const outer = this.#muxer.fromAbove(packet, this.#clock.now());
    if (outer === undefined) throw new Error('expected a packet to send');
    return outer;
  }

  stop(): void {
    this.#workers.stop();
  }
}

/** A server's answer to the client's reset, as it leaves before there is a session. */
export function resetAnswer(from: SessionId, to: SessionId): ControlPacket {
  const packet = new ControlPacket(Opcode.P_CONTROL_HARD_RESET_SERVER_V2, 0, from);
  packet.packetId = 0;
  packet.ackedPacketIds = [0];
  packet.remoteSessionId = to;
  return packet;
}

function exportedBytes(): Buffer {
  return new SeededRandom(EXPORTED_SEED).bytes(256);
}

function sum(counts: Readonly<Record<string, number>>): number {
  let total = 0;
  for (const name in counts) total += counts[name] ?? 0;
  return total;
}
