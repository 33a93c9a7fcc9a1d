import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { type SessionId, sessionIdOf } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket, NO_PACKET_ID } from '../../src/model/packet.ts';
import {
  encodeControlPacket,
  MAX_CONTROL_PACKET_BYTES,
} from '../../src/packetmuxer/control-packet-codec.ts';
import { type ControlWrap, plainWrap } from '../../src/packetmuxer/control-wrap.ts';
import { PacketMuxer } from '../../src/packetmuxer/packet-muxer.ts';

const LOCAL = sessionIdOf(Buffer.alloc(8, 0xaa));
const REMOTE = sessionIdOf(Buffer.alloc(8, 0xbb));
const OTHER = sessionIdOf(Buffer.alloc(8, 0xcc));

interface Fields {
  opcode?: Opcode;
  keyId?: number;
  packetId?: number;
  acks?: readonly number[];
  to?: SessionId;
  from?: SessionId;
}

function bytes({
  opcode = 4,
  keyId = 0,
  packetId = 1,
  acks = [],
  to = LOCAL,
  from = REMOTE,
}: Fields) {
  const packet = new ControlPacket(opcode, keyId, from);
  packet.packetId = packetId;
  packet.ackedPacketIds = acks;
  packet.remoteSessionId = to;
  return encodeControlPacket(packet);
}

const ANSWER = bytes({ opcode: 8, packetId: 0, acks: [0] });

function client(
  wrapFor: (keyId: number) => ControlWrap | undefined = () => plainWrap,
  localSessionId = LOCAL,
) {
  const activity = new LinkActivity(0);
  const muxer = new PacketMuxer({ role: 'client', localSessionId, wrapFor, activity });
  return { muxer, activity };
}

function establishedClient() {
  const made = client();
  expect(made.muxer.fromBelow(ANSWER, 1)).toBeInstanceOf(ControlPacket);
  return made;
}

function server() {
  const activity = new LinkActivity(0);
  const wrapFor = () => plainWrap;
  const muxer = new PacketMuxer({
    role: 'server',
    localSessionId: LOCAL,
    remoteSessionId: REMOTE,
    wrapFor,
    activity,
  });
  return { muxer, activity };
}

describe('a client that opens', () => {
  test('sends its reset, is answered, and knows both ids', () => {
    const { muxer } = client();
    const reset = muxer.takeDown(0);
    if (reset === undefined) throw new Error('no reset');
    expect(muxer.fromAbove(reset, 0)?.toString('hex')).toBe('38aaaaaaaaaaaaaaaa0000000000');
    expect(muxer.sessionIds).toBeUndefined();
    expect(muxer.nextTimeout()).toBe(500);
    const answer = muxer.fromBelow(ANSWER, 20);
    expect(answer).toMatchObject({ opcode: 8, packetId: 0, ackedPacketIds: [0] });
    expect(muxer.sessionIds).toEqual({ local: LOCAL, remote: REMOTE });
    expect(muxer.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    { name: 'CONTROL_V1 before the answer', fields: {}, drop: Drop.UNEXPECTED },
    {
      name: 'ACK_V1 before the answer',
      fields: { opcode: 5 as const, acks: [0] },
      drop: Drop.UNEXPECTED,
    },
    {
      name: 'an answer for somebody else',
      fields: { opcode: 8 as const, packetId: 0, acks: [0], to: OTHER },
      drop: Drop.WRONG_SESSION,
    },
    {
      name: 'an answer with message id 1',
      fields: { opcode: 8 as const, acks: [0] },
      drop: Drop.UNEXPECTED,
    },
  ])('drops $name', ({ fields, drop }) => {
    const { muxer, activity } = client();
    expect(muxer.fromBelow(bytes(fields), 20)).toBe(drop);
    expect(muxer.sessionIds).toBeUndefined();
    expect(activity.receivedAt).toBe(0);
  });
});

describe('an established session', () => {
  test.each([
    { name: 'control', fields: {} },
    { name: 'control with ACKs for us', fields: { acks: [1, 0] } },
    { name: 'ACK_V1', fields: { opcode: 5 as const, packetId: NO_PACKET_ID, acks: [1] } },
    { name: 'soft reset of key id 1', fields: { opcode: 3 as const, keyId: 1, packetId: 0 } },
  ])('takes $name, in both roles, and notes the time', ({ fields }) => {
    for (const { muxer, activity } of [establishedClient(), server()]) {
      expect(muxer.fromBelow(bytes(fields), 33)).toBeInstanceOf(ControlPacket);
      expect(activity.receivedAt).toBe(33);
    }
  });

  test.each([
    { name: 'nothing', packet: Buffer.alloc(0), drop: Drop.MALFORMED },
    { name: 'a truncated packet', packet: bytes({}).subarray(0, 12), drop: Drop.MALFORMED },
    {
      name: 'a huge packet',
      packet: Buffer.concat([bytes({}), Buffer.alloc(65_000)]),
      drop: Drop.MALFORMED,
    },
    {
      name: 'a packet of another session',
      packet: bytes({ from: OTHER }),
      drop: Drop.WRONG_SESSION,
    },
    {
      name: 'ACKs for somebody else',
      packet: bytes({ acks: [1], to: OTHER }),
      drop: Drop.WRONG_SESSION,
    },
    {
      name: 'a V1 client reset',
      packet: Buffer.from(`08${'bb'.repeat(8)}0000000000`, 'hex'),
      drop: Drop.BAD_OPCODE,
    },
    {
      name: 'a V1 server reset',
      packet: Buffer.from(`10${'bb'.repeat(8)}0000000000`, 'hex'),
      drop: Drop.BAD_OPCODE,
    },
  ])('drops $name, in both roles, and notes nothing', ({ packet, drop }) => {
    for (const { muxer, activity } of [establishedClient(), server()]) {
      const before = activity.receivedAt;
      expect(muxer.fromBelow(packet, 99)).toBe(drop);
      expect(activity.receivedAt).toBe(before);
    }
  });

  test.each([
    { role: 'client', made: establishedClient, legal: [3, 4, 5, 8] },
    { role: 'server', made: server, legal: [3, 4, 5, 7] },
  ])('a $role takes no other opcode than $legal', ({ made, legal }) => {
    for (let opcode = 0; opcode < 32; opcode += 1) {
      const packet = bytes({});
      packet[0] = opcode << 3;
      const result = made().muxer.fromBelow(packet, 2);
      if (legal.includes(opcode)) expect(result).not.toBe(Drop.BAD_OPCODE);
      else expect(result).toBe(Drop.BAD_OPCODE);
    }
  });

  test('a client keeps the server session that it fixed, whoever resets', () => {
    const { muxer } = establishedClient();
    expect(muxer.fromBelow(ANSWER, 2)).toBe(Drop.UNEXPECTED);
    const other = bytes({ opcode: 8, packetId: 0, acks: [0], from: OTHER });
    expect(muxer.fromBelow(other, 2)).toBe(Drop.UNEXPECTED);
    expect(muxer.sessionIds).toEqual({ local: LOCAL, remote: REMOTE });
  });

  test.each([
    { name: 'client', make: establishedClient, opcode: Opcode.P_CONTROL_HARD_RESET_CLIENT_V2 },
    { name: 'server', make: server, opcode: Opcode.P_CONTROL_HARD_RESET_SERVER_V2 },
  ])('a $name refuses its own kind of reset', ({ make, opcode }) => {
    expect(make().muxer.fromBelow(bytes({ opcode, packetId: 0 }), 2)).toBe(Drop.BAD_OPCODE);
  });

  test('a server drops the reset that it has answered, and sends none', () => {
    const { muxer } = server();
    const reset = bytes({ opcode: Opcode.P_CONTROL_HARD_RESET_CLIENT_V2, packetId: 0 });
    expect(muxer.fromBelow(reset, 2)).toBe(Drop.UNEXPECTED);
    expect(muxer.takeDown(0)).toBeUndefined();
    muxer.onTimeout(10_000);
    expect(muxer.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    expect(muxer.sessionIds).toEqual({ local: LOCAL, remote: REMOTE });
  });

  test('addresses what it sends, and names the peer beside ACKs only', () => {
    const { muxer, activity } = establishedClient();
    const packet = new ControlPacket(Opcode.P_CONTROL_V1, 0, OTHER);
    packet.packetId = 1;
    packet.ackedPacketIds = [0];
    const withAck = `20${'aa'.repeat(8)}0100000000${'bb'.repeat(8)}00000001`;
    expect(muxer.fromAbove(packet, 40)?.toString('hex')).toBe(withAck);
    expect(activity.sentAt).toBe(40);
    packet.ackedPacketIds = [];
    expect(muxer.fromAbove(packet, 41)?.toString('hex')).toBe(`20${'aa'.repeat(8)}0000000001`);
    expect(packet.remoteSessionId).toBeUndefined();
  });
});

describe('wrapFor', () => {
  test('is asked for each packet by its key id, both ways', () => {
    const asked: number[] = [];
    const { muxer } = client((keyId) => {
      asked.push(keyId);
      return plainWrap;
    });
    muxer.fromBelow(ANSWER, 1);
    muxer.fromBelow(bytes({ opcode: 3, keyId: 5, packetId: 0 }), 1);
    const packet = new ControlPacket(Opcode.P_CONTROL_V1, 3, OTHER);
    packet.packetId = 1;
    muxer.fromAbove(packet, 2);
    expect(asked).toEqual([0, 0, 5, 3]);
  });

  test('may have none for a key id: what comes is dropped, what goes is our mistake', () => {
    const { muxer, activity } = client((keyId) => (keyId === 0 ? plainWrap : undefined));
    muxer.fromBelow(ANSWER, 1);
    const packet = bytes({ opcode: 3, keyId: 1, packetId: 0 });
    expect(muxer.fromBelow(packet, 2)).toBe(Drop.UNKNOWN_KEY);
    expect(activity.receivedAt).toBe(1);
    const reset = new ControlPacket(Opcode.P_CONTROL_SOFT_RESET_V1, 1, LOCAL);
    expect(() => muxer.fromAbove(reset, 3)).toThrow('key id 1');
  });

  test('is spared packets that are too long, not the longest', () => {
    const lengths: number[] = [];
    const wrap: ControlWrap = {
      ...plainWrap,
      overheadBytes: 40,
      unwrap: (packet) => {
        lengths.push(packet.length);
        return Drop.BAD_AUTH;
      },
    };
    const { muxer } = client(() => wrap);
    const longest = MAX_CONTROL_PACKET_BYTES + 40;
    expect(muxer.fromBelow(Buffer.alloc(longest, 0x20), 1)).toBe(Drop.BAD_AUTH);
    expect(muxer.fromBelow(Buffer.alloc(longest + 1, 0x20), 1)).toBe(Drop.MALFORMED);
    expect(lengths).toEqual([longest]);
  });

  test('refusals of the wrap are passed on, before anything is looked at', () => {
    const wrap: ControlWrap = { ...plainWrap, unwrap: () => Drop.BAD_AUTH };
    const { muxer } = client(() => wrap);
    expect(muxer.fromBelow(ANSWER, 1)).toBe(Drop.BAD_AUTH);
    expect(muxer.sessionIds).toBeUndefined();
  });
});
