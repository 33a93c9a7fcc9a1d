import type { Cancel, Clock } from '../core/clock.ts';
import type { Millis } from '../core/machine.ts';
import type { IpAddress } from '../netstack/ip-address.ts';
import type { UnreachableKind } from '../netstack/unreachable.ts';

/** What became of one probe. */
export interface ProbeOutcome {
  /** Who answered; undefined when nobody did. */
  readonly from: IpAddress | undefined;
  /** Round-trip time; undefined without an answer. Unit: milliseconds. */
  readonly ms: Millis | undefined;
  readonly reason: 'reply' | 'timed-out' | UnreachableKind;
  /** What a `too-big` answer names. Unit: bytes. */
  readonly mtu: number;
}

interface OpenProbe {
  readonly sentAt: Millis;
  readonly cancelTimer: Cancel;
  resolve(outcome: ProbeOutcome): void;
  reject(error: Error): void;
}

/** Probes that are on their way, by number, and how long each may take. */
export class OpenProbes {
  readonly #clock: Clock;
  readonly #timeoutMs: Millis;
  readonly #open = new Map<number, OpenProbe>();
  #error: Error | undefined;

  constructor(clock: Clock, timeoutMs: Millis) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** The probe `number` leaves now. Rejects with what `close` is given. */
  begin(number: number): Promise<ProbeOutcome> {
    const sentAt = this.#clock.now();
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) {
        reject(this.#error);
        return;
      }
      const cancelTimer = this.#clock.setTimer(sentAt + this.#timeoutMs, () => {
        this.#open.delete(number);
        resolve(SILENCE);
      });
      this.#open.set(number, { sentAt, cancelTimer, resolve, reject });
    });
  }

  /** An answer came; one that nobody waits for is ignored. */
  settle(number: number, answer: Omit<ProbeOutcome, 'ms'>, at: Millis = this.#clock.now()): void {
    const probe = this.#open.get(number);
    if (probe === undefined) return;
    this.#open.delete(number);
    probe.cancelTimer();
    probe.resolve({ ...answer, ms: at - probe.sentAt });
  }

  /** Gives up all that are on their way, and any that would follow. Later calls do nothing. */
  close(error: Error): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    for (const { cancelTimer, reject } of this.#open.values()) {
      cancelTimer();
      reject(error);
    }
    this.#open.clear();
  }
}

const SILENCE: ProbeOutcome = { from: undefined, ms: undefined, reason: 'timed-out', mtu: 0 };
