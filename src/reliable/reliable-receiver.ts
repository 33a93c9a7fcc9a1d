import { Drop } from '../core/machine.ts';
import type { ControlPacket } from '../model/packet.ts';
import { RECEIVE_WINDOW } from './constants.ts';

/**
 * Puts the peer's messages back in order: each id is released once, after all before it.
 *
 *     duplicate │ next … next + 11: kept until its turn │ too far ahead
 *     ──────────┴───────────────────────────────────────┴──────────────▶ message id
 */
export class ReliableReceiver {
  readonly #slots = new Array<ControlPacket | undefined>(RECEIVE_WINDOW).fill(undefined);
  #next: number;
  #buffered = 0;

  /** @param firstReceiveId the id that is released first. */
  constructor(firstReceiveId: number) {
    this.#next = firstReceiveId;
  }

  /** How many messages wait here; at most {@link RECEIVE_WINDOW}. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Keeps `packet` until its turn. Anything but `Drop.NONE`: not kept. */
  receive(packet: ControlPacket): Drop {
    const { packetId } = packet;
    if (packetId < this.#next) return Drop.DUPLICATE;
    if (packetId >= this.#next + RECEIVE_WINDOW) return Drop.OUT_OF_WINDOW;
    const slot = packetId % RECEIVE_WINDOW;
    if (this.#slots[slot] !== undefined) return Drop.DUPLICATE;
    this.#slots[slot] = packet;
    this.#buffered += 1;
    return Drop.NONE;
  }

  /** The next message in order, or undefined while it is missing. */
  take(): ControlPacket | undefined {
    const slot = this.#next % RECEIVE_WINDOW;
    const packet = this.#slots[slot];
    if (packet === undefined) return undefined;
    this.#slots[slot] = undefined;
    this.#buffered -= 1;
    this.#next += 1;
    return packet;
  }
}
