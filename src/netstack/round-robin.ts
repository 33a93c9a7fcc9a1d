import type { Millis } from '../core/machine.ts';

/** Something that has packets for the network. */
export interface PacketSource {
  /** Its neighbour in the turn, owned by {@link RoundRobin}. */
  nextInTurn: PacketSource | undefined;
  /** Whether it stands in the turn; owned by {@link RoundRobin}. */
  inTurn: boolean;
  /** Its next packet; undefined when it has none now and will wake again. */
  takeDown(now: Millis): Buffer | undefined;
}

/** How much one source sends before the next has its turn. Unit: bytes. */
export const QUANTUM_BYTES = 6000;

/**
 * Takes packets from the sources that are awake, by turns, so that a bulk flow does not starve
 * the others. A source that has nothing leaves the turn and costs nothing until it wakes.
 */
export class RoundRobin {
  #head: PacketSource | undefined;
  #tail: PacketSource | undefined;
  #spentBytes = 0;

  get idle(): boolean {
    return this.#head === undefined;
  }

  /** Puts `source` at the end of the turn, unless it stands there already. */
  wake(source: PacketSource): void {
    if (source.inTurn) return;
    source.inTurn = true;
    if (this.#tail === undefined) this.#head = source;
    else this.#tail.nextInTurn = source;
    this.#tail = source;
  }

  /** The next packet of whoever's turn it is; undefined when nobody has one. */
  take(now: Millis): Buffer | undefined {
    for (let source = this.#head; source !== undefined; source = this.#head) {
      const packet = source.takeDown(now);
      if (packet === undefined) {
        this.#leave(source);
        continue;
      }
      this.#spentBytes += packet.length;
      if (this.#spentBytes >= QUANTUM_BYTES) {
        this.#leave(source);
        this.wake(source);
      }
      return packet;
    }
    return undefined;
  }

  /** Empties the turn. */
  clear(): void {
    while (this.#head !== undefined) this.#leave(this.#head);
  }

  #leave(first: PacketSource): void {
    this.#head = first.nextInTurn;
    if (this.#head === undefined) this.#tail = undefined;
    first.nextInTurn = undefined;
    first.inTurn = false;
    this.#spentBytes = 0;
  }
}
