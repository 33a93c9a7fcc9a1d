import type { X509Certificate } from 'node:crypto';
import { OvpnProtocolError, OvpnTimeoutError, toError } from '../core/errors.ts';
import { hasControlCharacter } from '../core/log.ts';
import type { Millis } from '../core/machine.ts';
import { Secret } from '../core/secret.ts';
import type { Agreement } from './agreement.ts';
import { NO_SHARED_CIPHER_REASON, noSharedCipher } from './cipher-choice.ts';
import type { AuthFailed, ControlMessage } from './control-message.ts';
import { type HandshakeContext, HandshakeCore } from './handshake-core.ts';
import type {
  AuthenticationRequest,
  AuthenticationVerdict,
  Handshake,
  HandshakeStep,
  PendingSignIn,
} from './handshake-step.ts';
import type { KeyMethod2 } from './key-method2.ts';
import { KeyMethod2Assembly } from './key-method2-assembly.ts';
import { cipherOfOptions } from './options-string.ts';
import { IvProto, ivProtoOf, parsePeerInfo } from './peer-info.ts';
import { peerVerdict } from './peer-verdict.ts';
import { clientRefused, refusalMessage, tokenOptions } from './refusal-message.ts';
import {
  type NegotiatedFacts,
  negotiatedFacts,
  type ServerAgreementFacts,
  serverAgreement,
} from './server-agreement.ts';
import { serverQuestionText } from './server-question.ts';

/** The server's side of every negotiation with one peer; times as in `Profile`. */
export interface ServerHandshakeOptions extends ServerAgreementFacts {
  /** The options ("OCC") string. */
  readonly optionsString: string;
  readonly handWindowMs: number;
  /** The whole messages (`PUSH_REPLY,…`) for this peer, each at most 1,024 bytes. */
  readonly buildPush: (negotiated: NegotiatedFacts) => readonly string[];
}

/** How long a refused client is kept, so that it hears why. Unit: milliseconds. Source: push.c. */
export const REFUSAL_GRACE_MS = 5000;

/** Least time between two questions whether a pending client may in. Unit: milliseconds. */
const ASK_AGAIN_MS = 1000;

type Phase =
  | 'tls'
  | 'key-exchange'
  | 'authenticate'
  | 'pending'
  | 'push'
  | 'established'
  | 'refused';

/**
 * The server's negotiation of one key id:
 *
 *     tls ─secured─▶ key-exchange ─client's key method 2─▶ authenticate ─ok─▶ push ─asked, or
 *                                                               │        IV_PROTO bit 2─▶ established
 *                                                           │   └─no─▶ refused ─grace─▶ failed
 *                                                           └─later─▶ pending ─answer, PUSH_REQUEST─▶ authenticate
 */
export class ServerHandshake implements Handshake {
  readonly #core: HandshakeCore;
  readonly #options: ServerHandshakeOptions;
  #phase: Phase = 'tls';
  #certificate: X509Certificate | undefined;
  #clientCipher: string | undefined;
  readonly #records = new KeyMethod2Assembly();
  #request: AuthenticationRequest | undefined;
  #askedAt: Millis = 0;
  #tokenOptions: readonly string[] = [];
  #peerInfo: ReadonlyMap<string, string> = new Map();
  #pushRequested = false;
  #deadline: Millis;
  #refusal: Error | undefined;

  constructor(options: ServerHandshakeOptions, context: HandshakeContext) {
    this.#options = options;
    this.#core = new HandshakeCore('server', context);
    this.#deadline = context.startedAt + options.handWindowMs;
  }

  get keyId(): number {
    return this.#core.context.keyId;
  }

  get established(): boolean {
    return this.#core.established;
  }

  get idle(): boolean {
    return this.#core.idle;
  }

  secured(peer: X509Certificate | undefined): void {
    this.#certificate = peer;
    if (this.#phase === 'tls') this.#phase = 'key-exchange';
  }

  received(plaintext: Buffer, now: Millis): void {
    if (this.#core.failed) return;
    if (this.#phase === 'key-exchange') {
      const whole = this.#records.push(plaintext);
      const message = whole && this.#core.readKeyMethod2(whole);
      if (message !== undefined) this.#onKeyMethod2(message, now);
      return;
    }
    for (const message of this.#core.readMessages(plaintext)) {
      if (this.#core.failed) return;
      this.#onMessage(message, now);
    }
  }

  /** The judgement of the program behind the server. */
  authenticated(verdict: AuthenticationVerdict, now: Millis): void {
    const request = this.#request;
    if (this.#core.failed || this.#phase !== 'authenticate' || request === undefined) return;
    if (!request.pending) {
      this.#core.sendKeyMethod2({
        options: this.#options.optionsString,
        username: undefined,
        password: undefined,
        peerInfo: undefined,
      });
    }
    if (!verdict.ok) {
      if (verdict.pending !== undefined && this.keyId === 0) this.#wait(verdict.pending, now);
      else this.#refuse(refusalMessage(verdict, request), clientRefused(verdict), now);
      return;
    }
    this.#request = undefined;
    this.#tokenOptions = tokenOptions(verdict);
    const { memory } = this.#core.context;
    const client = { peerInfo: this.#peerInfo, cipher: this.#clientCipher };
    const agreement = this.keyId > 0 ? memory.agreement : serverAgreement(client, this.#options);
    if (agreement === undefined) {
      const error = noSharedCipher('the client lists none of ours');
      const refusal = { ok: false, reason: NO_SHARED_CIPHER_REASON } as const;
      this.#refuse(refusalMessage(refusal, request), error, now);
      return;
    }
    memory.agreement = agreement;
    this.#core.enter('S_ACTIVE');
    this.#phase = 'push';
    this.#deadline = now + this.#options.handWindowMs;
    if (this.keyId > 0) this.#reestablish(agreement);
    else if (this.#pushRequested || this.#announces(IvProto.REQUEST_PUSH)) this.#push(agreement);
  }

  send(message: ControlMessage): void {
    this.#core.send(message);
  }

  abort(error: Error): void {
    this.#core.fail(error);
  }

  takeStep(): HandshakeStep | undefined {
    return this.#core.takeStep();
  }

  nextTimeout(): Millis {
    return this.#core.failed ? Number.POSITIVE_INFINITY : this.#deadline;
  }

  onTimeout(now: Millis): void {
    if (this.#core.failed || now < this.#deadline) return;
    if (this.#refusal !== undefined) {
      this.#core.fail(this.#refusal);
      return;
    }
    const pushing = this.#phase === 'push';
    const { handWindowMs } = this.#options;
    this.#core.fail(
      new OvpnTimeoutError(
        pushing ? 'OVPN_PUSH_TIMEOUT' : 'OVPN_HANDSHAKE_TIMEOUT',
        `the client did not get past "${this.#phase}" within ${handWindowMs} ms`,
        { layer: 'tlsstate', phase: this.#phase, timeoutMs: handWindowMs },
      ),
    );
  }

  wipe(): void {
    this.#core.wipe();
    this.#request = undefined;
  }

  #onKeyMethod2({ options, username, password, peerInfo }: KeyMethod2, now: Millis): void {
    if (username !== undefined && hasControlCharacter(username)) {
      this.#core.fail(
        new OvpnProtocolError('expected a user name without control characters', {
          layer: 'tlsstate',
        }),
      );
      return;
    }
    this.#peerInfo = parsePeerInfo(peerInfo);
    this.#clientCipher = cipherOfOptions(options);
    const shown = { username, password, peerInfo: this.#peerInfo, certificate: this.#certificate };
    this.#ask({ keyId: this.keyId, ...shown, pending: false, response: undefined }, now);
  }

  #ask(request: AuthenticationRequest, now: Millis): void {
    this.#request = request;
    this.#askedAt = now;
    this.#phase = 'authenticate';
    this.#core.step({ kind: 'authenticate', request });
  }

  /** Tells the client, once and after each of its answers, what is waited for. */
  #wait({ timeoutMs = this.#options.handWindowMs, question }: PendingSignIn, now: Millis): void {
    const isNews = this.#request?.pending === false || this.#request?.response !== undefined;
    this.#phase = 'pending';
    if (!isNews) return;
    this.#deadline = now + timeoutMs;
    this.#core.send({ kind: 'auth-pending', timeoutMs });
    if (question === undefined) return;
    this.#core.send({ kind: 'info-pre', text: serverQuestionText(question) });
  }

  #onMessage(message: ControlMessage, now: Millis): void {
    this.#core.step({ kind: 'message', message });
    const verdict = peerVerdict(message, 'server', false);
    if (verdict !== undefined) {
      this.#core.fail(verdict);
    } else if (message.kind === 'push-request') {
      this.#pushRequested = true;
      const { agreement } = this.#core.context.memory;
      if (this.#phase === 'push' && agreement !== undefined) this.#push(agreement);
      else if (now - this.#askedAt >= ASK_AGAIN_MS) this.#askAgain(undefined, now);
    } else if (message.kind === 'cr-response') {
      this.#askAgain(new Secret(Buffer.from(message.text, 'base64').toString('utf8')), now);
    }
  }

  #askAgain(response: Secret | undefined, now: Millis): void {
    if (this.#phase !== 'pending' || this.#request === undefined) return;
    this.#ask({ ...this.#request, pending: true, response }, now);
  }

  #push(agreement: Agreement): void {
    const facts = negotiatedFacts(agreement, this.#peerInfo, this.#tokenOptions);
    try {
      for (const text of this.#options.buildPush(facts)) {
        this.#core.send({ kind: 'unknown', text });
      }
    } catch (thrown) {
      this.#core.fail(toError(thrown));
      return;
    }
    this.#establish(agreement);
  }

  /** A renegotiation is told of nothing but a newer token. */
  #reestablish(agreement: Agreement): void {
    this.#establish(agreement);
    const options = this.#tokenOptions;
    if (options.length > 0) this.#core.send({ kind: 'push-reply', options });
  }

  #establish(agreement: Agreement): void {
    this.#core.establish(agreement);
    this.#phase = 'established';
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  #refuse(message: AuthFailed, error: Error, now: Millis): void {
    this.#core.send(message);
    this.#refusal = error;
    this.#phase = 'refused';
    this.#deadline = now + REFUSAL_GRACE_MS;
  }

  #announces(bit: number): boolean {
    return (ivProtoOf(this.#peerInfo) & bit) !== 0;
  }
}
