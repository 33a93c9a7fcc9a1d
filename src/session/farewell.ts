import type { Millis } from '../core/machine.ts';
import type { Service } from '../core/pump.ts';
import type { Role } from '../model/ids.ts';
import type { Profile } from '../model/profile.ts';
import type { PushOptions } from '../model/push-options.ts';
import type { ControlMessage } from '../tlsstate/control-message.ts';
import type { Stack } from './stack.ts';

/** Longest wait for a goodbye to arrive (control) or to be sent (data). Unit: milliseconds. */
export const FAREWELL_MS = 1_000;

/** How long packets that were written before may go first. Unit: milliseconds. */
export const DRAIN_MS = 100;

/** node:tls tells only between runs of the pump that it has encrypted: then we look again. */
const LOOK_AGAIN_MS = 5;

/** Most OCC EXIT messages that are sent, whatever `explicit-exit-notify` asks for. */
export const MAX_EXIT_COPIES = 5;

/** How the peer is told that we leave. */
export type Goodbye =
  /** A message on the control channel, which the peer acknowledges. */
  | { readonly over: 'control'; readonly message: ControlMessage }
  /** OCC EXIT on the data channel, which nobody acknowledges, so many times. */
  | { readonly over: 'data'; readonly copies: number };

/**
 * What is said by who leaves a tunnel: a message of its own, else what was agreed on; undefined for
 * nothing. Over TCP the link's end says it all.
 */
export function goodbyeBy(
  who: Role | ControlMessage,
  protocol: 'udp' | 'tcp',
  push: Pick<PushOptions, 'ccExit' | 'explicitExitNotify'> | undefined,
  profile: Pick<Profile, 'explicitExitNotify'>,
): Goodbye | undefined {
  if (typeof who !== 'string') return { over: 'control', message: who };
  if (who === 'server' || protocol === 'tcp') return undefined;
  if (push?.ccExit) return { over: 'control', message: { kind: 'exit' } };
  const copies = push?.explicitExitNotify ?? profile.explicitExitNotify ?? 0;
  return copies > 0 ? { over: 'data', copies } : undefined;
}

/**
 * Says goodbye and sees it on its way:
 *
 *     quiet ──say──▶ draining ──channels empty, or 100 ms──▶ sending ──▶ waiting ──out, or 1 s──▶ quiet
 */
export class Farewell implements Service {
  readonly name = 'session';
  readonly #stack: Stack;
  #goodbye: Goodbye | undefined;
  /** How often it is still to be sent. */
  #owed = 0;
  #sendBy: Millis = Number.POSITIVE_INFINITY;
  #waitUntil: Millis = Number.POSITIVE_INFINITY;
  #lookAgainAt: Millis = Number.POSITIVE_INFINITY;
  #said: () => void = () => {};

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** Resolves when the goodbye has arrived or was sent, when time is over, or on `stop`. Once. */
  say(goodbye: Goodbye): Promise<void> {
    const { pump } = this.#stack.workers;
    return new Promise((resolve) => {
      this.#said = resolve;
      this.#goodbye = goodbye;
      this.#owed = goodbye.over === 'data' ? Math.min(goodbye.copies, MAX_EXIT_COPIES) : 1;
      this.#sendBy = pump.now + DRAIN_MS;
      this.#waitUntil = pump.now + FAREWELL_MS;
      pump.arm();
    });
  }

  /** Looks, after all that came up was handled, how far the goodbye is. */
  endOfBurst(now: Millis): void {
    if (this.#goodbye === undefined) return;
    if (this.#owed > 0) {
      if (this.#isDrained) this.#sendBy = Number.NEGATIVE_INFINITY;
    } else if (this.#goodbye.over === 'data') {
      if (this.#isDrained) this.#finish();
    } else if (this.#isAcknowledged) {
      this.#lookAgainAt = now + LOOK_AGAIN_MS;
      if (this.#stack.tlsstate.idle) this.#finish();
    }
  }

  /** goodbye → tlsstate | datachannel, whose workers run after this one: one copy a round */
  moveDownWorker(now: Millis): boolean {
    if (this.#goodbye === undefined || this.#owed === 0 || now < this.#sendBy) return false;
    this.#owed -= 1;
    if (this.#goodbye.over === 'data') this.#stack.datachannel.sendExit();
    else this.#stack.tlsstate.send(this.#goodbye.message);
    return true;
  }

  nextTimeout(): Millis {
    return this.#owed > 0 ? this.#sendBy : Math.min(this.#waitUntil, this.#lookAgainAt);
  }

  onTimeout(now: Millis): void {
    this.#lookAgainAt = Number.POSITIVE_INFINITY;
    if (now >= this.#waitUntil) this.#finish();
  }

  stop(): void {
    this.#finish();
  }

  get #isDrained(): boolean {
    const { channels, datachannel } = this.#stack;
    const { tunToData, dataToMuxer, muxerToNetwork } = channels;
    const areEmpty = tunToData.empty && dataToMuxer.empty && muxerToNetwork.empty;
    return areEmpty && !datachannel.isSealing;
  }

  /** Of what node:tls has put out. */
  get #isAcknowledged(): boolean {
    const { channels, reliable, keys } = this.#stack;
    const { tlsToControl, controlToReliable } = channels;
    return (
      tlsToControl.empty && controlToReliable.empty && reliable.isAcknowledged(keys.activeKeyId)
    );
  }

  #finish(): void {
    this.#goodbye = undefined;
    this.#owed = 0;
    this.#sendBy = Number.POSITIVE_INFINITY;
    this.#waitUntil = Number.POSITIVE_INFINITY;
    this.#lookAgainAt = Number.POSITIVE_INFINITY;
    this.#said();
  }
}
