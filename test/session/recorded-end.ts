import { Channel } from '../../src/core/channel.ts';
import { Drop, type Millis } from '../../src/core/machine.ts';
import { type Role, type SessionId, sessionIdOf } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import type { ControlPacket } from '../../src/model/packet.ts';
import type { SessionIds } from '../../src/model/tls-chunk.ts';
import { PacketMuxer } from '../../src/packetmuxer/packet-muxer.ts';
import { PacketMuxerService } from '../../src/packetmuxer/service.ts';
import type { ControlWraps } from '../../src/session/control-wraps.ts';
import type { Capture, RecordedPacket } from '../packetmuxer/captures.ts';
import { exportedOf, recordedWraps } from './recorded-wraps.ts';

/** One session of a capture: a client may have begun anew in it. */
export interface RecordedSession {
  readonly capture: Capture;
  readonly client: SessionId;
  readonly server: SessionId;
  readonly packets: readonly RecordedPacket[];
}

export function sessionsOf(capture: Capture): RecordedSession[] {
  const { control } = capture;
  const resets = control.filter(({ op }) => op.startsWith('HARD_RESET_CLIENT'));
  return [...new Set(resets.map(({ session_id }) => session_id))].flatMap((client) => {
    const answer = control.find(({ dir, remote_sid }) => dir === 'S' && remote_sid === client);
    if (answer === undefined) return [];
    const server = answer.session_id;
    return {
      capture,
      client: idOf(client),
      server: idOf(server),
      packets: control.filter(({ session_id }) => [client, server].includes(session_id)),
    };
  });
}

/** What a muxer made of an outer packet: control, data that goes on as it is, or a reason. */
export type Outcome = ControlPacket | 'data' | Drop;

/** One end of a recorded session, as far as the muxer and its service. */
export class RecordedEnd {
  readonly role: Role;
  readonly #activity = new LinkActivity(0);
  readonly #capture: Capture;
  readonly #wraps: ControlWraps;
  readonly #machine: PacketMuxer;
  readonly #service: PacketMuxerService;
  readonly #ports = {
    networkToMuxer: new Channel<Buffer>('networkToMuxer', 512),
    muxerToReliable: new Channel<ControlPacket>('muxerToReliable', 16),
    muxerToData: new Channel<Buffer>('muxerToData', 512),
    reliableToMuxer: new Channel<ControlPacket>('reliableToMuxer', 16),
    dataToMuxer: new Channel<Buffer>('dataToMuxer', 256),
    muxerToNetwork: new Channel<Buffer>('muxerToNetwork', 256),
    hardResetDone: new Channel<SessionIds>('hardResetDone', 2),
  };
  #isSettled = false;
  #now: Millis = 0;
  #lastDrop: Drop = Drop.NONE;

  /** @param strict as on a stream */
  constructor({ capture, client, server }: RecordedSession, role: Role, strict: boolean) {
    this.role = role;
    this.#capture = capture;
    this.#wraps = recordedWraps(capture, role, () => 1_800_000_000);
    const common = {
      wrapFor: (keyId: number) => this.#wraps.forKey(keyId),
      activity: this.#activity,
    };
    this.#machine = new PacketMuxer(
      role === 'client'
        ? { role, localSessionId: client, ...common }
        : { role, localSessionId: server, remoteSessionId: client, ...common },
    );
    const dropped = (_layer: string, drop: Drop) => {
      this.#lastDrop = drop;
    };
    this.#service = new PacketMuxerService(this.#machine, this.#ports, {
      strict,
      tracer: { dropped },
    });
  }

  get sessionIds(): SessionIds | undefined {
    return this.#machine.sessionIds;
  }

  /** Whether the last packet counts as a sign of life. */
  get isNoted(): boolean {
    return this.#activity.receivedAt === this.#now;
  }

  /** Why the last packet that was refused was. */
  get lastDrop(): Drop {
    return this.#lastDrop;
  }

  /** Key id 0 settles before the first packet of a later one. */
  expect({ key_id, wrap }: RecordedPacket): void {
    if (key_id === 0 || this.#isSettled) return;
    this.#isSettled = true;
    this.#wraps.settle(wrap === 'dynamic tls-crypt' ? exportedOf(this.#capture) : undefined);
  }

  /**
   * Each packet comes a millisecond after the one before.
   * @throws OvpnProtocolError where it is strict
   */
  feed(packet: Buffer): Outcome {
    const { networkToMuxer, muxerToReliable, muxerToData } = this.#ports;
    this.#lastDrop = Drop.NONE;
    this.#now += 1;
    networkToMuxer.push(packet);
    this.#service.moveUpWorker(this.#now);
    if (muxerToData.take() !== undefined) return 'data';
    return muxerToReliable.take() ?? this.#lastDrop;
  }
}

function idOf(hex: string): SessionId {
  return sessionIdOf(Buffer.from(hex, 'hex'));
}
