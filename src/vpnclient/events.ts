import type { Readable } from 'node:stream';
import type { WebSignIn } from '../model/credentials.ts';
import type { NegotiationState } from '../model/negotiation-state.ts';
import type { PushOptions } from '../model/push-options.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';

/** Where a client stands: what `state` reports. */
export type ClientState =
  | 'idle'
  | 'resolving'
  | 'connecting'
  | 'negotiating'
  | 'up'
  | 'reconnecting'
  | 'suspended'
  | 'closing'
  | 'down';

const CONNECTING: ReadonlySet<ClientState> = new Set([
  'resolving',
  'connecting',
  'negotiating',
  'reconnecting',
]);

/** Whether a client in this state is on its way to `up`. */
export function isConnecting(state: ClientState): boolean {
  return CONNECTING.has(state);
}

/** The payload of `state`. */
export interface StateEvent {
  readonly state: ClientState;
  /** The negotiation's own state while `negotiating` or `up`. */
  readonly negotiation: NegotiationState | undefined;
  /** Milliseconds since `start()`. */
  readonly elapsedMs: number;
}

/** The payload of `rekey`: a renegotiation is complete. */
export interface RekeyEvent {
  /** 1 … 7 */
  readonly keyId: number;
}

/**
 * The payload of `challenge`: the user is asked for more, by the profile (`static-challenge`), in
 * place of the password (`dynamic-challenge`), or while the server waits: for an answer (`cr-text`)
 * or a visit of a page (`web-auth`, `open-url`). Whoever answers first counts: `answer`, or the
 * callback that was given as `credentials`.
 */
export interface ChallengeEvent {
  readonly kind: 'static-challenge' | 'dynamic-challenge' | 'cr-text' | 'web-auth' | 'open-url';
  /** The question, printable; empty for a page. */
  readonly text: string;
  /** The page to open; undefined for a question. */
  readonly web: WebSignIn | undefined;
  /** Whether the answer may be shown while it is typed. */
  readonly echo: boolean;
  /** Whether the server waits for an answer. */
  readonly responseRequired: boolean;
  /** How long there is time, at most. Unit: milliseconds; `Infinity` for as long as it takes. */
  readonly deadlineMs: number;
  /**
   * Gives the answer. Later ones have no effect.
   * @throws OvpnUsageError when it is longer than 65,000 bytes, or 49,000 for `cr-text`
   */
  readonly answer: (text: string) => void;
}

/** The payload of `echo`: a text that the server pushed for the program. */
export interface EchoEvent {
  /** Printable, at most 256 characters. */
  readonly text: string;
}

/** The payload of `reconnecting`: the tunnel is lost, and comes back after a pause. */
export interface ReconnectingEvent {
  /** Why the session, or the last try, ended; undefined where the user asked for another one. */
  readonly error: Error | undefined;
  /** How long until the next try. */
  readonly delayMs: number;
  /** 1 for the first pause since the tunnel was up, or since `start()`. */
  readonly attempt: number;
}

/** The payload of `down`. */
export interface DownEvent {
  /** Why; undefined after `close()`. */
  readonly error: Error | undefined;
}

/** Events of a `VpnClient`: its own, with frozen payloads, and those of a `net.Socket`. */
export interface VpnClientEvents {
  state: [StateEvent];
  push: [PushOptions];
  echo: [EchoEvent];
  /** A session is up: the first one, or the next after `reconnecting`. */
  up: [TunnelInfo];
  /**
   * No session is up, another one is on its way. Sockets of a dialer, and the Duplex, live on: with
   * `persist-tun` as long as the address stays, else they end, and new ones wait for the tunnel.
   */
  reconnecting: [ReconnectingEvent];
  /** The server has changed the tunnel while it is up (PUSH_UPDATE): how it is from now on. */
  updated: [TunnelInfo];
  rekey: [RekeyEvent];
  challenge: [ChallengeEvent];
  /** It is over for good: `close()`, or an error that no other session can mend. */
  down: [DownEvent];
  /** With the first `up`. */
  connect: [];
  ready: [];
  /** See `setTimeout`. */
  timeout: [];
  /** One IP packet. */
  data: [Buffer];
  readable: [];
  end: [];
  drain: [];
  finish: [];
  pause: [];
  resume: [];
  pipe: [Readable];
  unpipe: [Readable];
  /** The tunnel has failed, and nobody else is told: no `start()` that rejects, no dialer. */
  error: [Error];
  close: [];
}
