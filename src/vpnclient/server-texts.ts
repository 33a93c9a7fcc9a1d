import type { Clock } from '../core/clock.ts';
import { OvpnError, toError } from '../core/errors.ts';
import { type Logger, printable } from '../core/log.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import type { Profile } from '../model/profile.ts';
import type { ControlMessage } from '../tlsstate/control-message.ts';
import { pendingLimitMs } from '../tlsstate/pending-limit.ts';
import { readServerQuestion, type ServerQuestion } from '../tlsstate/server-question.ts';
import type { SignIn } from './sign-in.ts';

/** Most texts of a server that are shown or asked in a second; the others are lost. */
export const SERVER_TEXTS_PER_SECOND = 5;

export interface ServerTextsOptions {
  readonly profile: Pick<Profile, 'renegSecMs' | 'handWindowMs'>;
  readonly signIn: SignIn;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The client's: questions end with it. */
  readonly signal: AbortSignal;
  /** Hears that the server waits for the user. */
  readonly asked: () => void;
}

/** What becomes of the texts of one session's server: log lines, and questions to the user. */
export class ServerTexts {
  readonly #options: ServerTextsOptions;
  readonly #bucket = new TokenBucket(SERVER_TEXTS_PER_SECOND);
  #waitMs: number;

  constructor(options: ServerTextsOptions) {
    this.#options = options;
    this.#waitMs = options.profile.handWindowMs;
  }

  /** @param reply sends an answer in the same session; does nothing once that is over */
  take(message: ControlMessage, reply: (answer: ControlMessage) => void): void {
    const { profile, signIn, clock, logger } = this.#options;
    if (message.kind === 'auth-failed') {
      if (message.challenge !== undefined) signIn.challenged(message.challenge);
      return;
    }
    if (message.kind === 'auth-pending') this.#waitMs = pendingLimitMs(message.timeoutMs, profile);
    if (message.kind !== 'info' && message.kind !== 'info-pre') return;
    if (!this.#bucket.take(clock.now())) return;
    if (message.kind === 'info') {
      logger('info', 'tlsstate', `the server says: ${printable(message.text)}`);
      return;
    }
    const question = readServerQuestion(message.text);
    if (question !== undefined) void this.#ask(question, reply);
    else logger('warn', 'tlsstate', 'the server asks for something that tundial does not know');
  }

  async #ask(question: ServerQuestion, reply: (answer: ControlMessage) => void): Promise<void> {
    const { signIn, logger, signal, asked: tell } = this.#options;
    if (signIn.asking.canAnswer) tell();
    const { username } = signIn.held;
    const asked =
      question.kind === 'cr-text'
        ? { ...question, username, web: undefined }
        : { ...question, username, text: '', echo: false, responseRequired: false };
    try {
      const wait = { deadlineMs: this.#waitMs, signal };
      const answer = await signIn.asking.answer(asked, wait);
      if (!asked.responseRequired) return;
      const text = Buffer.from(answer.reveal()).toString('base64');
      reply({ kind: 'cr-response', text });
    } catch (thrown) {
      const error = toError(thrown);
      if (error instanceof OvpnError && error.code === 'OVPN_ABORTED') return;
      // What the caller's own code throws may quote anything.
      const why = error instanceof OvpnError ? error.message : error.name;
      logger('warn', 'vpnclient', `no answer to the server: ${why}`);
    }
  }
}
