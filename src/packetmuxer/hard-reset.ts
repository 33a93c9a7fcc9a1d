import { Drop, type Millis } from '../core/machine.ts';
import type { SessionId } from '../model/ids.ts';
import { Opcode } from '../model/opcode.ts';
import { ControlPacket } from '../model/packet.ts';
import { decodeEarlyNegotiation } from './early-negotiation.ts';

/** Message id of a reset, on either side. */
export const RESET_PACKET_ID = 0;

/** Default wait before the first resend of a reset. Unit: milliseconds. */
export const DEFAULT_TLS_TIMEOUT_MS = 500;

/** Longest wait between two resends. Unit: milliseconds. */
export const MAX_RESET_DELAY_MS = 4_000;

export interface HardResetOptions {
  readonly localSessionId: SessionId;
  /** `tls-timeout`: wait before the first resend. Unit: milliseconds. Default: 500. */
  readonly tlsTimeoutMs?: number;
  /** P_CONTROL_HARD_RESET_CLIENT_V3 under tls-crypt-v2. Default: P_CONTROL_HARD_RESET_CLIENT_V2. */
  readonly opcode?: Opcode;
}

type State = 'due' | 'waiting' | 'answered';

/**
 * The client's opening: asks for a session until the server answers, and fixes the server's
 * session id by the first answer that is meant for us.
 *
 *     due ──takeDown──▶ waiting ──HARD_RESET_SERVER_V2──▶ answered
 *      ▲                   │
 *      └─────onTimeout─────┘     after 500, 1000, 2000, 4000, 4000 … ms
 *
 * Only our resend repairs a lost answer: a server without state never sends it by itself. Under
 * tls-crypt-v2 the answer may ask for the wrapped key once more; elsewhere its payload is nothing.
 */
export class HardReset {
  readonly #packet: ControlPacket;
  #state: State = 'due';
  #delay: Millis;
  #resendAt: Millis = Number.POSITIVE_INFINITY;
  #remoteSessionId: SessionId | undefined;
  #resendsWrappedKey = false;

  constructor({
    localSessionId,
    tlsTimeoutMs = DEFAULT_TLS_TIMEOUT_MS,
    opcode = Opcode.P_CONTROL_HARD_RESET_CLIENT_V2,
  }: HardResetOptions) {
    this.#packet = new ControlPacket(opcode, 0, localSessionId);
    this.#packet.packetId = RESET_PACKET_ID;
    this.#delay = Math.min(tlsTimeoutMs, MAX_RESET_DELAY_MS);
  }

  /** The server's session id, once it has answered. */
  get remoteSessionId(): SessionId | undefined {
    return this.#remoteSessionId;
  }

  /** Whether the server has asked for the wrapped key in message id 1. */
  get resendsWrappedKey(): boolean {
    return this.#resendsWrappedKey;
  }

  /** Judges an unwrapped HARD_RESET_SERVER_V2. */
  fromBelow(packet: ControlPacket): Drop {
    if (this.#state === 'answered') return Drop.UNEXPECTED;
    if (packet.keyId !== 0) return Drop.UNKNOWN_KEY;
    if (packet.packetId !== RESET_PACKET_ID) return Drop.UNEXPECTED;
    if (!packet.ackedPacketIds.includes(RESET_PACKET_ID)) return Drop.UNEXPECTED;
    if (!packet.remoteSessionId?.equals(this.#packet.sessionId)) return Drop.WRONG_SESSION;
    if (this.#packet.opcode === Opcode.P_CONTROL_HARD_RESET_CLIENT_V3) {
      const asked = decodeEarlyNegotiation(packet.payload);
      if (asked === undefined) return Drop.MALFORMED;
      this.#resendsWrappedKey = asked.resendWrappedKey;
    }
    this.#remoteSessionId = packet.sessionId;
    this.#state = 'answered';
    return Drop.NONE;
  }

  /** The reset, when it is to be sent or sent again. */
  takeDown(now: Millis): ControlPacket | undefined {
    if (this.#state !== 'due') return undefined;
    this.#state = 'waiting';
    this.#resendAt = now + this.#delay;
    this.#delay = Math.min(this.#delay * 2, MAX_RESET_DELAY_MS);
    this.#packet.sendAttempts += 1;
    return this.#packet;
  }

  nextTimeout(): Millis {
    return this.#state === 'waiting' ? this.#resendAt : Number.POSITIVE_INFINITY;
  }

  onTimeout(now: Millis): void {
    if (this.#state === 'waiting' && now >= this.#resendAt) this.#state = 'due';
  }
}
