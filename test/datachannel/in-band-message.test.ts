import { describe, expect, test } from 'vitest';
import {
  EXIT,
  InBandMessage,
  inBandMessageOf,
  OCC_MAGIC,
  PING,
} from '../../src/datachannel/in-band-message.ts';
import { readUnitVectors } from './captures.ts';
import { ipv4Packet, ipv6Packet } from './fixtures.ts';

describe('the magic bytes', () => {
  test('are those of the vectors', () => {
    const { constants } = readUnitVectors<{ constants: Record<string, string> }>();
    expect({
      ping: PING.toString('hex'),
      occ_magic: OCC_MAGIC.toString('hex'),
      occ_exit: EXIT.toString('hex'),
    }).toEqual(constants);
  });
});

describe('inBandMessageOf', () => {
  const { NONE, PING: ping, EXIT: exit, OTHER_OCC } = InBandMessage;
  test.each([
    { name: 'a ping                    ', payload: PING, message: ping },
    { name: 'a ping cut short          ', payload: PING.subarray(0, 15), message: NONE },
    { name: 'a ping with a tail        ', payload: withTail(PING, 0), message: NONE },
    { name: 'almost a ping             ', payload: changedLast(PING), message: NONE },
    { name: 'OCC exit                  ', payload: EXIT, message: exit },
    { name: 'OCC exit with a tail      ', payload: withTail(EXIT, 1), message: exit },
    { name: 'OCC request               ', payload: withTail(OCC_MAGIC, 0), message: OTHER_OCC },
    { name: 'OCC load request          ', payload: withTail(OCC_MAGIC, 2), message: OTHER_OCC },
    { name: 'OCC mtu request           ', payload: withTail(OCC_MAGIC, 4), message: OTHER_OCC },
    { name: 'OCC without an opcode     ', payload: OCC_MAGIC, message: NONE },
    {
      name: 'almost OCC                ',
      payload: withTail(changedLast(OCC_MAGIC), 6),
      message: NONE,
    },
    { name: 'nothing                   ', payload: Buffer.alloc(0), message: NONE },
    { name: 'its first byte only       ', payload: Buffer.of(0x28), message: NONE },
    { name: 'an IPv4 packet            ', payload: ipv4Packet(20), message: NONE },
    { name: 'an IPv6 packet            ', payload: ipv6Packet(40), message: NONE },
  ])('$name', ({ payload, message }) => {
    expect(inBandMessageOf(payload)).toBe(message);
  });
});

function withTail(bytes: Buffer, ...tail: number[]): Buffer {
  return Buffer.concat([bytes, Buffer.from(tail)]);
}

function changedLast(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
  return changed;
}
