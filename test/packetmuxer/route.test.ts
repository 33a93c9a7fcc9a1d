import { describe, expect, test } from 'vitest';
import { isDataPacket, mayReceive } from '../../src/packetmuxer/route.ts';
import { readCaptures } from './captures.ts';

describe('isDataPacket', () => {
  test('tells every recorded packet', () => {
    for (const { control, data } of readCaptures()) {
      for (const { hex } of control) expect(isDataPacket(Buffer.from(hex, 'hex'))).toBe(false);
      for (const { hex } of data) expect(isDataPacket(Buffer.from(hex, 'hex'))).toBe(true);
    }
  });

  test('takes opcodes 6 and 9 of any key id, and nothing else', () => {
    for (let byte0 = 0; byte0 <= 0xff; byte0 += 1) {
      const opcode = byte0 >> 3;
      expect(isDataPacket(Buffer.from([byte0]))).toBe(opcode === 6 || opcode === 9);
    }
    expect(isDataPacket(Buffer.alloc(0))).toBe(false);
  });
});

describe('mayReceive', () => {
  test.each([
    { role: 'client', legal: [3, 4, 5, 8] },
    { role: 'server', legal: [3, 4, 5, 7] },
  ] as const)('$role: $legal', ({ role, legal }) => {
    const opcodes = Array.from({ length: 32 }, (_, opcode) => opcode);
    expect(opcodes.filter((opcode) => mayReceive(role, opcode))).toEqual(legal);
  });
});
