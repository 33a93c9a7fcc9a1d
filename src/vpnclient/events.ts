import type { Readable } from 'node:stream';
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
  | 'closing'
  | 'down';

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

/** The payload of `challenge`: the server wants more from the user. */
export interface ChallengeEvent {
  /** The server's text, printable, as it follows `INFO_PRE,` or `CRV1:`. */
  readonly text: string;
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
  up: [TunnelInfo];
  rekey: [RekeyEvent];
  challenge: [ChallengeEvent];
  down: [DownEvent];
  /** With `up`. */
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
