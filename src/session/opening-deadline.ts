import { OvpnTimeoutError } from '../core/errors.ts';
import type { Millis } from '../core/machine.ts';
import type { Service } from '../core/pump.ts';
import type { Profile } from '../model/profile.ts';

/**
 * How long the server may stay silent: until its answer to the hard reset, `server-poll-timeout`
 * or `hand-window`, whichever is shorter.
 */
export class OpeningDeadline implements Service {
  readonly name = 'session';
  readonly #wrapped: boolean;
  readonly #protocol: 'udp' | 'tcp';
  readonly #timeoutMs: number;
  readonly #onSilence: (error: Error) => void;
  #at: Millis = Number.POSITIVE_INFINITY;
  #answered = false;

  constructor(
    settings: Pick<Profile, 'wrap' | 'serverPollTimeoutMs' | 'handWindowMs'>,
    protocol: 'udp' | 'tcp',
    onSilence: (error: Error) => void,
  ) {
    this.#wrapped = settings.wrap.kind !== 'none';
    this.#protocol = protocol;
    this.#timeoutMs = Math.min(settings.serverPollTimeoutMs, settings.handWindowMs);
    this.#onSilence = onSilence;
  }

  begin(now: Millis): void {
    this.#at = now + this.#timeoutMs;
  }

  /** An authentic packet of the server has come. */
  answered(): void {
    this.#answered = true;
    this.#at = Number.POSITIVE_INFINITY;
  }

  nextTimeout(): Millis {
    return this.#at;
  }

  onTimeout(now: Millis): void {
    if (now < this.#at) return;
    this.#at = Number.POSITIVE_INFINITY;
    const error = this.silence(this.#timeoutMs);
    if (error !== undefined) this.#onSilence(error);
  }

  /**
   * With a control wrap, a server with another key drops our packets unanswered: silence then has
   * two causes that nobody can tell apart from here.
   */
  silence(timeoutMs: number): OvpnTimeoutError | undefined {
    if (this.#answered) return undefined;
    const seconds = Number((timeoutMs / 1000).toFixed(3));
    const options = { layer: 'session', phase: 'hard reset', timeoutMs };
    if (this.#wrapped) {
      return new OvpnTimeoutError(
        'OVPN_WRAP_UNANSWERED',
        `expected an answer to the hard reset within ${seconds} s, got none that the tls-crypt key opens: the server is down, or its tls-crypt key is not the profile's`,
        options,
      );
    }
    return new OvpnTimeoutError(
      'OVPN_SERVER_SILENT',
      `expected an answer to the hard reset within ${seconds} s, got none: no OpenVPN server on that ${this.#protocol} port, a firewall in between, or a server that wants a control wrap (tls-auth, tls-crypt)`,
      options,
    );
  }
}
