import type { X509Certificate } from 'node:crypto';
import type { Millis } from '../core/machine.ts';
import type { Secret } from '../core/secret.ts';
import type { DataChannelKey } from '../model/data-channel-key.ts';
import type { NegotiationState } from '../model/negotiation-state.ts';
import type { PushOptions } from '../model/push-options.ts';
import type { ControlMessage } from './control-message.ts';
import type { ServerQuestion } from './server-question.ts';

/** What a client shows of itself, for the server's program to judge. */
export interface AuthenticationRequest {
  readonly keyId: number;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  readonly peerInfo: ReadonlyMap<string, string>;
  readonly certificate: X509Certificate | undefined;
  /** Whether an earlier verdict left this exchange pending. */
  readonly pending: boolean;
  /** The answer to the question of that verdict, once there is one. */
  readonly response: Secret | undefined;
}

/** The judgement. */
export type AuthenticationVerdict = AcceptedSignIn | RefusedSignIn;

export interface AcceptedSignIn {
  readonly ok: true;
  /** Pushed as `auth-token`: what the client sends as its password from now on. At most 240 bytes. */
  readonly token?: string;
  /** Pushed beside it: the user name that goes with it. */
  readonly tokenUser?: string;
}

export interface RefusedSignIn {
  readonly ok: false;
  /** Sent to the client. */
  readonly reason?: string;
  /** Whether the client may try again: after so long, and where. */
  readonly temporary?: boolean;
  /** Unit: milliseconds. Default: 0. */
  readonly backoffMs?: number;
  /** Default: `no`, here. */
  readonly advance?: 'no' | 'addr' | 'remote';
  /** Whether it is a token that has expired: the client tries its password. */
  readonly session?: boolean;
  /** A question, to be answered in place of the password by the next exchange. */
  readonly challenge?: SignInChallenge;
  /**
   * Nothing is decided yet. `authenticate` is asked again with each answer and, at most once a
   * second, while the client waits. Only in the first exchange of a session.
   */
  readonly pending?: PendingSignIn;
}

/** The next password is `CRV1::<stateId>::<answer>`. */
export interface SignInChallenge {
  readonly text: string;
  /** Without colons. */
  readonly stateId: string;
  /** Default: the user name of the exchange. */
  readonly username?: string;
  /** Whether the answer may be shown while it is typed. Default: false. */
  readonly echo?: boolean;
}

export interface PendingSignIn {
  /** Unit: milliseconds. Default: the server's `handWindowMs`. */
  readonly timeoutMs?: number;
  /** Asked of the user meanwhile. */
  readonly question?: ServerQuestion;
}

/** What a handshake gives to its owner, in order. */
export type HandshakeStep =
  | { readonly kind: 'state'; readonly state: NegotiationState }
  /** Plaintext for one TLS record; the owner overwrites it when it is sent. */
  | { readonly kind: 'record'; readonly plaintext: Buffer }
  | { readonly kind: 'authenticate'; readonly request: AuthenticationRequest }
  | { readonly kind: 'pushed'; readonly push: PushOptions }
  /** A PUSH_UPDATE is complete: what is in force from now on. */
  | { readonly kind: 'updated'; readonly push: PushOptions }
  | { readonly kind: 'message'; readonly message: ControlMessage }
  /**
   * Key id 0 has settled how later key ids are wrapped: 256 bytes of the TLS exporter, or undefined
   * for as before. Told before its `key`.
   */
  | { readonly kind: 'control-key'; readonly exported: Buffer | undefined }
  | { readonly kind: 'key'; readonly key: DataChannelKey }
  | { readonly kind: 'failed'; readonly error: Error };

/** The machine of one key id, in either role: TLS plaintext in, steps out. */
export interface Handshake {
  readonly keyId: number;
  /** Whether data keys were handed out: control messages may use this TLS session. */
  readonly established: boolean;
  /** Whether no step waits to be taken. */
  readonly idle: boolean;
  /** TLS is up and the peer's certificate was accepted. */
  secured(peer: X509Certificate | undefined, now: Millis): void;
  /** Takes the plaintext of one TLS record. */
  received(plaintext: Buffer, now: Millis): void;
  /** Sends a control message. Only once `established`. */
  send(message: ControlMessage): void;
  /** Fails the negotiation for a reason from outside. */
  abort(error: Error): void;
  takeStep(): HandshakeStep | undefined;
  nextTimeout(): Millis;
  onTimeout(now: Millis): void;
  /** Overwrites the key material that it still holds. */
  wipe(): void;
}
