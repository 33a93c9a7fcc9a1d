import { OvpnTimeoutError } from '../core/errors.ts';
import type { Millis } from '../core/machine.ts';
import type { LinkActivity } from '../model/link-activity.ts';

const NEVER: Millis = Number.POSITIVE_INFINITY;

/** Unit: milliseconds; 0 is off. */
export interface KeepaliveOptions {
  /** Send a ping when nothing was sent for so long. */
  readonly pingMs: Millis;
  /** Give up, to try again, when nothing authentic came for so long. */
  readonly pingRestartMs: Millis;
  /** Give up for good when nothing authentic came for so long. */
  readonly pingExitMs: Millis;
}

/**
 * Owes a ping when we were silent, and an error when the peer was. Deadlines follow the activity
 * lazily: they are moved when they are reached, so that traffic sets no timers.
 */
export class Keepalive {
  readonly #activity: LinkActivity;
  #options: KeepaliveOptions = { pingMs: 0, pingRestartMs: 0, pingExitMs: 0 };
  #pingAt: Millis = NEVER;
  #restartAt: Millis = NEVER;
  #exitAt: Millis = NEVER;
  #pingOwed = false;
  #timeout: OvpnTimeoutError | undefined;

  constructor(activity: LinkActivity) {
    this.#activity = activity;
  }

  /** Replaces what was configured before. Time counts from the last activity. */
  configure(options: KeepaliveOptions): void {
    const { receivedAt, sentAt } = this.#activity;
    this.#options = options;
    this.#pingAt = deadline(sentAt, options.pingMs);
    this.#restartAt = deadline(receivedAt, options.pingRestartMs);
    this.#exitAt = deadline(receivedAt, options.pingExitMs);
  }

  nextTimeout(): Millis {
    return Math.min(this.#pingAt, this.#restartAt, this.#exitAt);
  }

  onTimeout(now: Millis): void {
    const { receivedAt, sentAt } = this.#activity;
    const { pingMs, pingRestartMs, pingExitMs } = this.#options;
    if (this.#pingAt <= now) {
      this.#pingOwed = sentAt + pingMs <= now;
      this.#pingAt = (this.#pingOwed ? now : sentAt) + pingMs;
    }
    if (this.#restartAt <= now) {
      this.#restartAt = receivedAt + pingRestartMs;
      if (this.#restartAt <= now) this.#giveUp('ping-restart', pingRestartMs);
    }
    if (this.#exitAt <= now) {
      this.#exitAt = receivedAt + pingExitMs;
      if (this.#exitAt <= now) this.#giveUp('ping-exit', pingExitMs);
    }
  }

  /** Whether a ping is to be sent now; says so once. */
  takePing(): boolean {
    const owed = this.#pingOwed;
    this.#pingOwed = false;
    return owed;
  }

  /** The peer is silent for too long; says so once. */
  takeTimeout(): OvpnTimeoutError | undefined {
    const timeout = this.#timeout;
    this.#timeout = undefined;
    return timeout;
  }

  #giveUp(phase: 'ping-restart' | 'ping-exit', timeoutMs: Millis): void {
    this.#pingAt = NEVER;
    this.#restartAt = NEVER;
    this.#exitAt = NEVER;
    this.#pingOwed = false;
    this.#timeout = new OvpnTimeoutError(
      'OVPN_PING_TIMEOUT',
      `expected a packet from the server within ${timeoutMs / 1000} s, got none`,
      { layer: 'datachannel', retryable: phase === 'ping-restart', phase, timeoutMs },
    );
  }
}

function deadline(since: Millis, interval: Millis): Millis {
  return interval === 0 ? NEVER : since + interval;
}
