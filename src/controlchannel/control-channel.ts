import { OvpnTimeoutError } from '../core/errors.ts';
import { Drop, type Millis } from '../core/machine.ts';
import { NO_SESSION_ID, nextKeyId } from '../model/ids.ts';
import { Opcode } from '../model/opcode.ts';
import { ControlPacket } from '../model/packet.ts';
import type { TlsChunk } from '../model/tls-chunk.ts';

/** How long a soft reset of ours may go unanswered. Unit: milliseconds. OpenVPN: `hand-window`. */
export const SOFT_RESET_WINDOW_MS = 60_000;

/**
 * After a renegotiation the peer's next soft reset is dropped for so long, and comes again: a flood
 * of them costs us one handshake a second. Unit: milliseconds.
 */
export const SOFT_RESET_REST_MS = 1000;

/**
 * The control channel of a session, over all key ids: TLS bytes in P_CONTROL_V1, and who begins
 * the next negotiation. At most one is pending.
 *
 *     NEGOTIATING ──keyEstablished──▶ ESTABLISHED ──startSoftReset──▶ ASKED
 *       ▲     ▲                            │                            │
 *       │     └──peer's reset: answered────┘     peer's reset: answer   │
 *       └───────────────────────────────────────────────────────────────┘
 *
 * When both begin at once, each takes the other's reset for the answer. After a renegotiation the
 * peer's next reset must wait a little, ours need not.
 */
export class ControlChannel {
  readonly #softResetWindowMs: Millis;
  #state: NegotiationPhase = 'NEGOTIATING';
  #activeKeyId = 0;
  /** the key id being negotiated; the active one while ESTABLISHED */
  #newestKeyId = 0;
  #answerBy: Millis = Number.POSITIVE_INFINITY;
  /** until when the peer's soft resets are dropped; `Infinity` while they are not */
  #restUntil: Millis = Number.POSITIVE_INFINITY;
  #resetToSend: ControlPacket | undefined;
  #negotiationToBegin: number | undefined;
  #chunkToRaise: TlsChunk | undefined;

  /** @param softResetWindowMs the profile's `hand-window`. Range: 1 and more. */
  constructor(softResetWindowMs: Millis = SOFT_RESET_WINDOW_MS) {
    this.#softResetWindowMs = softResetWindowMs;
  }

  /** The key id whose TLS session carries control messages: the newest established one, or 0. */
  get activeKeyId(): number {
    return this.#activeKeyId;
  }

  /** The key id of a renegotiation that is not complete yet. */
  get pendingKeyId(): number | undefined {
    return this.#newestKeyId === this.#activeKeyId ? undefined : this.#newestKeyId;
  }

  /** Whether a soft reset of the peer with `keyId` would begin or answer a negotiation now. */
  acceptsSoftReset(keyId: number): boolean {
    switch (this.#state) {
      case 'NEGOTIATING':
        return false;
      case 'ESTABLISHED':
        return !this.#resting && keyId === nextKeyId(this.#activeKeyId);
      case 'ASKED':
        return keyId === this.#newestKeyId;
    }
  }

  /** Feeds one packet that came up, in order; then `takeUp` and `takeSoftReset` may have results. */
  fromBelow(packet: ControlPacket): Drop {
    switch (packet.opcode) {
      case Opcode.P_CONTROL_V1:
      case Opcode.P_CONTROL_WKC_V1:
        return this.#onTlsBytes(packet);
      case Opcode.P_CONTROL_SOFT_RESET_V1:
        return this.#onSoftReset(packet);
      case Opcode.P_CONTROL_HARD_RESET_SERVER_V2:
        // The muxer has acted on it; it comes here only because it has a message id.
        return packet.keyId === 0 && packet.packetId === 0 ? Drop.NONE : Drop.UNEXPECTED;
      default:
        return Drop.BAD_OPCODE;
    }
  }

  /** TLS bytes of the packet that was fed last. */
  takeUp(): TlsChunk | undefined {
    const chunk = this.#chunkToRaise;
    this.#chunkToRaise = undefined;
    return chunk;
  }

  /** The key id for which both ends have agreed to begin a TLS session; told once. */
  takeSoftReset(): number | undefined {
    const keyId = this.#negotiationToBegin;
    this.#negotiationToBegin = undefined;
    return keyId;
  }

  /** The negotiation of `keyId` is complete. @throws Error for one that was not going on */
  keyEstablished(keyId: number, now: Millis): void {
    if (this.#state !== 'NEGOTIATING' || keyId !== this.#newestKeyId) {
      throw new Error(`key id ${keyId} established in state ${this.#state} ${this.#newestKeyId}`);
    }
    this.#activeKeyId = keyId;
    this.#state = 'ESTABLISHED';
    if (keyId !== 0) this.#restUntil = now + SOFT_RESET_REST_MS;
  }

  /** Asks for a renegotiation; false, and nothing done, while one is going on. */
  startSoftReset(now: Millis): boolean {
    if (this.#state !== 'ESTABLISHED') return false;
    this.#state = 'ASKED';
    this.#answerBy = now + this.#softResetWindowMs;
    this.#offer(nextKeyId(this.#activeKeyId));
    return true;
  }

  /** A soft reset that is to go out before any TLS bytes of its key id. */
  takeDown(): ControlPacket | undefined {
    const reset = this.#resetToSend;
    this.#resetToSend = undefined;
    return reset;
  }

  /** TLS bytes on their way down, as a packet; `chunk` fits into one already. */
  fromAbove(chunk: TlsChunk): ControlPacket {
    const packet = new ControlPacket(Opcode.P_CONTROL_V1, chunk.keyId, NO_SESSION_ID);
    packet.payload = chunk.bytes;
    return packet;
  }

  nextTimeout(): Millis {
    return Math.min(this.#answerBy, this.#restUntil);
  }

  /** @throws OvpnTimeoutError when our soft reset got no answer: the peer is gone */
  onTimeout(now: Millis): void {
    if (now >= this.#restUntil) this.#restUntil = Number.POSITIVE_INFINITY;
    if (now < this.#answerBy) return;
    throw new OvpnTimeoutError(
      'OVPN_HANDSHAKE_TIMEOUT',
      `expected an answer to the soft reset for key_id ${this.#newestKeyId}, got none`,
      { layer: 'controlchannel', phase: 'soft reset', timeoutMs: this.#softResetWindowMs },
    );
  }

  get #resting(): boolean {
    return this.#restUntil !== Number.POSITIVE_INFINITY;
  }

  /** Old key ids may still speak; one that we have only asked for may not. */
  #onTlsBytes({ keyId, payload }: ControlPacket): Drop {
    if (this.#state === 'ASKED' && keyId === this.#newestKeyId) return Drop.UNEXPECTED;
    if (payload.length > 0) this.#chunkToRaise = { keyId, bytes: payload };
    return Drop.NONE;
  }

  #onSoftReset({ keyId, packetId }: ControlPacket): Drop {
    if (packetId !== 0 || !this.acceptsSoftReset(keyId)) return Drop.UNEXPECTED;
    if (this.#state === 'ESTABLISHED') this.#offer(keyId);
    this.#state = 'NEGOTIATING';
    this.#answerBy = Number.POSITIVE_INFINITY;
    this.#negotiationToBegin = keyId;
    return Drop.NONE;
  }

  #offer(keyId: number): void {
    this.#newestKeyId = keyId;
    this.#resetToSend = new ControlPacket(Opcode.P_CONTROL_SOFT_RESET_V1, keyId, NO_SESSION_ID);
  }
}

type NegotiationPhase = 'NEGOTIATING' | 'ESTABLISHED' | 'ASKED';
