/** Opcodes as on the wire (ssl_pkt.h): byte 0 is `opcode << 3 | key_id`. */
export const Opcode = {
  P_CONTROL_HARD_RESET_CLIENT_V1: 1,
  P_CONTROL_HARD_RESET_SERVER_V1: 2,
  P_CONTROL_SOFT_RESET_V1: 3,
  P_CONTROL_V1: 4,
  P_ACK_V1: 5,
  P_DATA_V1: 6,
  P_CONTROL_HARD_RESET_CLIENT_V2: 7,
  P_CONTROL_HARD_RESET_SERVER_V2: 8,
  P_DATA_V2: 9,
  P_CONTROL_HARD_RESET_CLIENT_V3: 10,
  P_CONTROL_WKC_V1: 11,
} as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

const NAMES = new Map<number, string>(
  Object.entries(Opcode).map(([name, opcode]) => [opcode, name]),
);

/** `P_CONTROL_V1` for 4; `P_UNKNOWN_31` for a number that nobody uses. */
export function opcodeName(opcode: number): string {
  return NAMES.get(opcode) ?? `P_UNKNOWN_${opcode}`;
}

/** The upper five bits of byte 0. */
export function opcodeOf(byte0: number): number {
  return byte0 >>> 3;
}

/** The lower three bits of byte 0. */
export function keyIdOf(byte0: number): number {
  return byte0 & 0x07;
}

export function isData(opcode: number): boolean {
  return opcode === Opcode.P_DATA_V1 || opcode === Opcode.P_DATA_V2;
}
