import { setU8, setU32, u8, u32 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';
import { SESSION_ID_BYTES, sessionIdOf } from '../model/ids.ts';
import { Opcode, opcodeOf } from '../model/opcode.ts';
import { ControlPacket } from '../model/packet.ts';

/**
 * Control packets without their wrap (ssl_pkt.c, reliable.c):
 *
 *     offset   size  field
 *     0        1     opcode << 3 | key_id
 *     1        8     sender's session id, never all zero
 *     9        1     n, number of acknowledgements, 0 … 8
 *     10       4n    acknowledged message ids
 *     10+4n    8     receiver's session id; only when n > 0
 *     …        4     message id; not in P_ACK_V1
 *     …        rest  payload; none in P_ACK_V1
 */

/** Most acknowledgements in one packet; with more, peers drop the whole packet. */
export const MAX_ACKS = 8;

/** Longest payload that is taken. Unit: bytes. OpenVPN sends less than 1,250, and takes about 1,600. */
export const MAX_CONTROL_PAYLOAD_BYTES = 2_048;

/** Opcode, key id and session id: what every wrap leaves in clear. Unit: bytes. */
export const CLEAR_HEADER_BYTES: number = 1 + SESSION_ID_BYTES;

const ACK_COUNT_AT = CLEAR_HEADER_BYTES;
const ACKS_AT = ACK_COUNT_AT + 1;
const ID_BYTES = 4;

/** Longest control packet that is taken, without its wrap. Unit: bytes. */
export const MAX_CONTROL_PACKET_BYTES: number =
  ACKS_AT + MAX_ACKS * ID_BYTES + SESSION_ID_BYTES + ID_BYTES + MAX_CONTROL_PAYLOAD_BYTES;

/** The packet as bytes, in a buffer of its own. `sessionId`, and beside ACKs `remoteSessionId`, are set. */
export function encodeControlPacket(packet: ControlPacket): Buffer {
  const { ackedPacketIds, remoteSessionId, hasPacketId } = packet;
  const payloadBytes = hasPacketId ? packet.payload.length : 0;
  const bytes = Buffer.allocUnsafe(
    payloadOffset(ackedPacketIds.length, hasPacketId) + payloadBytes,
  );
  setU8(bytes, 0, (packet.opcode << 3) | packet.keyId);
  bytes.set(packet.sessionId, 1);
  setU8(bytes, ACK_COUNT_AT, ackedPacketIds.length);
  let at = ACKS_AT;
  for (const id of ackedPacketIds) {
    setU32(bytes, at, id);
    at += ID_BYTES;
  }
  if (ackedPacketIds.length > 0) {
    if (remoteSessionId === undefined) throw new Error('acknowledgements without a session id');
    bytes.set(remoteSessionId, at);
    at += SESSION_ID_BYTES;
  }
  if (hasPacketId) {
    setU32(bytes, at, packet.packetId);
    bytes.set(packet.payload, at + ID_BYTES);
  }
  return bytes;
}

/** The packet that `bytes` hold; it keeps no reference to them. */
export function decodeControlPacket(bytes: Buffer): ControlPacket | Drop {
  if (bytes.length < ACKS_AT) return Drop.MALFORMED;
  const opcode = opcodeOf(u8(bytes, 0));
  if (!isControl(opcode)) return Drop.BAD_OPCODE;
  const packet = new ControlPacket(
    opcode,
    u8(bytes, 0) & 0x07,
    sessionIdOf(bytes.subarray(1, CLEAR_HEADER_BYTES)),
  );
  if (packet.sessionId.every((byte) => byte === 0)) return Drop.MALFORMED;

  const ackCount = u8(bytes, ACK_COUNT_AT);
  if (ackCount > MAX_ACKS) return Drop.MALFORMED;
  const payloadAt = payloadOffset(ackCount, packet.hasPacketId);
  const longest = packet.hasPacketId ? MAX_CONTROL_PAYLOAD_BYTES : 0;
  if (bytes.length < payloadAt || bytes.length > payloadAt + longest) return Drop.MALFORMED;

  if (ackCount > 0) {
    const idsEnd = ACKS_AT + ackCount * ID_BYTES;
    packet.ackedPacketIds = Array.from({ length: ackCount }, (_, index) =>
      u32(bytes, ACKS_AT + index * ID_BYTES),
    );
    packet.remoteSessionId = sessionIdOf(bytes.subarray(idsEnd, idsEnd + SESSION_ID_BYTES));
  }
  if (packet.hasPacketId) {
    packet.packetId = u32(bytes, payloadAt - ID_BYTES);
    packet.payload = Buffer.from(bytes.subarray(payloadAt));
  }
  return packet;
}

function payloadOffset(ackCount: number, hasPacketId: boolean): number {
  const ackBytes = ackCount > 0 ? ackCount * ID_BYTES + SESSION_ID_BYTES : 0;
  return ACKS_AT + ackBytes + (hasPacketId ? ID_BYTES : 0);
}

const CONTROL_OPCODES: ReadonlySet<number> = new Set<Opcode>([
  Opcode.P_CONTROL_SOFT_RESET_V1,
  Opcode.P_CONTROL_V1,
  Opcode.P_ACK_V1,
  Opcode.P_CONTROL_HARD_RESET_CLIENT_V2,
  Opcode.P_CONTROL_HARD_RESET_SERVER_V2,
  Opcode.P_CONTROL_HARD_RESET_CLIENT_V3,
  Opcode.P_CONTROL_WKC_V1,
]);

/** Key method 1 and its V1 resets are obsolete: nobody may send them. */
function isControl(opcode: number): opcode is Opcode {
  return CONTROL_OPCODES.has(opcode);
}
