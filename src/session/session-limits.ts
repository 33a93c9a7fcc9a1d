import { OvpnTimeoutError } from '../core/errors.ts';
import type { Millis } from '../core/machine.ts';
import type { Service } from '../core/pump.ts';
import type { Profile } from '../model/profile.ts';
import type { PushOptions } from '../model/push-options.ts';

const NEVER: Millis = Number.POSITIVE_INFINITY;

/** Unit of times: milliseconds; 0 is off. */
export interface SessionLimitsOptions {
  /** Leave when less than `bytes` of data passed, both ways together, in `ms`. */
  readonly inactive: Profile['inactive'];
  /** Leave after so long, whatever passes. */
  readonly sessionTimeoutMs: Millis;
}

/** The limits in force: what was pushed, else the profile's. */
export function limitsOf(
  push: Pick<PushOptions, 'inactiveMs' | 'inactiveBytes' | 'sessionTimeoutMs'>,
  profile: Partial<Pick<Profile, 'inactive' | 'sessionTimeoutMs'>>,
): SessionLimitsOptions {
  const { inactive = OFF, sessionTimeoutMs = 0 } = profile;
  return {
    inactive:
      push.inactiveMs === undefined
        ? inactive
        : { ms: push.inactiveMs, bytes: push.inactiveBytes ?? 0 },
    sessionTimeoutMs: push.sessionTimeoutMs ?? sessionTimeoutMs,
  };
}

/**
 * Ends a session that carries too little (`inactive`) or has lasted too long (`session-timeout`).
 * Only data counts: pings and the control channel do not. The deadline follows the traffic lazily: it
 * is moved when it is reached, so that packets set no timers.
 */
export class SessionLimits implements Service {
  readonly name = 'session';
  readonly #dataBytes: () => number;
  readonly #onOver: (error: OvpnTimeoutError) => void;
  #options: SessionLimitsOptions = { inactive: OFF, sessionTimeoutMs: 0 };
  #beganAt: Millis | undefined;
  #activeAt: Millis = 0;
  /** Of the data when it was last enough. */
  #countedBytes = 0;
  #inactiveAt: Millis = NEVER;
  #overAt: Millis = NEVER;

  /**
   * @param dataBytes how many bytes of IP packets have passed so far
   * @param onOver called once
   */
  constructor(dataBytes: () => number, onOver: (error: OvpnTimeoutError) => void) {
    this.#dataBytes = dataBytes;
    this.#onOver = onOver;
  }

  /** Replaces what was configured before; the session began with the first call. */
  configure(options: SessionLimitsOptions, now: Millis): void {
    if (this.#beganAt === undefined) {
      this.#beganAt = now;
      this.#activeAt = now;
    }
    const { inactive, sessionTimeoutMs } = options;
    this.#options = options;
    this.#inactiveAt = inactive.ms > 0 ? this.#activeAt + inactive.ms : NEVER;
    this.#overAt = sessionTimeoutMs > 0 ? this.#beganAt + sessionTimeoutMs : NEVER;
  }

  /** Looks whether enough has passed since it was last enough. */
  endOfBurst(now: Millis): void {
    if (this.#inactiveAt === NEVER) return;
    const bytes = this.#dataBytes();
    if (bytes === this.#countedBytes) return;
    if (bytes - this.#countedBytes < this.#options.inactive.bytes) return;
    this.#countedBytes = bytes;
    this.#activeAt = now;
  }

  nextTimeout(): Millis {
    return Math.min(this.#inactiveAt, this.#overAt);
  }

  onTimeout(now: Millis): void {
    // What came in this run was not looked at yet.
    this.endOfBurst(now);
    const { inactive, sessionTimeoutMs } = this.#options;
    if (this.#overAt <= now) {
      this.#end('OVPN_SESSION_TIMEOUT', 'session-timeout', sessionTimeoutMs, 'the session is over');
      return;
    }
    if (this.#inactiveAt > now) return;
    this.#inactiveAt = this.#activeAt + inactive.ms;
    if (this.#inactiveAt > now) return;
    this.#end('OVPN_INACTIVE', 'inactive', inactive.ms, 'too little has passed through the tunnel');
  }

  #end(
    code: 'OVPN_SESSION_TIMEOUT' | 'OVPN_INACTIVE',
    phase: string,
    timeoutMs: Millis,
    what: string,
  ): void {
    this.#inactiveAt = NEVER;
    this.#overAt = NEVER;
    this.#onOver(
      new OvpnTimeoutError(code, `${what} (${phase}, ${timeoutMs / 1000} s)`, {
        layer: 'session',
        retryable: false,
        initiator: 'user',
        phase,
        timeoutMs,
      }),
    );
  }
}

const OFF = { ms: 0, bytes: 0 };
