/** A point on the session's clock, or a length of time, in milliseconds. `Infinity` is "never". */
export type Millis = number;

/**
 * Why something was refused, or `Drop.NONE` when it was taken. Refusals are counted and traced,
 * never thrown.
 */
export const Drop = {
  NONE: 0,
  /** shorter or longer than the format allows, or a field that no sender may write */
  MALFORMED: 1,
  /** an opcode that this role never receives */
  BAD_OPCODE: 2,
  /** a HMAC or AEAD tag that is not the key's */
  BAD_AUTH: 3,
  /** a packet id that was seen, is too old, or is zero */
  REPLAY: 4,
  /** not the session id that the first reset fixed, or an ACK block meant for somebody else */
  WRONG_SESSION: 5,
  /** a key id for which no key or no reliability state exists */
  UNKNOWN_KEY: 6,
  /** further ahead than the receive window */
  OUT_OF_WINDOW: 7,
  /** already received; acknowledged again */
  DUPLICATE: 8,
  /** the next channel is full */
  NO_ROOM: 9,
  /** legal, but not in this state */
  UNEXPECTED: 10,
  /** a compressed payload, or a framing that was not agreed */
  COMPRESSED: 11,
  /** an inner packet that no honest peer sends: wrong length, spoofed or martian address */
  MARTIAN: 12,
  /** an inner checksum that does not add up */
  BAD_CHECKSUM: 13,
  /** nobody listens there */
  NO_SOCKET: 14,
  /** more than the rate that is answered */
  RATE_LIMITED: 15,
} as const;
export type Drop = (typeof Drop)[keyof typeof Drop];

/** Drop reasons by number, lower case, for counters and traces. */
export const DROP_NAMES: readonly string[] = Object.keys(Drop).map((name) =>
  name.toLowerCase().replaceAll('_', '-'),
);

/** A protocol machine: synchronous, no clock, no sockets, no events of its own. */
export interface Machine<Below, Above> {
  /** feed one item that came up */
  fromBelow(item: Below, now: Millis): Drop;
  /** feed one item that came down */
  fromAbove(item: Above, now: Millis): Drop;
  /** false while the window is full: leave the item in the channel */
  acceptsFromAbove(): boolean;
  /** next item owed to the layer below */
  takeDown(now: Millis): Below | undefined;
  /** next item owed to the layer above */
  takeUp(): Above | undefined;
  /** `Infinity` for never */
  nextTimeout(): Millis;
  /** early or repeated calls do nothing */
  onTimeout(now: Millis): void;
}

/** Counts drops by reason; one per layer. */
export class DropCounter {
  readonly #counts = new Array<number>(DROP_NAMES.length).fill(0);

  count(drop: Drop): void {
    if (drop !== Drop.NONE) this.#counts[drop] = (this.#counts[drop] ?? 0) + 1;
  }

  of(drop: Drop): number {
    return this.#counts[drop] ?? 0;
  }

  /** Reasons that occurred, by name. */
  snapshot(): Record<string, number> {
    const entries = DROP_NAMES.map((name, drop) => [name, this.#counts[drop] ?? 0] as const);
    return Object.fromEntries(entries.filter(([, count]) => count > 0));
  }
}
