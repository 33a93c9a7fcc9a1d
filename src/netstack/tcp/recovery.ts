import type { Millis } from '../../core/machine.ts';
import { serialAdd, serialLess } from '../../core/serial.ts';
import type { Congestion } from './congestion.ts';
import { DuplicateAcks } from './duplicate-acks.ts';
import { Prr } from './prr.ts';
import { SpuriousRecovery } from './spurious-recovery.ts';

/** What is being repaired. */
export const Phase = {
  /** nothing, as far as we know */
  NONE: 0,
  /** what acknowledgements showed to be lost (fast recovery) */
  LOSS: 1,
  /** all that was in flight when the retransmission timer fired */
  TIMEOUT: 2,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/**
 * Whether and how loss is being repaired. Finding it is not its business.
 *
 *              loss found                   all sent before has arrived, or nothing was lost
 *     NONE ──────────────▶ LOSS ──────────────▶ NONE
 *       └──── timer ──▶ TIMEOUT ◀── timer ──┘ (from LOSS)
 *
 * With SACK the window follows PRR (RFC 9937); without, one hole is repaired each round trip
 * (RFC 6582), without regard to the window.
 */
export class Recovery {
  readonly duplicates: DuplicateAcks;
  readonly spurious: SpuriousRecovery = new SpuriousRecovery();
  readonly #congestion: Congestion;
  readonly #prr = new Prr();
  #phase: Phase = Phase.NONE;
  #selective = false;
  #firstOwed = false;
  /** Recovery ends when all before this is acknowledged. */
  #recover: number;
  /** The window was reduced; the peer knows when it acknowledges more than this. */
  #reducedUntil: number;
  /** Recoveries that were undone. */
  undone = 0;

  /** @param sequence the initial sequence number */
  constructor(congestion: Congestion, sequence: number) {
    this.#congestion = congestion;
    this.duplicates = new DuplicateAcks(sequence);
    this.#recover = sequence;
    this.#reducedUntil = serialAdd(sequence, -1);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** What is lost may be sent whatever the window says: the first of it, and without SACK. */
  get ignoresWindow(): boolean {
    return this.#firstOwed || (this.#phase === Phase.LOSS && !this.#selective);
  }

  /** Whether all is acknowledged that was sent before recovery began. */
  isOver(sndUna: number): boolean {
    return this.#phase !== Phase.NONE && !serialLess(sndUna, this.#recover);
  }

  /** Whether acknowledgements up to `sndUna` may open the window. */
  mayGrow(sndUna: number): boolean {
    return this.#phase !== Phase.LOSS && serialLess(this.#reducedUntil, sndUna);
  }

  /** All before `sndUna` is acknowledged. */
  onProgress(sndUna: number): void {
    const last = serialAdd(sndUna, -1);
    if (serialLess(this.#reducedUntil, last)) this.#reducedUntil = last;
  }

  /**
   * Loss was found.
   * @param selective whether the peer SACKs
   * @param undelivered bytes that had not arrived before this acknowledgement
   * @param windowInUse bytes that were in flight
   */
  begin(
    selective: boolean,
    sndUna: number,
    sndNxt: number,
    undelivered: number,
    windowInUse: number,
    now: Millis,
  ): void {
    this.#phase = Phase.LOSS;
    this.#selective = selective;
    this.#firstOwed = true;
    this.#recover = sndNxt;
    this.#reducedUntil = serialAdd(sndUna, -1);
    this.spurious.begin('loss', sndUna, sndNxt);
    this.#congestion.onLoss(windowInUse, now);
    this.#prr.begin(undelivered, this.#congestion.ssthresh);
  }

  /** @param repeated nothing was acknowledged since the last one */
  beginAfterTimeout(
    repeated: boolean,
    sndUna: number,
    sndNxt: number,
    windowInUse: number,
    now: Millis,
  ): void {
    this.#phase = Phase.TIMEOUT;
    this.#firstOwed = true;
    this.#recover = sndNxt;
    this.#reducedUntil = serialAdd(sndUna, -1);
    this.spurious.begin('timeout', sndUna, sndNxt);
    this.duplicates.onTimeout(sndNxt);
    if (repeated) this.#congestion.onRepeatedTimeout();
    else this.#congestion.onTimeout(windowInUse, now);
  }

  /** An acknowledgement of `delivered` bytes: what may be sent for it (RFC 9937). */
  pace(delivered: number, pipe: number, safe: boolean, mss: number): void {
    if (this.#phase !== Phase.LOSS || !this.#selective) return;
    this.#congestion.holdTo(this.#prr.onAck(delivered, pipe, safe, mss));
  }

  /** A segment was sent again, with `timestamp` in it (-1 without). */
  onResend(sequence: number, bytes: number, timestamp: number): void {
    this.#firstOwed = false;
    this.spurious.onResend(sequence, bytes, timestamp);
    this.#prr.onSent(bytes);
  }

  /** A segment was sent for the first time. */
  onNewData(sequence: number, bytes: number): void {
    this.spurious.onNewData(sequence);
    this.#prr.onSent(bytes);
  }

  /** All that was lost has arrived; `inFlight` bytes are out. */
  end(inFlight: number, now: Millis): void {
    if (this.#phase === Phase.LOSS) this.#congestion.onRecovered(inFlight, now);
    this.#phase = Phase.NONE;
    this.#firstOwed = false;
    this.spurious.end();
  }

  /** New data told that loss is real (RFC 5682 §3.1 step 3a): it fills the window, repair goes on. */
  resume(): void {
    this.#firstOwed = true;
  }

  /** Nothing was lost. */
  undo(now: Millis): void {
    this.#congestion.onSpurious(now);
    this.#phase = Phase.NONE;
    this.#firstOwed = false;
    this.undone += 1;
  }

  /**
   * The path is full, as the peer's echo says or a loss that is repaired already (RFC 3168 §6.1.2):
   * the window shrinks, once for all that is in flight. False: it did already.
   * @param windowInUse bytes that were in flight
   */
  reduce(sndUna: number, sndNxt: number, windowInUse: number, now: Millis): boolean {
    if (this.#phase !== Phase.NONE || !serialLess(this.#reducedUntil, sndUna)) return false;
    this.#reducedUntil = sndNxt;
    this.spurious.begin('loss', sndUna, sndNxt);
    this.spurious.end();
    this.#congestion.onLoss(windowInUse, now);
    return true;
  }
}
