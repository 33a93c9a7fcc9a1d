import { OvpnProtocolError, toError } from '../core/errors.ts';
import type { PushOptions } from '../model/push-options.ts';
import { type PushPolicy, readPushOptions } from './push-reply.ts';
import { applyPushUpdate } from './push-update.ts';

/**
 * The options that one session has been pushed: the first PUSH_REPLY, and what PUSH_UPDATEs made of
 * it since.
 */
export class PulledOptions {
  readonly #policy: PushPolicy;
  #pushed: readonly string[] | undefined;

  constructor(policy: PushPolicy) {
    this.#policy = policy;
  }

  /** Reads a PUSH_REPLY; later ones than the first change nothing here. @throws as `readPushOptions` */
  readonly reply = (options: readonly string[]): PushOptions => {
    const push = readPushOptions(options, this.#policy);
    this.#pushed ??= options;
    return push;
  };

  /**
   * Reads a PUSH_UPDATE: what is in force now, all of it.
   * @throws OvpnProtocolError, retryable, when it cannot be applied: nothing has changed then
   */
  readonly update = (options: readonly string[]): PushOptions => {
    try {
      const pushed = applyPushUpdate(this.#pushed ?? [], options, this.#policy);
      const push = readPushOptions(pushed, this.#policy);
      this.#pushed = pushed;
      return push;
    } catch (thrown) {
      throw updateError(toError(thrown));
    }
  };
}

/** A new session begins with a whole push, which may be right where its change was not. */
function updateError(cause: Error): OvpnProtocolError {
  return new OvpnProtocolError(`PUSH_UPDATE: ${cause.message}`, {
    code: 'OVPN_PUSH_INVALID',
    layer: 'config',
    reference: 'options_parse.c apply_push_options',
    retryable: true,
    cause,
  });
}
