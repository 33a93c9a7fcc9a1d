import { describe, expect, test } from 'vitest';
import { DataHeader, headerBytesOf } from '../../src/datachannel/data-header.ts';

describe('DataHeader', () => {
  test.each([
    { name: 'V1             ', keyId: 0, peerId: undefined, hex: '30' },
    { name: 'V1, key id 5   ', keyId: 5, peerId: undefined, hex: '35' },
    { name: 'V2             ', keyId: 0, peerId: 0, hex: '48000000' },
    { name: 'V2, all bits   ', keyId: 7, peerId: 0xff_fffe, hex: '4ffffffe' },
    { name: 'V2, every byte ', keyId: 5, peerId: 0xfe_dcba, hex: '4dfedcba' },
  ])('$name', ({ keyId, peerId, hex }) => {
    const header = new DataHeader(keyId, peerId);
    const packet = Buffer.alloc(6, 0xee);
    header.write(packet);
    expect(packet.toString('hex')).toBe(hex.padEnd(12, 'e'));
    expect(header.bytes).toBe(hex.length / 2);
  });
});

describe('headerBytesOf', () => {
  test.each([
    { name: 'DATA_V1', byte0: 0x37, bytes: 1 },
    { name: 'DATA_V2', byte0: 0x4f, bytes: 4 },
  ])('$name', ({ byte0, bytes }) => {
    expect(headerBytesOf(byte0)).toBe(bytes);
  });
});
