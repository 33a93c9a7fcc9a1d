import { OvpnProtocolError, toError } from '../core/errors.ts';
import type { Millis } from '../core/machine.ts';
import type { Secret } from '../core/secret.ts';
import type { PushOptions } from '../model/push-options.ts';
import { clientAgreement } from './client-agreement.ts';
import type { ControlMessage } from './control-message.ts';
import { type HandshakeContext, HandshakeCore } from './handshake-core.ts';
import type { Handshake, HandshakeStep } from './handshake-step.ts';
import { handshakeTimeout } from './handshake-timeout.ts';
import { cipherOfOptions } from './options-string.ts';
import { IvProto } from './peer-info.ts';
import { peerVerdict } from './peer-verdict.ts';
import { pendingLimitMs } from './pending-limit.ts';
import { MAX_PUSH_MS, PushAssembly } from './push-assembly.ts';

/** User name and password for the key exchange message. */
export interface KeyExchangeCredentials {
  readonly username: string;
  readonly password: Secret;
}

/** The client's side of every negotiation of a session; times as in `Profile`. */
export interface ClientHandshakeOptions {
  /** The options ("OCC") string. */
  readonly optionsString: string;
  readonly peerInfo: string;
  /** The bits of IV_PROTO in it. */
  readonly ivProto: number;
  readonly dataCiphers: readonly string[];
  readonly dataCiphersFallback: string | undefined;
  readonly handWindowMs: number;
  readonly renegSecMs: number;
  /** Reads all options of a push. @throws OvpnError when they cannot be applied */
  readonly readPush: (options: readonly string[]) => PushOptions;
  /** The same for a PUSH_UPDATE: what is in force then. Default: they are ignored. */
  readonly readUpdate?: (options: readonly string[]) => PushOptions;
}

/** Pauses between PUSH_REQUESTs, the last one repeated. Unit: milliseconds. Source: openvpn3. */
export const PUSH_REQUEST_DELAYS_MS: readonly number[] = [1000, 2000, 3000];

type Phase = 'tls' | 'key-exchange' | 'push' | 'established';

/**
 * The client's negotiation of one key id:
 *
 *     tls ──secured, credentials──▶ key-exchange ──server's key method 2──▶ push ──PUSH_REPLY──▶ established
 *           sends key method 2                      sends PUSH_REQUEST                  ▲
 *                                         └────────── key ids 1 … 7 ────────────────────┘
 *     any ──hand-window, refusal──▶ failed
 */
export class ClientHandshake implements Handshake {
  readonly #core: HandshakeCore;
  readonly #options: ClientHandshakeOptions;
  readonly #assembly = new PushAssembly();
  readonly #updates = new PushAssembly('PUSH_UPDATE');
  #phase: Phase = 'tls';
  #secure = false;
  /** null: not there yet; undefined: there are none. */
  #credentials: KeyExchangeCredentials | undefined | null = null;
  #usedToken = false;
  #passwordBytes = 0;
  #serverOptions: string | undefined;
  #keyExchangedAt: Millis = 0;
  #deadline: Millis;
  #requestAt: Millis = Number.POSITIVE_INFINITY;
  #requests = 0;

  constructor(options: ClientHandshakeOptions, context: HandshakeContext) {
    this.#options = options;
    this.#core = new HandshakeCore('client', context);
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

  /** Whether user name and password are to be asked for: a held token takes their place. */
  get wantsCredentials(): boolean {
    const { authToken, username } = this.#core.context.memory;
    return authToken === undefined || username === undefined;
  }

  credentialsReady(credentials: KeyExchangeCredentials | undefined): void {
    this.#credentials = credentials;
    this.#sendKeyMethod2();
  }

  secured(): void {
    this.#secure = true;
    this.#sendKeyMethod2();
  }

  received(plaintext: Buffer, now: Millis): void {
    if (this.#core.failed) return;
    if (this.#phase === 'tls') {
      this.#core.fail(
        new OvpnProtocolError('expected the server to wait for our key method 2', {
          layer: 'tlsstate',
        }),
      );
      return;
    }
    if (this.#phase === 'key-exchange') {
      this.#onKeyMethod2(plaintext, now);
      return;
    }
    for (const message of this.#core.readMessages(plaintext)) {
      if (this.#core.failed) return;
      this.#onMessage(message, now);
    }
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
    if (this.#core.failed) return Number.POSITIVE_INFINITY;
    return Math.min(this.#deadline, this.#requestAt, this.#partsBy);
  }

  onTimeout(now: Millis): void {
    if (this.#core.failed) return;
    if (now >= this.#deadline || now >= this.#partsBy) this.#onDeadline();
    else if (now >= this.#requestAt) this.#requestPush(now);
  }

  get #partsBy(): Millis {
    return Math.min(this.#assembly.deadline, this.#updates.deadline);
  }

  wipe(): void {
    this.#core.wipe();
    this.#credentials = undefined;
  }

  #sendKeyMethod2(): void {
    if (this.#phase !== 'tls' || this.#core.failed) return;
    if (!this.#secure || (this.#credentials === null && this.wantsCredentials)) return;
    const { memory } = this.#core.context;
    const token = this.wantsCredentials ? undefined : memory.authToken;
    this.#usedToken = token !== undefined;
    if (token === undefined) memory.username = this.#credentials?.username;
    const password = token ?? this.#credentials?.password;
    this.#passwordBytes = Buffer.byteLength(password?.reveal() ?? '');
    try {
      this.#core.sendKeyMethod2({
        options: this.#options.optionsString,
        username: memory.username,
        password,
        peerInfo: this.#options.peerInfo,
      });
    } catch (thrown) {
      this.#core.fail(toError(thrown));
      return;
    }
    this.#credentials = undefined;
    this.#phase = 'key-exchange';
  }

  #onKeyMethod2(plaintext: Buffer, now: Millis): void {
    const message = this.#core.readKeyMethod2(plaintext);
    if (message === undefined) return;
    this.#keyExchangedAt = now;
    if (this.keyId === 0) {
      this.#serverOptions = cipherOfOptions(message.options);
      this.#phase = 'push';
      this.#deadline = now + this.#options.handWindowMs;
      this.#requestPush(now);
      return;
    }
    const { agreement } = this.#core.context.memory;
    if (agreement === undefined) throw new Error('a renegotiation before key id 0 was done');
    this.#core.enter('S_ACTIVE');
    this.#establish();
  }

  #requestPush(now: Millis): void {
    this.#core.send({ kind: 'push-request' });
    const last = PUSH_REQUEST_DELAYS_MS.length - 1;
    this.#requestAt = now + (PUSH_REQUEST_DELAYS_MS[Math.min(this.#requests, last)] ?? 0);
    this.#requests += 1;
  }

  #onMessage(message: ControlMessage, now: Millis): void {
    this.#core.step({ kind: 'message', message });
    const { memory } = this.#core.context;
    const hasToken = this.#usedToken || memory.authToken !== undefined;
    const verdict = peerVerdict(message, 'client', hasToken);
    if (verdict !== undefined) {
      if (verdict.code === 'OVPN_AUTH_FAILED') memory.authToken = undefined;
      this.#core.fail(verdict);
    } else if (message.kind === 'push-reply') {
      this.#onPushReply(message.options, now);
    } else if (message.kind === 'push-update') {
      this.#onPushUpdate(message.options, now);
    } else if (message.kind === 'auth-pending' && this.#phase === 'push') {
      this.#deadline = this.#keyExchangedAt + pendingLimitMs(message.timeoutMs, this.#options);
    }
  }

  #onPushReply(part: readonly string[], now: Millis): void {
    const options = this.#assembly.add(part, now);
    if (options === undefined) return;
    try {
      if (options instanceof OvpnProtocolError) throw options;
      const push = this.#options.readPush(options);
      this.#rememberToken(push);
      if (this.#phase === 'push') this.#onPushed(push);
    } catch (thrown) {
      this.#core.fail(toError(thrown));
    }
  }

  /** Told only to a client that has announced it, and only once there is something to change. */
  #onPushUpdate(part: readonly string[], now: Millis): void {
    const { readUpdate, ivProto } = this.#options;
    if (readUpdate === undefined || (ivProto & IvProto.PUSH_UPDATE) === 0) return;
    if (this.#phase !== 'established') return;
    const options = this.#updates.add(part, now);
    if (options === undefined) return;
    try {
      if (options instanceof OvpnProtocolError) throw options;
      this.#core.step({ kind: 'updated', push: readUpdate(options) });
    } catch (thrown) {
      this.#core.fail(toError(thrown));
    }
  }

  /** The first push settles the session; later ones only bring a new token. */
  #onPushed(push: PushOptions): void {
    const { dataCiphers, dataCiphersFallback: fallback, ivProto } = this.#options;
    const facts = { ivProto, dataCiphers, fallback, serverOptions: this.#serverOptions };
    this.#core.context.memory.agreement = clientAgreement(push, facts);
    this.#core.enter('S_ACTIVE');
    this.#core.step({ kind: 'pushed', push });
    this.#establish();
  }

  #establish(): void {
    const { agreement } = this.#core.context.memory;
    if (agreement === undefined) return;
    this.#core.establish(agreement);
    this.#phase = 'established';
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#requestAt = Number.POSITIVE_INFINITY;
  }

  #rememberToken({ authToken, authTokenUser }: PushOptions): void {
    const { memory } = this.#core.context;
    if (authToken === undefined) return;
    memory.authToken = authToken;
    memory.username = authTokenUser ?? memory.username;
  }

  #onDeadline(): void {
    const partMissing = this.#partsBy !== Number.POSITIVE_INFINITY;
    const waiting = this.#phase === 'tls' && this.#secure ? 'credentials' : this.#phase;
    const phase = waiting === 'established' ? 'push' : waiting;
    const { startedAt } = this.#core.context;
    const timeoutMs = partMissing
      ? MAX_PUSH_MS
      : this.#deadline - (phase === 'push' ? this.#keyExchangedAt : startedAt);
    this.#core.fail(handshakeTimeout(phase, timeoutMs, this.#passwordBytes));
  }
}
