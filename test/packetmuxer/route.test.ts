import { describe, expect, test } from 'vitest';
import { isDataPacket, opcodesFor, resetOpcodeFor } from '../../src/packetmuxer/route.ts';
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

describe('opcodesFor', () => {
  test.each([
    { role: 'client', wrap: 'none', legal: [3, 4, 5, 8] },
    { role: 'client', wrap: 'tls-crypt-v2', legal: [3, 4, 5, 8] },
    { role: 'server', wrap: 'none', legal: [3, 4, 5, 7] },
    { role: 'server', wrap: 'tls-auth', legal: [3, 4, 5, 7] },
    { role: 'server', wrap: 'tls-crypt', legal: [3, 4, 5, 7] },
    { role: 'server', wrap: 'tls-crypt-v2', legal: [3, 4, 5, 10, 11] },
  ] as const)('$role, $wrap: $legal', ({ role, wrap, legal }) => {
    const opcodes = Array.from({ length: 32 }, (_, opcode) => opcode);
    expect(opcodes.filter((opcode) => opcodesFor(role, wrap).has(opcode))).toEqual(legal);
  });
});

describe('resetOpcodeFor', () => {
  test.each([
    { wrap: 'none', opcode: 7 },
    { wrap: 'tls-auth', opcode: 7 },
    { wrap: 'tls-crypt', opcode: 7 },
    { wrap: 'tls-crypt-v2', opcode: 10 },
  ])('$wrap: $opcode', ({ wrap, opcode }) => {
    expect(resetOpcodeFor(wrap)).toBe(opcode);
  });
});
