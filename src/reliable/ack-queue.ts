import { MAX_ACK_V1_ACKS, MAX_OWED_ACKS } from './constants.ts';

/**
 * Message ids to acknowledge. Each is owed once; after that it is repeated, newest first, wherever
 * a packet has room, so that the loss of one acknowledgement rarely costs a resend (OpenVPN 2.6).
 */
export class AckQueue {
  /** never acknowledged or received again since; oldest first */
  readonly #owed: number[] = [];
  /** acknowledged before; newest first */
  readonly #recent: number[] = [];

  /** Whether something is owed: repetition alone is no reason for a packet. */
  get owing(): boolean {
    return this.#owed.length > 0;
  }

  /** No further id can be owed until some were taken. */
  get full(): boolean {
    return this.#owed.length >= MAX_OWED_ACKS;
  }

  /** Owes the peer an acknowledgement of `packetId`; once, however often it is asked for. */
  owe(packetId: number): void {
    if (!this.full && !this.#owed.includes(packetId)) this.#owed.push(packetId);
  }

  /** What the next packet acknowledges: up to `limit` ids, owed ones before repeated ones. */
  take(limit: number): readonly number[] {
    for (const packetId of this.#owed.splice(0, limit)) this.#remember(packetId);
    return this.#recent.slice(0, limit);
  }

  #remember(packetId: number): void {
    const known = this.#recent.indexOf(packetId);
    if (known >= 0) this.#recent.splice(known, 1);
    this.#recent.unshift(packetId);
    if (this.#recent.length > MAX_ACK_V1_ACKS) this.#recent.pop();
  }
}
