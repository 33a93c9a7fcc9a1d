import { OvpnAuthError, OvpnError, OvpnUsageError, toError } from '../core/errors.ts';
import { printable } from '../core/log.ts';
import { Secret } from '../core/secret.ts';
import type {
  ChallengeAnswer,
  Credentials,
  CredentialsAnswer,
  CredentialsRequest,
  UserPassword,
  WebSignIn,
} from '../model/credentials.ts';
import type { KeyExchangeCredentials } from '../tlsstate/handshake.ts';
import type { ChallengeEvent } from './events.ts';

/** Longest answer: what fits a password, or, in base64, a text of the control channel. Unit: bytes. */
export const MAX_ANSWER_BYTES = 65_000;
export const MAX_CR_RESPONSE_BYTES = 49_000;

/** Who listens to `challenge`. */
export interface ChallengeListeners {
  readonly challenged: (event: ChallengeEvent) => void;
  /** Whether anybody does. */
  readonly listening: () => boolean;
}

/** Nobody listens. */
export const NO_LISTENERS: ChallengeListeners = { challenged: () => {}, listening: () => false };

/** A question to the user. */
export interface Question {
  readonly kind: ChallengeEvent['kind'];
  /** As the server or the profile says it. */
  readonly text: string;
  readonly echo: boolean;
  readonly responseRequired: boolean;
  readonly username: string | undefined;
  readonly web: WebSignIn | undefined;
}

/** How long an answer is waited for. */
export interface Wait {
  /** Unit: milliseconds; `Infinity` for as long as it takes. */
  readonly deadlineMs: number;
  /** Gives up earlier. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks the user: by the caller's callback and, where it is a challenge, by the `challenge` event;
 * the first answer counts. One challenge waits at a time: a newer one takes its place.
 */
export class Asking {
  readonly #credentials: Credentials | undefined;
  readonly #listeners: ChallengeListeners;
  #current = new AbortController();

  constructor(credentials: Credentials | undefined, listeners: ChallengeListeners) {
    this.#credentials = credentials;
    this.#listeners = listeners;
  }

  /** Whether somebody can be asked for an answer. */
  get canAnswer(): boolean {
    return this.hasCallback || this.#listeners.listening();
  }

  get hasCallback(): boolean {
    return typeof this.#credentials === 'function';
  }

  /** The caller's fixed credentials, else what the callback says; undefined when nobody knows. */
  async userPassword(
    asked: Pick<CredentialsRequest, 'kind' | 'prompt' | 'username' | 'needed' | 'usernameOnly'> &
      Partial<Pick<CredentialsRequest, 'refused'>>,
    wait: Wait,
  ): Promise<KeyExchangeCredentials | undefined> {
    if (this.#credentials === undefined) return undefined;
    const given =
      typeof this.#credentials === 'function'
        ? await until(
            wait.signal,
            this.#credentials(
              request({ refused: false, ...asked, echo: false, web: undefined }, wait),
            ),
          )
        : this.#credentials;
    if (given === undefined) return undefined;
    const { username, password } = fieldsOf(given);
    if (typeof username === 'string' && typeof password === 'string') {
      return { username, password: new Secret(password) };
    }
    throw wrongAnswer(asked.kind, '{ username, password }');
  }

  /** The answer to `asked` by the callback alone; undefined when nobody knows. */
  async passphrase(prompt: string, wait: Wait): Promise<Secret | undefined> {
    const asked = { prompt, echo: false, username: undefined, needed: true, web: undefined };
    const answer = await this.#response({ ...asked, kind: 'key-passphrase' }, wait);
    return answer === undefined ? undefined : new Secret(answer);
  }

  /**
   * The answer to `question`, whose event comes first. Nothing is waited for where none is wanted.
   *
   * @throws OvpnAuthError `OVPN_AUTH_CHALLENGE`, or `OVPN_CREDENTIALS_MISSING` where it is the
   * profile's own: nobody can answer it
   * @throws OvpnError `OVPN_ABORTED`: it is no longer wanted
   */
  async answer(question: Question, wait: Wait): Promise<Secret> {
    this.cancel();
    const current = new AbortController();
    this.#current = current;
    const signal =
      wait.signal === undefined ? current.signal : AbortSignal.any([wait.signal, current.signal]);
    const { kind, echo, responseRequired, username, web } = question;
    const prompt = printable(question.text);
    const isListening = this.#listeners.listening();
    const heard = new Promise<string>((resolve) => {
      const { deadlineMs } = wait;
      const event = { kind, text: prompt, web, echo, responseRequired, deadlineMs };
      const answer = (text: string) => resolve(checkedAnswer(text, kind));
      this.#listeners.challenged(Object.freeze({ ...event, answer }));
    });
    const asked = { prompt, echo, username, needed: responseRequired, web };
    const requestKind = kind === 'static-challenge' ? kind : 'challenge';
    const said = this.#response({ ...asked, kind: requestKind }, { ...wait, signal }).then(
      (answer) => (answer === undefined ? undefined : checkedAnswer(answer, kind)),
    );
    if (!responseRequired) {
      said.catch(() => {});
      return new Secret('');
    }
    const fromCallback = said.then((answer) => {
      if (answer !== undefined) return answer;
      if (isListening) return heard;
      throw unanswered(prompt, kind);
    });
    const answer = await until(signal, Promise.race([heard, fromCallback]));
    if (this.#current === current) current.abort(answered());
    return new Secret(answer);
  }

  /** The challenge that waits is no longer wanted. */
  cancel(): void {
    this.#current.abort(answered());
  }

  async #response(
    asked: Omit<CredentialsRequest, 'refused' | 'usernameOnly' | 'deadlineMs' | 'signal'>,
    wait: Wait,
  ): Promise<string | undefined> {
    if (typeof this.#credentials !== 'function') return undefined;
    const given = await until(
      wait.signal,
      this.#credentials(request({ ...asked, refused: false, usernameOnly: false }, wait)),
    );
    if (given === undefined) return undefined;
    const { response } = fieldsOf(given);
    if (typeof response === 'string') return response;
    if (asked.web !== undefined) return undefined;
    throw wrongAnswer(asked.kind, '{ response }');
  }
}

function request(
  asked: Omit<CredentialsRequest, 'deadlineMs' | 'signal'>,
  { deadlineMs, signal = NEVER }: Wait,
): CredentialsRequest {
  return Object.freeze({ ...asked, deadlineMs, signal });
}

/** What `promise` gives, unless `signal` comes first. */
async function until<T>(signal: AbortSignal | undefined, promise: T | Promise<T>): Promise<T> {
  if (signal === undefined) return await promise;
  let stop = () => {};
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(noLongerWanted(signal.reason));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Whatever a caller's code gave, as something with fields. */
function fieldsOf(given: CredentialsAnswer): Partial<UserPassword & ChallengeAnswer> {
  return typeof given === 'object' && given !== null ? given : {};
}

function checkedAnswer(text: string, kind: Question['kind']): string {
  const maxBytes = kind === 'cr-text' ? MAX_CR_RESPONSE_BYTES : MAX_ANSWER_BYTES;
  if (typeof text === 'string' && Buffer.byteLength(text) <= maxBytes) return text;
  throw new OvpnUsageError(`expected an answer of at most ${maxBytes} bytes`, 'vpnclient');
}

function wrongAnswer(kind: CredentialsRequest['kind'], expected: string): OvpnUsageError {
  return new OvpnUsageError(
    `expected \`credentials\` to give ${expected} for a request of kind ${kind}`,
    'vpnclient',
  );
}

function unanswered(prompt: string, kind: Question['kind']): OvpnAuthError {
  return new OvpnAuthError(
    kind === 'static-challenge' ? 'OVPN_CREDENTIALS_MISSING' : 'OVPN_AUTH_CHALLENGE',
    `expected an answer to "${prompt}": give \`credentials\` as a function, or listen to \`challenge\` (the command line asks on a terminal)`,
    { layer: 'vpnclient', initiator: 'user' },
  );
}

function noLongerWanted(cause: unknown): OvpnError {
  return new OvpnError('OVPN_ABORTED', 'the answer is no longer wanted', {
    layer: 'vpnclient',
    initiator: 'user',
    cause: toError(cause),
  });
}

function answered(): Error {
  return new Error('it was answered, or the server asks no longer');
}

const NEVER = new AbortController().signal;
