import type { Millis } from '../core/machine.ts';

/** A remote as the walk sees it. */
export interface WalkStop {
  /** See `Profile.connectRetry`; its `<connection>` block may have its own. */
  readonly connectRetry: { readonly firstMs: Millis; readonly maxMs: Millis };
}

/**
 * Where to go from a failure: `again` the same address at once, `stay` the same address after a
 * pause, `address` the next one of the remote, `remote` the next remote.
 */
export type WalkStep = 'again' | 'stay' | 'address' | 'remote';

/** Rounds with the first pause; each later one doubles it (OpenVPN manual, `--connect-retry`). */
export const ROUNDS_BEFORE_GROWTH = 5;

/** Most tries of one address without a pause: a server must not make us run in circles. */
export const MAX_TRIES_AT_ONCE = 5;

/**
 * Which remote and which of its addresses is tried next, and after how long:
 *
 *     remote 0: address 0 ─▶ address 1 ─▶ … ─▶ remote 1: address 0 ─▶ … ─▶ the last
 *        ▲                                                                    │
 *        └────────── a round is over: pause, 1 s at first (connect-retry) ◀───┘
 *
 * `arrived` starts the count of rounds anew; the place stays where it is.
 */
export class RemoteWalk {
  readonly #stops: readonly WalkStop[];
  #remote = 0;
  #addresses = 0;
  #address = 0;
  #rounds = 0;
  #triesAtOnce = 0;

  /** @param stops the remotes in the order in which they are tried, at least one */
  constructor(stops: readonly WalkStop[]) {
    this.#stops = stops;
  }

  /** Index of the remote that is tried. */
  get remote(): number {
    return this.#remote;
  }

  /** Index of its address that is tried. */
  get address(): number {
    return this.#address;
  }

  /** Whether the addresses of the remote are not known, or were forgotten. */
  get wantsAddresses(): boolean {
    return this.#addresses === 0;
  }

  /** Rounds that failed since a session was up. */
  get rounds(): number {
    return this.#rounds;
  }

  /** The remote's name has so many addresses, at least one: the walk goes over them. */
  resolved(addresses: number): void {
    this.#addresses = addresses;
    this.#address = 0;
  }

  /** Goes to an address of a remote that has so many. */
  goTo(remote: number, address: number, addresses: number): void {
    this.#remote = remote;
    this.#address = address;
    this.#addresses = addresses;
  }

  /** A session is up. */
  arrived(): void {
    this.#rounds = 0;
    this.#triesAtOnce = 0;
  }

  /** The network is another one: tries this remote again, its name looked up anew. */
  startOver(): void {
    this.arrived();
    this.#forgetAddresses();
  }

  /**
   * A try failed: moves on.
   *
   * @param backoffMs the least pause, as the server asks for it
   * @returns the pause before the next try; undefined when that was the last of `maxRounds`
   */
  failed(step: WalkStep, backoffMs: Millis, maxRounds: number): Millis | undefined {
    const roundIsOver = this.#move(step);
    if (!roundIsOver) return backoffMs;
    this.#rounds += 1;
    return this.#rounds >= maxRounds ? undefined : Math.max(this.#pauseMs(), backoffMs);
  }

  /**
   * A session that was up has ended: moves on. That is no failed round, but the first pause comes
   * before the next one, or a server could make us connect in circles.
   *
   * @returns the pause before the next try
   */
  left(step: WalkStep, backoffMs: Millis): Millis {
    this.arrived();
    const roundIsOver = this.#move(step);
    return roundIsOver || step === 'again' ? Math.max(this.#pauseMs(), backoffMs) : backoffMs;
  }

  /** Whether a round over all remotes is over; one address that is kept after a pause is one, too. */
  #move(step: WalkStep): boolean {
    if (step === 'again' && this.#triesAtOnce < MAX_TRIES_AT_ONCE) {
      this.#triesAtOnce += 1;
      return false;
    }
    this.#triesAtOnce = 0;
    if (step === 'stay' || step === 'again') return true;
    if (step === 'address' && this.#address + 1 < this.#addresses) {
      this.#address += 1;
      return false;
    }
    this.#forgetAddresses();
    this.#remote = (this.#remote + 1) % this.#stops.length;
    return this.#remote === 0;
  }

  /** Of the remote that is tried next. */
  #pauseMs(): Millis {
    const { firstMs, maxMs } = this.#stops[this.#remote]?.connectRetry ?? NO_PAUSE;
    const doublings = Math.max(this.#rounds - ROUNDS_BEFORE_GROWTH, 0);
    return Math.min(firstMs * 2 ** doublings, Math.max(maxMs, firstMs));
  }

  #forgetAddresses(): void {
    this.#addresses = 0;
    this.#address = 0;
  }
}

const NO_PAUSE = { firstMs: 0, maxMs: 0 };
