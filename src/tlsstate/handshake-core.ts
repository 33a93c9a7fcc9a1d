import { OvpnProtocolError } from '../core/errors.ts';
import type { DropCounter, Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import type { DataChannelKey } from '../model/data-channel-key.ts';
import type { Role } from '../model/ids.ts';
import type { NegotiationState } from '../model/negotiation-state.ts';
import type { SessionIds } from '../model/tls-chunk.ts';
import type { Agreement, SessionMemory } from './agreement.ts';
import {
  type ControlMessage,
  encodeControlMessage,
  parseControlMessage,
} from './control-message.ts';
import { ControlTextReader } from './control-text.ts';
import { ExporterLabel } from './exporter-label.ts';
import type { HandshakeStep } from './handshake-step.ts';
import { decodeKeyMethod2, encodeKeyMethod2, type KeyMethod2 } from './key-method2.ts';
import { type KeySource, makeKeySource, prfSecrets, wipeKeySource } from './key-source2.ts';

/** What a handshake is born with. */
export interface HandshakeContext {
  readonly keyId: number;
  readonly ids: SessionIds;
  /** When the negotiation of this key id began. */
  readonly startedAt: Millis;
  readonly random: RandomSource;
  /** Shared by all key ids of the session. */
  readonly memory: SessionMemory;
  /** Counts texts of the peer that are dropped. */
  readonly drops: DropCounter;
  /** 256 bytes of the TLS exporter; called once TLS is up. */
  readonly exportKey: (label: ExporterLabel) => Buffer;
}

/** What the handshakes of both roles do alike: exchange key methods, read texts, hand out the key. */
export class HandshakeCore {
  readonly context: HandshakeContext;
  readonly #role: Role;
  readonly #steps: HandshakeStep[] = [];
  readonly #texts: ControlTextReader;
  #own: KeySource | undefined;
  #peer: KeySource | undefined;
  #established = false;
  #failed = false;

  constructor(role: Role, context: HandshakeContext) {
    this.context = context;
    this.#role = role;
    this.#texts = new ControlTextReader(context.drops);
    this.enter('S_START');
  }

  get established(): boolean {
    return this.#established;
  }

  get idle(): boolean {
    return this.#steps.length === 0;
  }

  get failed(): boolean {
    return this.#failed;
  }

  takeStep(): HandshakeStep | undefined {
    return this.#steps.shift();
  }

  enter(state: NegotiationState): void {
    this.#steps.push({ kind: 'state', state });
  }

  step(step: HandshakeStep): void {
    this.#steps.push(step);
  }

  /** Ends the negotiation; nothing that comes later counts. */
  fail(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    this.enter('S_ERROR');
    this.#steps.push({ kind: 'failed', error });
  }

  /** Sends our key method 2 with fresh random material. @throws OvpnUsageError when it is too long */
  sendKeyMethod2(fields: Omit<KeyMethod2, 'source'>): void {
    this.#own = makeKeySource(this.#role, this.context.random);
    this.#steps.push({
      kind: 'record',
      plaintext: encodeKeyMethod2({ ...fields, source: this.#own }),
    });
    this.enter('S_SENT_KEY');
  }

  /** Reads the peer's key method 2; undefined when the negotiation has failed with it. */
  readKeyMethod2(plaintext: Buffer): KeyMethod2 | undefined {
    const message = decodeKeyMethod2(plaintext, this.#role === 'client' ? 'server' : 'client');
    plaintext.fill(0);
    if (message instanceof OvpnProtocolError) {
      this.fail(message);
      return undefined;
    }
    this.#peer = message.source;
    this.enter('S_GOT_KEY');
    return message;
  }

  /** The messages that `plaintext` completes; none when it breaks the bounds. */
  readMessages(plaintext: Buffer): ControlMessage[] {
    const texts = this.#texts.push(plaintext);
    if (texts !== undefined) return texts.map(parseControlMessage);
    this.fail(
      new OvpnProtocolError('expected a NUL within 64 KiB of a control message', {
        layer: 'tlsstate',
        reference: 'forward.c parse_incoming_control_channel_command',
      }),
    );
    return [];
  }

  send(message: ControlMessage): void {
    this.#steps.push({ kind: 'record', plaintext: encodeControlMessage(message) });
  }

  /** Hands out the keys that `agreement` asks for; the secrets go with them. */
  establish(agreement: Agreement): void {
    const { keyId, ids, startedAt, exportKey } = this.context;
    const [own, peer] = [this.#own, this.#peer];
    if (own === undefined || peer === undefined) throw new Error('keys before the key exchange');
    let material: DataChannelKey['material'];
    if (agreement.tlsEkm) {
      material = exportKey(ExporterLabel.DATA_KEYS);
      this.wipe();
    } else {
      const [client, server] = this.#role === 'client' ? [own, peer] : [peer, own];
      material = prfSecrets(client, server, ids, this.#role);
      this.#own = undefined;
      this.#peer = undefined;
    }
    if (keyId === 0) {
      const exported = agreement.dynTlsCrypt ? exportKey(ExporterLabel.CONTROL_KEY) : undefined;
      this.#steps.push({ kind: 'control-key', exported });
    }
    const { cipher, peerId, aeadEpoch: epoch } = agreement;
    this.#steps.push({
      kind: 'key',
      key: { keyId, role: this.#role, cipher, peerId, epoch, material, startedAt },
    });
    this.enter('S_GENERATED_KEYS');
    this.#established = true;
  }

  wipe(): void {
    if (this.#own !== undefined) wipeKeySource(this.#own);
    if (this.#peer !== undefined) wipeKeySource(this.#peer);
    this.#own = undefined;
    this.#peer = undefined;
  }
}
