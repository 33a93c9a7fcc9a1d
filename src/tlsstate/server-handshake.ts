import type { X509Certificate } from 'node:crypto';
import { OvpnAuthError, OvpnProtocolError, OvpnTimeoutError, toError } from '../core/errors.ts';
import { hasControlCharacter } from '../core/log.ts';
import type { Millis } from '../core/machine.ts';
import type { DataCipher } from '../model/ciphers.ts';
import type { Agreement } from './agreement.ts';
import {
  chooseServerCipher,
  NO_SHARED_CIPHER_REASON,
  negotiatesCipher,
  noSharedCipher,
} from './cipher-choice.ts';
import type { AuthFailed, ControlMessage } from './control-message.ts';
import { type HandshakeContext, HandshakeCore } from './handshake-core.ts';
import type { AuthenticationVerdict, Handshake, HandshakeStep } from './handshake-step.ts';
import type { KeyMethod2 } from './key-method2.ts';
import { cipherOfOptions } from './options-string.ts';
import { IvProto, ivProtoOf, parsePeerInfo } from './peer-info.ts';
import { peerVerdict } from './peer-verdict.ts';

/** What came of the negotiation, for the text of the push. */
export interface NegotiatedFacts {
  readonly cipher: DataCipher;
  /** Whether the client negotiates ciphers: to one that does not, none is pushed. */
  readonly negotiatesCipher: boolean;
  /** undefined for a client without DATA_V2: push none. */
  readonly peerId: number | undefined;
  readonly tlsEkm: boolean;
  readonly ccExit: boolean;
  /** Whether `dyn-tls-crypt` and `aead-epoch` are granted. */
  readonly dynTlsCrypt: boolean;
  readonly aeadEpoch: boolean;
  /** All bits that the client announced. */
  readonly ivProto: number;
}

/** The server's side of every negotiation with one peer; times as in `Profile`. */
export interface ServerHandshakeOptions {
  /** The options ("OCC") string. */
  readonly optionsString: string;
  readonly dataCiphers: readonly string[];
  readonly dataCiphersFallback: string | undefined;
  readonly handWindowMs: number;
  /** The id under which DATA_V2 packets of this peer are found. */
  readonly peerId: number | undefined;
  /** What a client that announces it is granted. */
  readonly grants: { readonly dynTlsCrypt: boolean; readonly aeadEpoch: boolean };
  /** The whole messages (`PUSH_REPLY,…`) for this peer, each at most 1,024 bytes. */
  readonly buildPush: (negotiated: NegotiatedFacts) => readonly string[];
}

/** How long a refused client is kept, so that it hears why. Unit: milliseconds. Source: push.c. */
export const REFUSAL_GRACE_MS = 5000;

type Phase = 'tls' | 'key-exchange' | 'authenticate' | 'push' | 'established' | 'refused';

/**
 * The server's negotiation of one key id:
 *
 *     tls ─secured─▶ key-exchange ─client's key method 2─▶ authenticate ─ok─▶ push ─asked, or
 *                                                               │        IV_PROTO bit 2─▶ established
 *                                                               └─no─▶ refused ─grace─▶ failed
 */
export class ServerHandshake implements Handshake {
  readonly #core: HandshakeCore;
  readonly #options: ServerHandshakeOptions;
  #phase: Phase = 'tls';
  #certificate: X509Certificate | undefined;
  #clientCipher: string | undefined;
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

  received(plaintext: Buffer): void {
    if (this.#core.failed) return;
    if (this.#phase === 'key-exchange') {
      const message = this.#core.readKeyMethod2(plaintext);
      if (message !== undefined) this.#onKeyMethod2(message);
      return;
    }
    for (const message of this.#core.readMessages(plaintext)) {
      if (this.#core.failed) return;
      this.#onMessage(message);
    }
  }

  /** The judgement of the program behind the server. */
  authenticated(verdict: AuthenticationVerdict, now: Millis): void {
    if (this.#core.failed || this.#phase !== 'authenticate') return;
    this.#core.sendKeyMethod2({
      options: this.#options.optionsString,
      username: undefined,
      password: undefined,
      peerInfo: undefined,
    });
    if (!verdict.ok) {
      this.#refuse(authFailed(verdict), clientRefused(verdict.reason), now);
      return;
    }
    const agreement = this.#agree();
    if (agreement === undefined) {
      const error = noSharedCipher('the client lists none of ours');
      this.#refuse(authFailed({ reason: NO_SHARED_CIPHER_REASON }), error, now);
      return;
    }
    this.#core.context.memory.agreement = agreement;
    this.#core.enter('S_ACTIVE');
    this.#phase = 'push';
    this.#deadline = now + this.#options.handWindowMs;
    if (this.keyId > 0) this.#establish(agreement);
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
  }

  #onKeyMethod2({ options, username, password, peerInfo }: KeyMethod2): void {
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
    this.#phase = 'authenticate';
    this.#core.step({
      kind: 'authenticate',
      request: {
        keyId: this.keyId,
        username,
        password,
        peerInfo: this.#peerInfo,
        certificate: this.#certificate,
      },
    });
  }

  #onMessage(message: ControlMessage): void {
    this.#core.step({ kind: 'message', message });
    const verdict = peerVerdict(message, 'server', false);
    if (verdict !== undefined) {
      this.#core.fail(verdict);
    } else if (message.kind === 'push-request') {
      this.#pushRequested = true;
      const { agreement } = this.#core.context.memory;
      if (this.#phase === 'push' && agreement !== undefined) this.#push(agreement);
    }
  }

  /** What key id 0 settles; later key ids keep it. Undefined without a shared cipher. */
  #agree(): Agreement | undefined {
    const { agreement } = this.#core.context.memory;
    if (this.keyId > 0) return agreement;
    const { dataCiphers, dataCiphersFallback, grants } = this.#options;
    const cipher = chooseServerCipher({
      dataCiphers,
      fallback: dataCiphersFallback,
      peerInfo: this.#peerInfo,
      clientOptions: this.#clientCipher,
    });
    if (cipher === undefined) return undefined;
    const peerId = this.#announces(IvProto.DATA_V2) ? this.#options.peerId : undefined;
    // Only `protocol-flags` can tell of these two, and only with bit 7 is that read.
    const readsFlags = this.#announces(IvProto.CC_EXIT_NOTIFY);
    const knowsEpochs = readsFlags && this.#announces(IvProto.AEAD_EPOCH);
    return {
      cipher,
      peerId,
      tlsEkm: this.#announces(IvProto.TLS_KEY_EXPORT),
      dynTlsCrypt: grants.dynTlsCrypt && readsFlags && this.#announces(IvProto.DYN_TLS_CRYPT),
      aeadEpoch: grants.aeadEpoch && knowsEpochs && cipher.aead && peerId !== undefined,
    };
  }

  #push(agreement: Agreement): void {
    const ivProto = ivProtoOf(this.#peerInfo);
    const ccExit = this.#announces(IvProto.CC_EXIT_NOTIFY);
    const facts = { ccExit, ivProto, negotiatesCipher: negotiatesCipher(this.#peerInfo) };
    try {
      for (const text of this.#options.buildPush({ ...agreement, ...facts })) {
        this.#core.send({ kind: 'unknown', text });
      }
    } catch (thrown) {
      this.#core.fail(toError(thrown));
      return;
    }
    this.#establish(agreement);
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

function authFailed({ reason, temporary }: { reason?: string; temporary?: boolean }): AuthFailed {
  return {
    kind: 'auth-failed',
    reason,
    temporary: temporary === true ? { backoffMs: 0, advance: 'no' } : undefined,
    session: false,
    challenge: undefined,
  };
}

function clientRefused(reason: string | undefined): OvpnAuthError {
  return new OvpnAuthError('OVPN_AUTH_FAILED', 'the client was refused by authenticate', {
    layer: 'tlsstate',
    initiator: 'library',
    ...(reason !== undefined && { reason }),
  });
}
