import type { Channel } from '../core/channel.ts';
import type { RandomSource } from '../core/random.ts';
import type { DataCipher } from '../model/ciphers.ts';
import type { DataChannelKey } from '../model/data-channel-key.ts';
import type { NegotiationState } from '../model/negotiation-state.ts';
import type { PushOptions } from '../model/push-options.ts';
import type { SessionIds, TlsChunk } from '../model/tls-chunk.ts';
import type { ControlMessage } from './control-message.ts';
import type { ClientHandshakeOptions, KeyExchangeCredentials } from './handshake.ts';
import type { AuthenticationRequest, AuthenticationVerdict } from './handshake-step.ts';
import type { HeldToken } from './held-token.ts';
import type { ServerHandshakeOptions } from './server-handshake.ts';
import type { TlsIdentity } from './tls-engine.ts';

export interface TlsStatePorts {
  readonly controlToTls: Channel<TlsChunk>;
  readonly tlsToControl: Channel<TlsChunk>;
  readonly hardResetDone: Channel<SessionIds>;
  /** Key ids for which a TLS session begins. */
  readonly softReset: Channel<number>;
  /** Key ids whose negotiation is complete. */
  readonly keyEstablished: Channel<number>;
  readonly keyReady: Channel<DataChannelKey>;
}

/** Facts of an established key. */
export interface EstablishedFacts {
  readonly cipher: DataCipher;
  readonly peerId: number | undefined;
  /** Whether data packets have the epoch format. */
  readonly epoch: boolean;
  readonly tlsVersion: string;
  /** What key id 0 was pushed; undefined in the server role. */
  readonly push: PushOptions | undefined;
}

/** Called synchronously by the workers. */
export interface TlsStateEvents {
  state(state: NegotiationState, keyId: number): void;
  /** The client has the whole push; its key follows. */
  pushed(push: PushOptions): void;
  /** A PUSH_UPDATE has changed it: what is in force from now on. */
  updated?(push: PushOptions): void;
  /**
   * Told once, when key id 0 has settled and before it is `established`: 256 bytes for the control
   * wrap of later key ids, which the receiver overwrites, or undefined: they keep that of key id 0.
   */
  controlKey(exported: Buffer | undefined): void;
  established(keyId: number, facts: EstablishedFacts): void;
  /** Every control message of the peer, before it takes effect. */
  message(message: ControlMessage): void;
  /** The session is over. Called at most once. */
  failed(error: Error): void;
}

interface CommonOptions {
  readonly identity: TlsIdentity;
  /** Longest piece of the TLS stream that one control packet takes. Unit: bytes. */
  readonly maxChunkBytes: number;
  /** The same for the first piece of key id 0, which may share its packet with a wrapped key. */
  readonly firstChunkBytes: number;
  readonly random: RandomSource;
  /** Asks the pump for a run: node:tls and promises answer outside of it. */
  readonly arm: () => void;
}

export interface ClientTlsStateOptions extends CommonOptions {
  readonly role: 'client';
  readonly handshake: ClientHandshakeOptions;
  /** The auth-token, where sessions before and after this one share it. Default: its own. */
  readonly held?: HeldToken;
  /** Asked for every key id while no auth-token is held; undefined where the server wants none. */
  readonly credentials: () => Promise<KeyExchangeCredentials | undefined>;
}

export interface ServerTlsStateOptions extends CommonOptions {
  readonly role: 'server';
  readonly handshake: ServerHandshakeOptions;
  /** Asked for every key id. A rejection counts as a temporary refusal. */
  readonly authenticate: (request: AuthenticationRequest) => Promise<AuthenticationVerdict>;
}

export type TlsStateOptions = ClientTlsStateOptions | ServerTlsStateOptions;
