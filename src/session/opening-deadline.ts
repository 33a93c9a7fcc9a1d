import { OvpnTimeoutError } from '../core/errors.ts';
import type { Millis } from '../core/machine.ts';
import type { Service } from '../core/pump.ts';
import type { ControlWrapOptions } from '../model/control-wrap-options.ts';
import type { Profile } from '../model/profile.ts';

/**
 * How long the server may stay silent: until its answer to the hard reset, `server-poll-timeout`
 * or `hand-window`, whichever is shorter.
 */
export class OpeningDeadline implements Service {
  readonly name = 'session';
  readonly #wrap: ControlWrapOptions['kind'];
  readonly #protocol: 'udp' | 'tcp';
  readonly #timeoutMs: number;
  readonly #onSilence: (error: Error) => void;
  #at: Millis = Number.POSITIVE_INFINITY;
  #answered = false;

  constructor(
    settings: Pick<Profile, 'serverPollTimeoutMs' | 'handWindowMs'> & {
      readonly wrap: Pick<ControlWrapOptions, 'kind'>;
    },
    protocol: 'udp' | 'tcp',
    onSilence: (error: Error) => void,
  ) {
    this.#wrap = settings.wrap.kind;
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
    const wrap = this.#wrap;
    if (wrap !== 'none') {
      return new OvpnTimeoutError(
        'OVPN_WRAP_UNANSWERED',
        `expected an answer to the hard reset within ${seconds} s, got none that the ${wrap} key opens: the server is down, or its ${wrap} key is not the profile's${WRAP_HINTS[wrap] ?? ''}`,
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

/** What else must agree for the other end to accept our packets. */
const WRAP_HINTS: Partial<Record<ControlWrapOptions['kind'], string>> = {
  'tls-auth': ', or key-direction or auth differ',
};
