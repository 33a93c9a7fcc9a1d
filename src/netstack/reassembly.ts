import { Drop, type Millis } from '../core/machine.ts';
import type { IpHeader } from './ip-header.ts';
import { PartialDatagram } from './partial-datagram.ts';

/** Datagrams that may be incomplete at a time; the oldest gives way. */
export const MAX_PARTIAL_DATAGRAMS = 64;

/** Memory that incomplete datagrams may hold together; the oldest gives way. Unit: bytes. */
export const MAX_PARTIAL_BYTES = 524_288;

/** How long a datagram may take from its first fragment to its last. Unit: milliseconds. */
export const REASSEMBLY_TIMEOUT_MS = 15_000;

/** Hears of a datagram that was not completed in time: its first fragment, where that had come. */
export type OnReassemblyTimeout = (first: Buffer, now: Millis) => void;

/** Joins the fragments of both families, within bounds that no peer can raise. */
export class Reassembly {
  readonly #onTimedOut: OnReassemblyTimeout;
  /** In order of arrival, hence of expiry. */
  readonly #partials: PartialDatagram[] = [];
  #heldBytes = 0;

  constructor(onTimedOut: OnReassemblyTimeout = nobody) {
    this.#onTimedOut = onTimedOut;
  }

  /** Datagrams that are incomplete now. */
  get size(): number {
    return this.#partials.length;
  }

  /** Memory they hold. Unit: bytes. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Takes one fragment. Gives the datagram as one packet when it completes it, `Drop.NONE` when
   * others are missing, or why it was refused.
   */
  add(packet: Buffer, header: IpHeader, now: Millis): Buffer | Drop {
    this.onTimeout(now);
    const partial = this.#partialOf(header, now);
    this.#heldBytes -= partial.heldBytes;
    const drop = partial.add(packet, header);
    this.#heldBytes += partial.heldBytes;
    if (drop !== Drop.NONE) return drop;
    const whole = partial.whole();
    if (whole !== undefined) {
      this.#forget(this.#partials.indexOf(partial));
      return whole;
    }
    while (this.#heldBytes > MAX_PARTIAL_BYTES) this.#forget(0);
    return Drop.NONE;
  }

  nextTimeout(): Millis {
    return this.#partials[0]?.expiresAt ?? Number.POSITIVE_INFINITY;
  }

  /** Forgets what has taken too long. */
  onTimeout(now: Millis): void {
    while (this.nextTimeout() <= now) {
      const first = this.#partials[0]?.first;
      this.#forget(0);
      if (first !== undefined) this.#onTimedOut(first, now);
    }
  }

  /** Forgets everything. */
  clear(): void {
    while (this.#partials.length > 0) this.#forget(0);
  }

  #partialOf(header: IpHeader, now: Millis): PartialDatagram {
    for (const partial of this.#partials) if (partial.owns(header)) return partial;
    if (this.#partials.length === MAX_PARTIAL_DATAGRAMS) this.#forget(0);
    const partial = new PartialDatagram(header, now + REASSEMBLY_TIMEOUT_MS);
    this.#partials.push(partial);
    this.#heldBytes += partial.heldBytes;
    return partial;
  }

  #forget(index: number): void {
    const [partial] = this.#partials.splice(index, 1);
    if (partial !== undefined) this.#heldBytes -= partial.heldBytes;
  }
}

const nobody: OnReassemblyTimeout = () => {};
