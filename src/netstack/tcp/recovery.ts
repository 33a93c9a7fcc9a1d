import { serialAdd, serialDiff, serialLess } from '../../core/serial.ts';
import type { Congestion } from './congestion.ts';
import type { Flight } from './flight.ts';

/** Duplicate acknowledgements that mean loss and not reordering (RFC 5681 §3.2). */
const DUPLICATE_THRESHOLD = 3;

/**
 * Finds lost segments by duplicate acknowledgements and repairs one each round trip: NewReno
 * (RFC 6582). A duplicate says that one segment has left the network, so it makes room for
 * another one (which gives the limited transmit of RFC 3042 too).
 */
export class Recovery {
  readonly #flight: Flight;
  readonly #congestion: Congestion;
  #active = false;
  #duplicates = 0;
  /** Recovery ends when all before this is acknowledged. */
  #recover = 0;
  /** Duplicates for less than this may be echoes of what was sent again. */
  #trustedFrom: number;

  /** @param sequence the initial sequence number */
  constructor(flight: Flight, congestion: Congestion, sequence: number) {
    this.#flight = flight;
    this.#congestion = congestion;
    this.#trustedFrom = sequence;
  }

  /** While true, what is marked lost is sent without regard to the window. */
  get active(): boolean {
    return this.#active;
  }

  /** Segments that have arrived beyond the first missing one. */
  get arrivedBeyond(): number {
    return this.#duplicates;
  }

  onDuplicateAck(sndUna: number, sndNxt: number): void {
    if (!this.#active && serialLess(sndUna, this.#trustedFrom)) return;
    if (this.#duplicates + 1 < this.#flight.size) this.#duplicates += 1;
    else if (!this.#active) return;
    if (this.#active || this.#duplicates < DUPLICATE_THRESHOLD) return;
    this.#active = true;
    this.#recover = sndNxt;
    this.#congestion.onLoss(serialDiff(sndNxt, sndUna));
    this.#flight.markFirstLost();
  }

  /** `bytes` up to `acknowledgment` were acknowledged, `inFlight` are left. */
  onNewAck(acknowledgment: number, bytes: number, inFlight: number, mss: number): void {
    if (serialLess(this.#trustedFrom, acknowledgment)) this.#trustedFrom = acknowledgment;
    if (!this.#active) {
      this.#duplicates = 0;
      return;
    }
    if (!serialLess(acknowledgment, this.#recover)) {
      this.#active = false;
      this.#duplicates = 0;
      this.#congestion.onRecovered(inFlight);
      return;
    }
    const arrivedBefore = Math.ceil(bytes / mss) - 1;
    this.#duplicates = Math.max(0, this.#duplicates - arrivedBefore);
    this.#flight.markFirstLost();
  }

  /** The retransmission timer fired: start over from the oldest segment. */
  onTimeout(sndNxt: number): void {
    this.#active = false;
    this.#duplicates = 0;
    this.#trustedFrom = serialAdd(sndNxt, 1);
    this.#flight.markAllLost();
  }
}
