import { Drop, type Machine, type Millis } from '../core/machine.ts';
import type { Role } from '../model/ids.ts';
import { Opcode } from '../model/opcode.ts';
import type { ControlPacket } from '../model/packet.ts';
import { MAX_KEY_STATES } from './constants.ts';
import { Reliable } from './reliable.ts';

export interface KeyStatesOptions {
  readonly role: Role;
  /** Wait before the first resend. Unit: milliseconds. Default in profiles: 500. */
  readonly tlsTimeoutMs: Millis;
  /** Most acknowledgements in one P_ACK_V1: 8, or 4 without a wrap and without `tls-ekm`. */
  readonly ackV1Limit: number;
  /** Whether the peer may begin a negotiation under this key id now. */
  readonly acceptsSoftReset: (keyId: number) => boolean;
}

/**
 * One {@link Reliable} per key id, at most {@link MAX_KEY_STATES}; the oldest makes place. Key id 0
 * is there from the start; a soft reset, ours or an accepted one of the peer's, brings the next.
 */
export class KeyStates implements Machine<ControlPacket, ControlPacket> {
  readonly #options: KeyStatesOptions;
  /** oldest first */
  readonly #states: Reliable[] = [];

  constructor(options: KeyStatesOptions) {
    this.#options = options;
    // The hard resets have id 0. Ours is packetmuxer's business; the server's answer comes up
    // through here to be acknowledged, the client's was acknowledged by that answer.
    this.#open(0, 1, options.role === 'client' ? 0 : 1);
  }

  /** Key ids with state, oldest first. */
  get keyIds(): readonly number[] {
    return this.#states.map((state) => state.keyId);
  }

  /** Whether the peer has acknowledged all messages of `keyId`, or its state is gone. */
  isAcknowledged(keyId: number): boolean {
    return this.#stateOf(keyId)?.isAcknowledged ?? true;
  }

  fromBelow(packet: ControlPacket): Drop {
    const state = this.#stateOf(packet.keyId);
    if (state !== undefined) return state.fromBelow(packet);
    if (packet.opcode !== Opcode.P_CONTROL_SOFT_RESET_V1) return Drop.UNKNOWN_KEY;
    if (packet.packetId !== 0 || !this.#options.acceptsSoftReset(packet.keyId)) {
      return Drop.UNEXPECTED;
    }
    return this.#open(packet.keyId, 0, 0).fromBelow(packet);
  }

  takeUp(): ControlPacket | undefined {
    for (const state of this.#states) {
      const packet = state.takeUp();
      if (packet !== undefined) return packet;
    }
    return undefined;
  }

  /** Whose turn the next item is cannot be seen from here, so every window must be open. */
  acceptsFromAbove(): boolean {
    return this.#states.every((state) => state.acceptsFromAbove());
  }

  fromAbove(packet: ControlPacket): Drop {
    const state = this.#stateOf(packet.keyId);
    if (state !== undefined) return state.fromAbove(packet);
    if (packet.opcode !== Opcode.P_CONTROL_SOFT_RESET_V1) return Drop.UNKNOWN_KEY;
    return this.#open(packet.keyId, 0, 0).fromAbove(packet);
  }

  takeDown(now: Millis): ControlPacket | undefined {
    for (const state of this.#states) {
      const packet = state.takeDown(now);
      if (packet !== undefined) return packet;
    }
    return undefined;
  }

  nextTimeout(): Millis {
    let earliest = Number.POSITIVE_INFINITY;
    for (const state of this.#states) earliest = Math.min(earliest, state.nextTimeout());
    return earliest;
  }

  onTimeout(now: Millis): void {
    for (const state of this.#states) state.onTimeout(now);
  }

  #stateOf(keyId: number): Reliable | undefined {
    return this.#states.find((state) => state.keyId === keyId);
  }

  #open(keyId: number, firstSendId: number, firstReceiveId: number): Reliable {
    const { tlsTimeoutMs, ackV1Limit } = this.#options;
    const state = new Reliable({ keyId, firstSendId, firstReceiveId, tlsTimeoutMs, ackV1Limit });
    if (this.#states.length >= MAX_KEY_STATES) this.#states.shift();
    this.#states.push(state);
    return state;
  }
}
