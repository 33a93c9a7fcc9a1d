import { u8 } from '../core/bytes.ts';
import type { Role } from '../model/ids.ts';
import { isData, Opcode, opcodeOf } from '../model/opcode.ts';

/** The wrap under which clients bring a key of their own, and reset with an opcode of their own. */
export const TLS_CRYPT_V2 = 'tls-crypt-v2';

/** Whether an outer packet is the data channel's; all others, empty ones too, are control. */
export function isDataPacket(packet: Buffer): boolean {
  return packet.length > 0 && isData(opcodeOf(u8(packet, 0)));
}

/** The control opcodes that a peer of `role` may be sent under the wrap of that name. */
export function opcodesFor(role: Role, wrapName: string): ReadonlySet<number> {
  if (role === 'client') return FROM_SERVER;
  return wrapName === TLS_CRYPT_V2 ? FROM_TLS_CRYPT_V2_CLIENT : FROM_CLIENT;
}

/** With which opcode a client begins under the wrap of that name. */
export function resetOpcodeFor(wrapName: string): Opcode {
  return wrapName === TLS_CRYPT_V2
    ? Opcode.P_CONTROL_HARD_RESET_CLIENT_V3
    : Opcode.P_CONTROL_HARD_RESET_CLIENT_V2;
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

const FROM_TLS_CRYPT_V2_CLIENT: ReadonlySet<number> = new Set<Opcode>([
  ...FROM_BOTH,
  Opcode.P_CONTROL_HARD_RESET_CLIENT_V3,
  Opcode.P_CONTROL_WKC_V1,
]);
