import { u8 } from '../core/bytes.ts';
import type { Role } from '../model/ids.ts';
import { isData, Opcode, opcodeOf } from '../model/opcode.ts';

/** Whether an outer packet is the data channel's; all others, empty ones too, are control. */
export function isDataPacket(packet: Buffer): boolean {
  return packet.length > 0 && isData(opcodeOf(u8(packet, 0)));
}

/** Whether a peer of `role` may be sent this control opcode. */
export function mayReceive(role: Role, opcode: number): boolean {
  return (role === 'client' ? FROM_SERVER : FROM_CLIENT).has(opcode);
}

const FROM_BOTH = [Opcode.P_CONTROL_SOFT_RESET_V1, Opcode.P_CONTROL_V1, Opcode.P_ACK_V1];

const FROM_SERVER: ReadonlySet<number> = new Set<Opcode>([
  ...FROM_BOTH,
  Opcode.P_CONTROL_HARD_RESET_SERVER_V2,
]);

const FROM_CLIENT: ReadonlySet<number> = new Set<Opcode>([
  ...FROM_BOTH,
  Opcode.P_CONTROL_HARD_RESET_CLIENT_V2,
]);
