import type { Channel } from '../core/channel.ts';
import { OvpnProtocolError } from '../core/errors.ts';
import { DROP_NAMES, Drop, DropCounter, type Millis } from '../core/machine.ts';
import { BATCH, type Service } from '../core/pump.ts';
import type { ControlPacket } from '../model/packet.ts';
import type { SessionIds } from '../model/tls-chunk.ts';
import type { Tracer } from '../model/tracer.ts';
import type { PacketMuxer } from './packet-muxer.ts';
import { isDataPacket } from './route.ts';

export interface PacketMuxerPorts {
  readonly networkToMuxer: Channel<Buffer>;
  readonly muxerToReliable: Channel<ControlPacket>;
  readonly muxerToData: Channel<Buffer>;
  readonly reliableToMuxer: Channel<ControlPacket>;
  readonly dataToMuxer: Channel<Buffer>;
  readonly muxerToNetwork: Channel<Buffer>;
  readonly hardResetDone: Channel<SessionIds>;
}

export interface PacketMuxerServiceOptions {
  readonly tracer?: Tracer | undefined;
  /**
   * Whether a control packet that is forged or malformed ends the session, as befits a stream,
   * where nobody else can have sent it. Default: false, it is dropped and counted.
   */
  readonly strict?: boolean;
}

/** Sorts outer packets into control and data, and lets control go first on the way down. */
export class PacketMuxerService implements Service {
  readonly name = 'packetmuxer';
  readonly #machine: PacketMuxer;
  readonly #ports: PacketMuxerPorts;
  readonly #tracer: Tracer | undefined;
  readonly #strict: boolean;
  readonly #drops = new DropCounter();
  #resetTold = false;

  constructor(
    machine: PacketMuxer,
    ports: PacketMuxerPorts,
    { tracer, strict = false }: PacketMuxerServiceOptions = {},
  ) {
    this.#machine = machine;
    this.#ports = ports;
    this.#tracer = tracer;
    this.#strict = strict;
  }

  /** Refused control packets by reason. */
  get drops(): Record<string, number> {
    return this.#drops.snapshot();
  }

  /** networkToMuxer → machine → muxerToReliable, hardResetDone | muxerToData */
  moveUpWorker(now: Millis): boolean {
    const { networkToMuxer, muxerToData } = this.#ports;
    if (!this.#resetTold) this.#tellReset();
    let moved = 0;
    while (moved < BATCH && !muxerToData.full) {
      const packet = networkToMuxer.take();
      if (packet === undefined) break;
      if (isDataPacket(packet)) muxerToData.push(packet);
      else this.#moveControlUp(packet, now);
      moved += 1;
    }
    return moved > 0;
  }

  /** reliableToMuxer → machine → muxerToNetwork, then dataToMuxer → muxerToNetwork */
  moveDownWorker(now: Millis): boolean {
    const { dataToMuxer, muxerToNetwork } = this.#ports;
    let moved = 0;
    while (moved < BATCH && !muxerToNetwork.full) {
      const packet = this.#nextControl(now);
      if (packet === undefined) break;
      moved += 1;
      const outer = this.#machine.fromAbove(packet, now);
      if (outer === undefined) continue;
      muxerToNetwork.push(outer);
      this.#tracer?.controlOut?.(packet, now);
    }
    while (moved < BATCH && !muxerToNetwork.full) {
      const packet = dataToMuxer.take();
      if (packet === undefined) break;
      muxerToNetwork.push(packet);
      moved += 1;
    }
    return moved > 0;
  }

  nextTimeout(): Millis {
    return this.#machine.nextTimeout();
  }

  onTimeout(now: Millis): void {
    this.#machine.onTimeout(now);
  }

  #moveControlUp(packet: Buffer, now: Millis): void {
    const { muxerToReliable } = this.#ports;
    if (muxerToReliable.full) {
      this.#refuse(packet, Drop.NO_ROOM, now);
      return;
    }
    const control = this.#machine.fromBelow(packet, now);
    if (typeof control === 'number') {
      this.#refuse(packet, control, now);
      return;
    }
    if (!this.#resetTold) this.#tellReset();
    this.#tracer?.controlIn?.(control, now);
    muxerToReliable.push(control);
  }

  #nextControl(now: Millis): ControlPacket | undefined {
    const reset = this.#machine.takeDown(now);
    if (reset !== undefined || !this.#resetTold) return reset;
    return this.#ports.reliableToMuxer.take();
  }

  #tellReset(): void {
    const ids = this.#machine.sessionIds;
    if (ids === undefined) return;
    if (!this.#ports.hardResetDone.push(ids)) throw new Error('hardResetDone has no room');
    this.#resetTold = true;
  }

  #refuse(packet: Buffer, drop: Drop, now: Millis): void {
    this.#drops.count(drop);
    this.#tracer?.dropped?.('packetmuxer', drop, packet[0] ?? -1, packet.length, now);
    if (!this.#strict || !FATAL_ON_STREAMS.has(drop)) return;
    const hint = drop === Drop.BAD_AUTH ? `; ${BAD_AUTH_HINT}` : '';
    throw new OvpnProtocolError(`control packet refused: ${DROP_NAMES[drop]}${hint}`, {
      layer: 'packetmuxer',
      retryable: true,
      reference: 'ssl_pkt.c read_control_auth',
    });
  }
}

const BAD_AUTH_HINT = 'the key of the control wrap, key-direction or auth differ at the two ends';

/** Late answers to a reset that was sent twice are honest: a replay or an unexpected one is not here. */
const FATAL_ON_STREAMS: ReadonlySet<Drop> = new Set<Drop>([
  Drop.MALFORMED,
  Drop.BAD_OPCODE,
  Drop.BAD_AUTH,
  Drop.WRONG_SESSION,
]);
