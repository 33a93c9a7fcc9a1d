import type { X509Certificate } from 'node:crypto';
import type { Millis } from '../core/machine.ts';
import type { Secret } from '../core/secret.ts';
import type { DataChannelKey } from '../model/data-channel-key.ts';
import type { NegotiationState } from '../model/negotiation-state.ts';
import type { PushOptions } from '../model/push-options.ts';
import type { ControlMessage } from './control-message.ts';

/** What a client shows of itself, for the server's program to judge. */
export interface AuthenticationRequest {
  readonly keyId: number;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  readonly peerInfo: ReadonlyMap<string, string>;
  readonly certificate: X509Certificate | undefined;
}

/** The judgement; `reason` is sent to the client. */
export type AuthenticationVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason?: string; readonly temporary?: boolean };

/** What a handshake gives to its owner, in order. */
export type HandshakeStep =
  | { readonly kind: 'state'; readonly state: NegotiationState }
  /** Plaintext for one TLS record; the owner overwrites it when it is sent. */
  | { readonly kind: 'record'; readonly plaintext: Buffer }
  | { readonly kind: 'authenticate'; readonly request: AuthenticationRequest }
  | { readonly kind: 'pushed'; readonly push: PushOptions }
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
