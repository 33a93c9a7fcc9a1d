import type { Millis } from '../../core/machine.ts';
import { serialLess, serialLessOrEqual } from '../../core/serial.ts';

/** Longest wait of a receiver for company before it acknowledges one segment (RFC 8985 §7.2). */
export const DELAYED_ACK_ALLOWANCE_MS: Millis = 200;
/** Round trips below this are less than what a busy host takes to answer. */
export const MIN_PROBE_DELAY_MS: Millis = 10;
/** While no round trip was measured. */
const INITIAL_DELAY_MS: Millis = 1_000;

/**
 * The tail loss probe (RFC 8985 §7): when the last segments of a flight get no answer, one is sent
 * whose answer tells what is missing, long before the retransmission timer fires.
 */
export class LossProbe {
  #outstanding = false;
  #end = 0;
  #again = false;
  /** A probe waits to be sent. */
  owed = false;
  /** Probes sent. */
  count = 0;

  /** Whether a probe was sent whose fate is open. */
  get outstanding(): boolean {
    return this.#outstanding;
  }

  /** How long to wait for an answer to `fullSegments` in flight: for less than two it may be delayed. */
  delayMs(smoothedMs: Millis, fullSegments: number): Millis {
    if (smoothedMs === 0) return INITIAL_DELAY_MS;
    const delay = Math.max(2 * smoothedMs, MIN_PROBE_DELAY_MS);
    return fullSegments < 2 ? delay + DELAYED_ACK_ALLOWANCE_MS : delay;
  }

  /** The probe is out. @param end all before this was sent; @param again it was new, or not */
  sent(end: number, again: boolean): void {
    this.owed = false;
    this.count += 1;
    this.#outstanding = true;
    this.#end = end;
    this.#again = again;
  }

  /** Whether the peer reports with this that it got the probe beside the original. */
  isDuplicate(start: number, end: number): boolean {
    const covers = serialLess(start, this.#end) && serialLessOrEqual(this.#end, end);
    return this.#outstanding && this.#again && covers;
  }

  /**
   * An acknowledgement up to `acknowledgment`; `duplicate`: the peer got the probe and the original.
   * True: the probe repaired a loss, which nothing else will tell (§7.4).
   */
  onAck(acknowledgment: number, duplicate: boolean): boolean {
    if (!this.#outstanding || serialLess(acknowledgment, this.#end)) return false;
    if (!this.#again || duplicate) {
      this.#outstanding = false;
      return false;
    }
    if (!serialLess(this.#end, acknowledgment)) return false;
    this.#outstanding = false;
    return true;
  }

  /** Loss recovery begins: the probe has told what it could. */
  clear(): void {
    this.#outstanding = false;
    this.owed = false;
  }
}
