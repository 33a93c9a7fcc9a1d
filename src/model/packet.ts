import { EMPTY } from '../core/bytes.ts';
import type { SessionId } from './ids.ts';
import { Opcode } from './opcode.ts';

/** The message id of a packet that has none (P_ACK_V1). */
export const NO_PACKET_ID = -1;

/**
 * A control packet without its wrap. Every field is always set, so that all packets share one
 * shape.
 */
export class ControlPacket {
  opcode: Opcode;
  /** 0 … 7 */
  keyId: number;
  /** The sender's session id. */
  sessionId: SessionId;
  /** Message ids this packet acknowledges; at most 8. */
  ackedPacketIds: readonly number[];
  /** The receiver's session id; on the wire only beside acknowledgements. */
  remoteSessionId: SessionId | undefined;
  /** The message id, or {@link NO_PACKET_ID}. */
  packetId: number;
  payload: Buffer;
  /** How often this was sent, for the trace; 0 on received packets. */
  sendAttempts = 0;

  constructor(opcode: Opcode, keyId: number, sessionId: SessionId) {
    this.opcode = opcode;
    this.keyId = keyId;
    this.sessionId = sessionId;
    this.ackedPacketIds = NONE;
    this.remoteSessionId = undefined;
    this.packetId = NO_PACKET_ID;
    this.payload = EMPTY;
  }

  /** Whether the packet takes part in reliable delivery: all but P_ACK_V1. */
  get hasPacketId(): boolean {
    return this.opcode !== Opcode.P_ACK_V1;
  }
}

const NONE: readonly number[] = [];
