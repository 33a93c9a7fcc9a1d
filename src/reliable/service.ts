import type { Channel } from '../core/channel.ts';
import { Drop, DropCounter, type Millis } from '../core/machine.ts';
import { BATCH, type Service } from '../core/pump.ts';
import type { ControlPacket } from '../model/packet.ts';
import type { Tracer } from '../model/tracer.ts';
import { KeyStates, type KeyStatesOptions } from './key-states.ts';

export interface ReliableServiceOptions extends KeyStatesOptions {
  readonly tracer?: Tracer | undefined;
}

export interface ReliablePorts {
  readonly muxerToReliable: Channel<ControlPacket>;
  readonly reliableToControl: Channel<ControlPacket>;
  readonly controlToReliable: Channel<ControlPacket>;
  readonly reliableToMuxer: Channel<ControlPacket>;
}

/** Carries control packets through the reliability states of all key ids. */
export class ReliableService implements Service {
  readonly name = 'reliable';
  readonly drops: DropCounter = new DropCounter();
  readonly #keyStates: KeyStates;
  readonly #tracer: Tracer | undefined;
  readonly #ports: ReliablePorts;

  constructor(options: ReliableServiceOptions, ports: ReliablePorts) {
    this.#keyStates = new KeyStates(options);
    this.#tracer = options.tracer;
    this.#ports = ports;
  }

  /**
   * Whether the peer has acknowledged all of `keyId` that has reached this layer. What still waits
   * in `tlsToControl` or `controlToReliable` does not count.
   */
  isAcknowledged(keyId: number): boolean {
    return this.#keyStates.isAcknowledged(keyId);
  }

  /**
   * muxerToReliable → machine → reliableToControl
   *
   * Takes packets although there is no room above: the window bounds what is kept, and the
   * acknowledgements in them must get through for the way down to stay open.
   */
  moveUpWorker(now: Millis): boolean {
    const { muxerToReliable, reliableToControl } = this.#ports;
    let moved = 0;
    while (moved < BATCH) {
      const released = reliableToControl.full ? undefined : this.#keyStates.takeUp();
      if (released !== undefined) {
        reliableToControl.push(released);
      } else {
        const packet = muxerToReliable.take();
        if (packet === undefined) break;
        this.#count(this.#keyStates.fromBelow(packet), packet, now);
      }
      moved += 1;
    }
    return moved > 0;
  }

  /** controlToReliable → machine → reliableToMuxer */
  moveDownWorker(now: Millis): boolean {
    const { controlToReliable, reliableToMuxer } = this.#ports;
    let moved = 0;
    while (moved < BATCH && this.#keyStates.acceptsFromAbove()) {
      const message = controlToReliable.take();
      if (message === undefined) break;
      this.#count(this.#keyStates.fromAbove(message), message, now);
      moved += 1;
    }
    while (moved < BATCH && !reliableToMuxer.full) {
      const packet = this.#keyStates.takeDown(now);
      if (packet === undefined) break;
      reliableToMuxer.push(packet);
      moved += 1;
    }
    return moved > 0;
  }

  nextTimeout(): Millis {
    return this.#keyStates.nextTimeout();
  }

  onTimeout(now: Millis): void {
    this.#keyStates.onTimeout(now);
  }

  #count(drop: Drop, packet: ControlPacket, now: Millis): void {
    if (drop === Drop.NONE) return;
    this.drops.count(drop);
    const byte0 = (packet.opcode << 3) | packet.keyId;
    this.#tracer?.dropped?.(this.name, drop, byte0, packet.payload.length, now);
  }
}
