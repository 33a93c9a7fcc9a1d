import type { Millis } from '../core/machine.ts';
import type { Handshake, HandshakeStep } from './handshake-step.ts';
import type { TlsEngine } from './tls-engine.ts';

/** What a negotiation leaves to the session: all steps but the records, which it sends itself. */
export type SessionStep =
  | Exclude<HandshakeStep, { kind: 'record' }>
  | { readonly kind: 'tls-failed'; readonly error: Error };

/** One key id: its TLS session and its handshake, joined. */
export class Negotiation {
  readonly engine: TlsEngine;
  readonly handshake: Handshake;

  constructor(engine: TlsEngine, handshake: Handshake) {
    this.engine = engine;
    this.handshake = handshake;
  }

  get keyId(): number {
    return this.handshake.keyId;
  }

  /** Whether nothing of ours waits to be sent. */
  get idle(): boolean {
    return this.handshake.idle && this.engine.idle;
  }

  /** TLS events → handshake → records for TLS, until a step for the session comes out. */
  advance(now: Millis): SessionStep | undefined {
    for (;;) {
      const step = this.handshake.takeStep();
      if (step === undefined) {
        const event = this.engine.takeEvent();
        if (event === undefined) return undefined;
        if (event.kind === 'failed') return { kind: 'tls-failed', error: event.error };
        if (event.kind === 'secure') this.handshake.secured(event.peer, now);
        else this.handshake.received(event.plaintext, now);
      } else if (step.kind === 'record') {
        this.engine.write(step.plaintext);
      } else {
        return step;
      }
    }
  }

  /** Ends TLS and overwrites key material. May be called twice. */
  destroy(): void {
    this.engine.destroy();
    this.handshake.wipe();
  }
}
