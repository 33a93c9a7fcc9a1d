import { assertNever, toError } from '../core/errors.ts';
import { Drop, DropCounter, type Millis } from '../core/machine.ts';
import { BATCH, type Service } from '../core/pump.ts';
import type { DataChannelKey } from '../model/data-channel-key.ts';
import type { PushOptions } from '../model/push-options.ts';
import type { SessionIds } from '../model/tls-chunk.ts';
import { SessionMemory } from './agreement.ts';
import type { ControlMessage } from './control-message.ts';
import { ClientHandshake } from './handshake.ts';
import type { HandshakeContext } from './handshake-core.ts';
import type { AuthenticationRequest, Handshake } from './handshake-step.ts';
import { Negotiation, type SessionStep } from './negotiation.ts';
import { ServerHandshake } from './server-handshake.ts';
import { TlsEngine } from './tls-engine.ts';
import type { TlsStateEvents, TlsStateOptions, TlsStatePorts } from './tls-state-options.ts';

export type {
  EstablishedFacts,
  TlsStateEvents,
  TlsStateOptions,
  TlsStatePorts,
} from './tls-state-options.ts';

/** Key ids that are held at a time: in use, being replaced, being negotiated. */
export const MAX_NEGOTIATIONS = 3;

/** Runs one negotiation a key id, each with a TLS session of its own, for both roles. */
export class TlsStateService implements Service {
  readonly name = 'tlsstate';
  readonly drops: DropCounter = new DropCounter();
  readonly #options: TlsStateOptions;
  readonly #ports: TlsStatePorts;
  readonly #events: TlsStateEvents;
  readonly #memory: SessionMemory;
  /** In the order in which they began. */
  readonly #negotiations = new Map<number, Negotiation>();
  /** What promises brought, for the next run of the pump. */
  readonly #answers: ((now: Millis) => void)[] = [];
  #ids: SessionIds | undefined;
  #current: Negotiation | undefined;
  #heard: Negotiation | undefined;
  #push: PushOptions | undefined;
  /** Longest next piece of TLS, of key id 0 at first. */
  #nextChunkBytes: number;
  #ended = false;

  constructor(options: TlsStateOptions, ports: TlsStatePorts, events: TlsStateEvents) {
    this.#options = options;
    this.#memory = new SessionMemory(options.role === 'client' ? options.held : undefined);
    this.#nextChunkBytes = options.firstChunkBytes;
    this.#ports = ports;
    this.#events = events;
  }

  /** Whether all that was sent has left for the control channel. */
  get idle(): boolean {
    for (const negotiation of this.#negotiations.values()) if (!negotiation.idle) return false;
    return true;
  }

  moveUpWorker(now: Millis): boolean {
    return this.worker(now);
  }

  moveDownWorker(now: Millis): boolean {
    return this.worker(now);
  }

  /** hardResetDone, softReset, controlToTls → node:tls, handshakes → tlsToControl, keyReady, keyEstablished */
  worker(now: Millis): boolean {
    let moved = this.#begin(now);
    for (let answer = this.#answers.shift(); answer !== undefined; answer = this.#answers.shift()) {
      answer(now);
      moved = true;
    }
    moved = this.#feed() || moved;
    for (const negotiation of this.#negotiations.values()) {
      moved = this.#advance(negotiation, now) || moved;
    }
    return this.#placeOutput() || moved;
  }

  nextTimeout(): Millis {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { handshake } of this.#negotiations.values()) {
      earliest = Math.min(earliest, handshake.nextTimeout());
    }
    return earliest;
  }

  onTimeout(now: Millis): void {
    for (const { handshake } of this.#negotiations.values()) handshake.onTimeout(now);
  }

  /** Sends `message` over the newest established key, else where a text came from; false for none. */
  send(message: ControlMessage): boolean {
    const over = this.#current ?? this.#heard;
    if (over === undefined) return false;
    over.handshake.send(message);
    this.#options.arm();
    return true;
  }

  /** Ends all TLS sessions and forgets secrets; late answers do nothing. */
  stop(): void {
    this.#ended = true;
    for (const negotiation of this.#negotiations.values()) negotiation.destroy();
    this.#negotiations.clear();
    this.#answers.length = 0;
    this.#current = undefined;
    this.#heard = undefined;
    this.#memory.forget();
  }

  #begin(now: Millis): boolean {
    const { hardResetDone, softReset } = this.#ports;
    const ids = hardResetDone.take();
    if (ids !== undefined && this.#ids === undefined && !this.#ended) {
      this.#ids = ids;
      this.#start(0, ids, now);
    }
    const keyId = softReset.take();
    if (keyId !== undefined && this.#ids !== undefined && !this.#ended) {
      this.#start(keyId, this.#ids, now);
    }
    return ids !== undefined || keyId !== undefined;
  }

  #start(keyId: number, ids: SessionIds, now: Millis): void {
    this.#discard(this.#negotiations.get(keyId));
    for (const oldest of this.#negotiations.values()) {
      if (this.#negotiations.size < MAX_NEGOTIATIONS) break;
      if (oldest !== this.#current) this.#discard(oldest);
    }
    const { role, identity, random } = this.#options;
    try {
      const engine = new TlsEngine(role, identity, this.#options.arm);
      const handshake = this.#handshake({
        keyId,
        ids,
        startedAt: now,
        random,
        memory: this.#memory,
        drops: this.drops,
        exportKey: (label) => engine.exportKey(label),
      });
      this.#negotiations.set(keyId, new Negotiation(engine, handshake));
    } catch (thrown) {
      this.#fail(toError(thrown));
    }
  }

  #handshake(context: HandshakeContext): Handshake {
    const options = this.#options;
    if (options.role === 'server') return new ServerHandshake(options.handshake, context);
    const handshake = new ClientHandshake(options.handshake, context);
    if (handshake.wantsCredentials) {
      answered(options.credentials).then(
        (credentials) => this.#later(() => handshake.credentialsReady(credentials)),
        (thrown: unknown) => this.#later(() => handshake.abort(toError(thrown))),
      );
    }
    return handshake;
  }

  #feed(): boolean {
    const { controlToTls } = this.#ports;
    let moved = 0;
    while (moved < BATCH && this.#acceptsInput) {
      const chunk = controlToTls.take();
      if (chunk === undefined) break;
      const negotiation = this.#negotiations.get(chunk.keyId);
      if (negotiation === undefined) this.drops.count(Drop.UNKNOWN_KEY);
      else negotiation.engine.feed(chunk.bytes);
      moved += 1;
    }
    return moved > 0;
  }

  get #acceptsInput(): boolean {
    for (const { engine } of this.#negotiations.values()) if (!engine.acceptsInput) return false;
    return true;
  }

  #advance(negotiation: Negotiation, now: Millis): boolean {
    let moved = false;
    while (!this.#ended) {
      const step = negotiation.advance(now);
      if (step === undefined) break;
      this.#take(step, negotiation);
      moved = true;
    }
    return moved;
  }

  #take(step: SessionStep, negotiation: Negotiation): void {
    switch (step.kind) {
      case 'state':
        this.#events.state(step.state, negotiation.keyId);
        break;
      case 'authenticate':
        this.#authenticate(step.request, negotiation.handshake);
        break;
      case 'pushed':
        this.#push = step.push;
        this.#events.pushed(step.push);
        break;
      case 'updated':
        this.#events.updated?.(step.push);
        break;
      case 'message':
        this.#heard = negotiation;
        this.#events.message(step.message);
        break;
      case 'control-key':
        this.#events.controlKey(step.exported);
        break;
      case 'key':
        this.#established(step.key, negotiation);
        break;
      case 'tls-failed':
        this.#onTlsFailed(step.error, negotiation);
        break;
      case 'failed':
        this.#fail(step.error);
        break;
      default:
        assertNever(step);
    }
  }

  #authenticate(request: AuthenticationRequest, handshake: Handshake): void {
    if (this.#options.role !== 'server' || !(handshake instanceof ServerHandshake)) return;
    const { authenticate } = this.#options;
    answered(() => authenticate(request)).then(
      (verdict) => this.#later((now) => handshake.authenticated(verdict, now)),
      () => this.#later((now) => handshake.authenticated({ ok: false, temporary: true }, now)),
    );
  }

  #established(key: DataChannelKey, negotiation: Negotiation): void {
    const { keyReady, keyEstablished } = this.#ports;
    if (!keyReady.push(key) || !keyEstablished.push(key.keyId)) {
      throw new Error('no room for a new key');
    }
    this.#current = negotiation;
    this.#events.established(key.keyId, {
      cipher: key.cipher,
      peerId: key.peerId,
      epoch: key.epoch,
      tlsVersion: negotiation.engine.version,
      push: this.#push,
    });
  }

  /** A TLS session that a newer one has replaced may end; any other takes the session along. */
  #onTlsFailed(error: Error, negotiation: Negotiation): void {
    const replaced = negotiation.handshake.established && negotiation !== this.#current;
    if (replaced) this.#discard(negotiation);
    else negotiation.handshake.abort(error);
  }

  #fail(error: Error): void {
    if (this.#ended) return;
    this.stop();
    this.#events.failed(error);
  }

  #discard(negotiation: Negotiation | undefined): void {
    if (negotiation === undefined) return;
    negotiation.destroy();
    this.#negotiations.delete(negotiation.keyId);
  }

  #placeOutput(): boolean {
    const { tlsToControl } = this.#ports;
    let moved = 0;
    for (const { keyId, engine } of this.#negotiations.values()) {
      while (moved < BATCH && !tlsToControl.full) {
        const bytes = engine.takeOutput(this.#nextChunkBytes);
        if (bytes === undefined) break;
        this.#nextChunkBytes = this.#options.maxChunkBytes;
        tlsToControl.push({ keyId, bytes });
        moved += 1;
      }
    }
    return moved > 0;
  }

  #later(answer: (now: Millis) => void): void {
    if (this.#ended) return;
    this.#answers.push(answer);
    this.#options.arm();
  }
}

/** The promise of `ask`, rejected also when it throws before there is one. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  return await ask();
}
