import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { sessionIdOf } from '../../src/model/ids.ts';
import { Opcode, opcodeName } from '../../src/model/opcode.ts';
import { ControlPacket, NO_PACKET_ID } from '../../src/model/packet.ts';
import {
  decodeControlPacket,
  encodeControlPacket,
  MAX_CONTROL_PAYLOAD_BYTES,
} from '../../src/packetmuxer/control-packet-codec.ts';
import { plainOf, readCaptures } from './captures.ts';

const SID = 'a1a2a3a4a5a6a7a8';
const PEER = 'b1b2b3b4b5b6b7b8';

function decoded(bytes: Buffer): ControlPacket {
  const packet = decodeControlPacket(bytes);
  if (typeof packet === 'number') throw new Error(`dropped: ${packet}`);
  return packet;
}

describe('decodeControlPacket', () => {
  test.each([
    {
      name: 'client reset',
      hex: `38${SID}0000000000`,
      opcode: 7,
      keyId: 0,
      acks: [],
      id: 0,
      payload: '',
    },
    {
      name: 'server reset',
      hex: `40${SID}0100000000${PEER}00000000`,
      opcode: 8,
      keyId: 0,
      acks: [0],
      id: 0,
      payload: '',
    },
    {
      name: 'control',
      hex: `20${SID}000000000a1603`,
      opcode: 4,
      keyId: 0,
      acks: [],
      id: 10,
      payload: '1603',
    },
    {
      name: 'highest message id',
      hex: `20${SID}00ffffffff`,
      opcode: 4,
      keyId: 0,
      acks: [],
      id: 0xffff_ffff,
      payload: '',
    },
    {
      name: 'soft reset, key id 7',
      hex: `1f${SID}0000000000`,
      opcode: 3,
      keyId: 7,
      acks: [],
      id: 0,
      payload: '',
    },
    {
      name: 'two acknowledgements',
      hex: `28${SID}020000000180000000${PEER}`,
      opcode: 5,
      keyId: 0,
      acks: [1, 0x8000_0000],
      id: NO_PACKET_ID,
      payload: '',
    },
    {
      name: 'ACK_V1 without any',
      hex: `28${SID}00`,
      opcode: 5,
      keyId: 0,
      acks: [],
      id: NO_PACKET_ID,
      payload: '',
    },
  ])('$name', ({ hex, opcode, keyId, acks, id, payload }) => {
    const packet = decoded(Buffer.from(hex, 'hex'));
    expect(packet.opcode).toBe(opcode);
    expect(packet.keyId).toBe(keyId);
    expect(packet.sessionId.toString('hex')).toBe(SID);
    expect(packet.ackedPacketIds).toEqual(acks);
    expect(packet.remoteSessionId?.toString('hex')).toBe(acks.length > 0 ? PEER : undefined);
    expect(packet.packetId).toBe(id);
    expect(packet.payload.toString('hex')).toBe(payload);
    expect(encodeControlPacket(packet).toString('hex')).toBe(hex);
  });

  const eightAcks = '00000001'.repeat(8);
  test.each([
    { name: 'nothing', hex: '', drop: Drop.MALFORMED },
    { name: 'no ACK count', hex: `20${SID}`, drop: Drop.MALFORMED },
    { name: 'a session id of zeros', hex: '2000000000000000000000000001', drop: Drop.MALFORMED },
    {
      name: 'nine acknowledgements',
      hex: `28${SID}09${eightAcks}00000001${PEER}`,
      drop: Drop.MALFORMED,
    },
    { name: 'half a message id', hex: `20${SID}000000`, drop: Drop.MALFORMED },
    { name: 'ACKs without session id', hex: `28${SID}0100000001`, drop: Drop.MALFORMED },
    { name: 'a byte behind ACK_V1', hex: `28${SID}0100000001${PEER}00`, drop: Drop.MALFORMED },
    {
      name: 'a payload too long',
      hex: `20${SID}0000000001${'00'.repeat(MAX_CONTROL_PAYLOAD_BYTES + 1)}`,
      drop: Drop.MALFORMED,
    },
    { name: 'opcode 0', hex: `00${SID}0000000000`, drop: Drop.BAD_OPCODE },
    { name: 'client reset V1', hex: `08${SID}0000000000`, drop: Drop.BAD_OPCODE },
    { name: 'server reset V1', hex: `10${SID}0000000000`, drop: Drop.BAD_OPCODE },
    { name: 'DATA_V1', hex: `30${SID}0000000000`, drop: Drop.BAD_OPCODE },
    { name: 'DATA_V2', hex: `48${SID}0000000000`, drop: Drop.BAD_OPCODE },
    { name: 'opcode 12', hex: `60${SID}0000000000`, drop: Drop.BAD_OPCODE },
  ])('refuses $name', ({ hex, drop }) => {
    expect(decodeControlPacket(Buffer.from(hex, 'hex'))).toBe(drop);
  });

  test('takes eight acknowledgements and the longest payload', () => {
    const hex = `20${SID}08${eightAcks}${PEER}00000001${'ff'.repeat(MAX_CONTROL_PAYLOAD_BYTES)}`;
    const packet = decoded(Buffer.from(hex, 'hex'));
    expect(packet.ackedPacketIds).toHaveLength(8);
    expect(packet.payload).toHaveLength(MAX_CONTROL_PAYLOAD_BYTES);
  });

  test('keeps no reference to the bytes', () => {
    const bytes = Buffer.from(`20${SID}0100000000${PEER}000000011603`, 'hex');
    const packet = decoded(bytes);
    bytes.fill(0xdb);
    expect(packet.sessionId.toString('hex')).toBe(SID);
    expect(packet.remoteSessionId?.toString('hex')).toBe(PEER);
    expect(packet.payload.toString('hex')).toBe('1603');
  });
});

describe('encodeControlPacket', () => {
  test('refuses acknowledgements for nobody', () => {
    const packet = new ControlPacket(Opcode.P_ACK_V1, 0, sessionIdOf(Buffer.from(SID, 'hex')));
    packet.ackedPacketIds = [1];
    expect(() => encodeControlPacket(packet)).toThrow('without a session id');
  });
});

describe('both ways', () => {
  const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const sessionId = fc
    .uint8Array({ minLength: 8, maxLength: 8 })
    .filter((bytes) => bytes.some((byte) => byte !== 0))
    .map(sessionIdOf);
  const anyPacket = fc
    .record({
      opcode: fc.constantFrom<Opcode>(3, 4, 5, 7, 8, 10, 11),
      keyId: fc.integer({ min: 0, max: 7 }),
      sessionId,
      acks: fc.array(uint32, { maxLength: 8 }),
      remote: sessionId,
      id: uint32,
      payload: fc.uint8Array({ maxLength: 300 }),
    })
    .map(({ opcode, keyId, sessionId: local, acks, remote, id, payload }) => {
      const packet = new ControlPacket(opcode, keyId, local);
      packet.ackedPacketIds = acks;
      if (acks.length > 0) packet.remoteSessionId = remote;
      if (packet.hasPacketId) {
        packet.packetId = id;
        packet.payload = Buffer.from(payload);
      }
      return packet;
    });

  test('decode(encode(packet)) is the packet', () => {
    fc.assert(
      fc.property(anyPacket, (packet) => {
        expect(decodeControlPacket(encodeControlPacket(packet))).toEqual(packet);
      }),
    );
  });

  test('whatever decodes encodes to the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const packet = decodeControlPacket(Buffer.from(bytes));
        if (typeof packet === 'number') return;
        expect(encodeControlPacket(packet)).toEqual(Buffer.from(bytes));
      }),
    );
  });
});

describe('recorded sessions', () => {
  test.each(readCaptures())(
    '$name: every control packet is read and written again',
    ({ control }) => {
      expect(control.length).toBeGreaterThan(0);
      for (const recorded of control) {
        const plain = plainOf(recorded);
        const packet = decoded(plain);
        expect(opcodeName(packet.opcode)).toMatch(new RegExp(`^P_(CONTROL_)?${recorded.op}$`));
        expect(packet.keyId).toBe(recorded.key_id);
        expect(packet.sessionId.toString('hex')).toBe(recorded.session_id);
        expect(packet.ackedPacketIds).toEqual(recorded.acks);
        expect(packet.remoteSessionId?.toString('hex') ?? null).toBe(recorded.remote_sid);
        expect(packet.packetId).toBe(recorded.message_id ?? NO_PACKET_ID);
        expect(packet.payload).toHaveLength(recorded.payload_len);
        expect(encodeControlPacket(packet)).toEqual(plain);
      }
    },
  );

  test('no truncation, extension or changed byte of a recorded packet makes it throw', () => {
    const [capture] = readCaptures();
    const kinds = new Map(capture?.control.map((recorded) => [recorded.op, recorded]));
    expect(kinds.size).toBeGreaterThanOrEqual(4);
    for (const recorded of kinds.values()) {
      const plain = plainOf(recorded);
      for (let length = 0; length < plain.length; length += 1) {
        decodeControlPacket(plain.subarray(0, length));
      }
      for (let more = 1; more <= 64; more += 1) {
        decodeControlPacket(Buffer.concat([plain, Buffer.alloc(more, 0xff)]));
      }
      for (let at = 0; at < plain.length; at += 1) {
        for (const mask of [0x01, 0x80, 0xff]) {
          const changed = Buffer.from(plain);
          changed[at] = (changed[at] ?? 0) ^ mask;
          decodeControlPacket(changed);
        }
      }
    }
    expect(decodeControlPacket(Buffer.alloc(65_507, 0x20))).toBe(Drop.MALFORMED);
  });
});
