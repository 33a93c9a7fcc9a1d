import { serialAdd, serialDiff, serialLess } from '../../core/serial.ts';

/** What made recovery begin. */
export type RecoveryCause = 'loss' | 'timeout';
/** What an acknowledgement tells about it. */
export type RecoveryVerdict = 'unknown' | 'spurious' | 'genuine';

/** The steps of RFC 5682 §3.1. */
const Frto = { OFF: 0, WAITS: 2, PROBES: 3 } as const;
type Frto = (typeof Frto)[keyof typeof Frto];

const NO_TIMESTAMP = -1;

/**
 * Finds out that what was sent again had not been lost but late, so that the window can be given
 * back. Three witnesses, each enough:
 *
 * - **Eifel** (RFC 3522): the acknowledgement of the segment that was sent again first echoes a
 *   timestamp from before that, so it answers the original.
 * - **F-RTO** (RFC 5682), where there are no timestamps: after a timeout one segment goes again,
 *   then new data; what is acknowledged next had been sent once only.
 * - **D-SACK** (RFC 3708): the peer reports every byte that was sent again as a duplicate. It does
 *   so a round trip later, so this one keeps watching when recovery is over.
 *
 * A peer that lies gets back the window it had, and no more.
 *
 *     timeout ──▶ WAITS ── acknowledges a part ──▶ PROBES ── what was sent once ──▶ spurious
 *                   └─ all, or nothing ─▶ genuine ◀─┘ nothing, or a probe
 */
export class SpuriousRecovery {
  #active = false;
  #watching = false;
  #cause: RecoveryCause = 'loss';
  #frto: Frto = Frto.OFF;
  /** All before this was sent before recovery, or before the first probe. */
  #recover = 0;
  #probed = false;
  /** Where the segment ends that was sent again first, and its timestamp. */
  #firstEnd = 0;
  #firstTimestamp: number = NO_TIMESTAMP;
  /** What was sent again lies between these. */
  #low = 0;
  #high = 0;
  /** Bytes sent again, and those of them that no duplicate was reported for. */
  #resent = 0;
  #unreported = 0;

  /** Whether new data should go out now, as far as the windows let it, and nothing again. */
  get probesWithNewData(): boolean {
    return this.#active && this.#frto === Frto.PROBES;
  }

  /**
   * Recovery begins; nothing was sent again yet. A timeout after a timeout without progress goes
   * on with the same recovery: the witness remains what was sent again first.
   */
  begin(cause: RecoveryCause, sndUna: number, sndNxt: number): void {
    const isTimeout = cause === 'timeout';
    if (isTimeout && this.#watching && this.#cause === cause && this.#low === sndUna) return;
    this.#active = true;
    this.#watching = true;
    this.#cause = cause;
    this.#frto = isTimeout ? Frto.WAITS : Frto.OFF;
    this.#recover = sndNxt;
    this.#probed = false;
    this.#firstTimestamp = NO_TIMESTAMP;
    this.#low = sndUna;
    this.#high = sndUna;
    this.#resent = 0;
    this.#unreported = 0;
  }

  /** A segment goes out again, with `timestamp` in it (-1 without). */
  onResend(sequence: number, bytes: number, timestamp: number): void {
    if (!this.#watching) return;
    const end = serialAdd(sequence, bytes);
    if (this.#resent === 0) {
      this.#firstEnd = end;
      this.#firstTimestamp = timestamp;
    }
    if (timestamp !== NO_TIMESTAMP || this.#frto === Frto.PROBES) this.#frto = Frto.OFF;
    if (serialLess(this.#high, end)) this.#high = end;
    this.#resent += bytes;
    this.#unreported += bytes;
  }

  /** A segment that begins at `sequence` goes out for the first time. */
  onNewData(sequence: number): void {
    if (this.#frto !== Frto.PROBES || this.#probed) return;
    this.#probed = true;
    this.#recover = sequence;
  }

  /**
   * The peer reports that it got `start` to `end` twice (RFC 2883). True, once, when it has so
   * reported all that was sent again: recovery was spurious.
   */
  onDuplicate(start: number, end: number): boolean {
    if (!this.#watching || this.#resent === 0) return false;
    const from = serialLess(start, this.#low) ? this.#low : start;
    const to = serialLess(this.#high, end) ? this.#high : end;
    this.#unreported -= Math.max(serialDiff(to, from), 0);
    if (this.#unreported > 0) return false;
    this.#clear();
    return true;
  }

  /**
   * An acknowledgement came that is no mere window update.
   * @param echo the timestamp it echoes; -1 without
   * @param advanced whether it acknowledged more than any before
   * @param sackedNew whether its SACK blocks told of something not known before
   */
  onAck(
    acknowledgment: number,
    echo: number,
    advanced: boolean,
    sackedNew: boolean,
  ): RecoveryVerdict {
    if (!this.#active || this.#resent === 0) return 'unknown';
    const verdict =
      this.#firstTimestamp === NO_TIMESTAMP
        ? this.#asFrto(acknowledgment, advanced, sackedNew)
        : this.#asEifel(acknowledgment, echo);
    if (verdict === 'spurious') this.#clear();
    else if (verdict === 'genuine') this.end();
    return verdict;
  }

  /** Recovery is over, or there is nothing to probe with: only D-SACK may tell more. */
  end(): void {
    this.#active = false;
    this.#frto = Frto.OFF;
  }

  #asEifel(acknowledgment: number, echo: number): RecoveryVerdict {
    if (serialLess(acknowledgment, this.#firstEnd)) return 'unknown';
    return echo !== NO_TIMESTAMP && serialLess(echo, this.#firstTimestamp) ? 'spurious' : 'genuine';
  }

  #asFrto(acknowledgment: number, advanced: boolean, sackedNew: boolean): RecoveryVerdict {
    if (this.#frto === Frto.OFF) return 'unknown';
    if (!advanced && !sackedNew) return 'genuine';
    return this.#frto === Frto.WAITS
      ? this.#afterResend(acknowledgment, advanced)
      : this.#afterProbes(acknowledgment, advanced);
  }

  /** RFC 5682 §3.1, step 2. */
  #afterResend(acknowledgment: number, advanced: boolean): RecoveryVerdict {
    if (!advanced || serialLess(acknowledgment, this.#firstEnd)) return 'unknown';
    if (!serialLess(acknowledgment, this.#recover)) return 'genuine';
    this.#frto = Frto.PROBES;
    return 'unknown';
  }

  /**
   * Step 3. What was selectively acknowledged now may be a probe, which tells that there are
   * gaps before it, or the original of something: only the latter when there was no probe.
   */
  #afterProbes(acknowledgment: number, advanced: boolean): RecoveryVerdict {
    if (!advanced) return this.#probed ? 'genuine' : 'spurious';
    if (!serialLess(this.#high, acknowledgment)) return 'unknown';
    return serialLess(this.#recover, acknowledgment) ? 'genuine' : 'spurious';
  }

  #clear(): void {
    this.end();
    this.#watching = false;
  }
}
