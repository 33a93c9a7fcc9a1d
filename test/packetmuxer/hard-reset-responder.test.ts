import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { type SessionId, sessionIdOf } from '../../src/model/ids.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket, NO_PACKET_ID } from '../../src/model/packet.ts';
import {
  decodeControlPacket,
  encodeControlPacket,
  MAX_CONTROL_PACKET_BYTES,
} from '../../src/packetmuxer/control-packet-codec.ts';
import { type ControlWrap, plainWrap } from '../../src/packetmuxer/control-wrap.ts';
import {
  HardResetResponder,
  type ResponderVerdict,
} from '../../src/packetmuxer/hard-reset-responder.ts';
import { SessionWrap } from '../../src/packetmuxer/session-wrap.ts';
import { StatelessWrap } from '../../src/packetmuxer/stateless-wrap.ts';
import { TlsCryptKey } from '../../src/packetmuxer/tls-crypt-key.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { tlsCryptKeyBytes } from './wrap-vectors.ts';

const CLIENT = sessionIdOf(Buffer.alloc(8, 0xaa));
const OTHER = sessionIdOf(Buffer.alloc(8, 0xcc));
const HERE = '192.0.2.1 40000';

interface Fields {
  opcode?: Opcode;
  keyId?: number;
  packetId?: number;
  acks?: readonly number[];
  to?: SessionId;
  from?: SessionId;
}

function bytes({
  opcode = 7,
  keyId = 0,
  packetId = 0,
  acks = [],
  to,
  from = CLIENT,
}: Fields): Buffer {
  const packet = new ControlPacket(opcode, keyId, from);
  packet.packetId = packetId;
  packet.ackedPacketIds = acks;
  packet.remoteSessionId = to;
  return encodeControlPacket(packet);
}

function responder(maxReplies?: number): HardResetResponder {
  const options = maxReplies === undefined ? {} : { maxReplies };
  return new HardResetResponder({ wrap: plainWrap, random: new SeededRandom(1), ...options });
}

function replyOf(verdict: ResponderVerdict): ControlPacket {
  if (verdict.kind !== 'reply') throw new Error(`expected a reply, got ${JSON.stringify(verdict)}`);
  const packet = decodeControlPacket(verdict.packet);
  if (typeof packet === 'number') throw new Error(`undecodable: ${packet}`);
  return packet;
}

/** The cookie that a fresh client gets at time 0. */
function cookieFrom(server: HardResetResponder): SessionId {
  return replyOf(server.onPacket(bytes({}), HERE, 0)).sessionId;
}

describe('a reset', () => {
  test('is answered with HARD_RESET_SERVER_V2 id 0 that acknowledges it', () => {
    const reply = replyOf(responder().onPacket(bytes({}), HERE, 0));
    expect(reply.opcode).toBe(Opcode.P_CONTROL_HARD_RESET_SERVER_V2);
    expect(reply.keyId).toBe(0);
    expect(reply.packetId).toBe(0);
    expect(reply.ackedPacketIds).toEqual([0]);
    expect(reply.remoteSessionId).toEqual(CLIENT);
    expect(reply.payload).toHaveLength(0);
  });

  test('that comes again is answered with the same bytes', () => {
    const server = responder();
    expect(server.onPacket(bytes({}), HERE, 100)).toEqual(server.onPacket(bytes({}), HERE, 0));
  });

  test.each([
    { name: 'with another message id', fields: { packetId: 1 }, drop: Drop.UNEXPECTED },
    { name: 'with acknowledgements', fields: { acks: [0], to: OTHER }, drop: Drop.WRONG_SESSION },
    { name: 'with another key id', fields: { keyId: 1 }, drop: Drop.UNKNOWN_KEY },
    {
      name: 'of a server',
      fields: { opcode: Opcode.P_CONTROL_HARD_RESET_SERVER_V2 },
      drop: Drop.BAD_OPCODE,
    },
    {
      name: 'that is soft',
      fields: { opcode: Opcode.P_CONTROL_SOFT_RESET_V1 },
      drop: Drop.BAD_OPCODE,
    },
    {
      name: 'of tls-crypt-v2',
      fields: { opcode: Opcode.P_CONTROL_HARD_RESET_CLIENT_V3 },
      drop: Drop.BAD_OPCODE,
    },
  ])('$name is dropped', ({ fields, drop }) => {
    expect(responder().onPacket(bytes(fields), HERE, 0)).toEqual({ kind: 'drop', drop });
  });

  test('is answered 100 times in ten seconds, then not before the period is over', () => {
    const server = responder();
    for (let count = 0; count < 100; count += 1) replyOf(server.onPacket(bytes({}), HERE, count));
    const silent = { kind: 'drop', drop: Drop.RATE_LIMITED };
    expect(server.onPacket(bytes({}), HERE, 100)).toEqual(silent);
    expect(server.onPacket(bytes({}), HERE, 9_999)).toEqual(silent);
    replyOf(server.onPacket(bytes({}), HERE, 10_000));
  });

  test('above the rate is not even unwrapped; what is forged does not count', () => {
    let unwrapped = 0;
    const wrap: ControlWrap = {
      ...plainWrap,
      unwrap: (packet) => {
        unwrapped += 1;
        return packet.length === 14 ? packet : Drop.BAD_AUTH;
      },
    };
    const server = new HardResetResponder({ wrap, random: new SeededRandom(1), maxReplies: 1 });
    const forged = Buffer.concat([bytes({}), Buffer.alloc(1)]);
    for (let count = 0; count < 5; count += 1) {
      expect(server.onPacket(forged, HERE, 0)).toEqual({ kind: 'drop', drop: Drop.BAD_AUTH });
    }
    expect(server.onPacket(bytes({}), HERE, 0).kind).toBe('reply');
    expect(unwrapped).toBe(6);
    expect(server.onPacket(bytes({}), HERE, 0)).toEqual({
      kind: 'drop',
      drop: Drop.RATE_LIMITED,
    });
    expect(unwrapped).toBe(6);
  });

  test('above the rate does not keep answered clients out', () => {
    const server = responder(1);
    const cookie = cookieFrom(server);
    expect(server.onPacket(bytes({}), HERE, 1).kind).toBe('drop');
    const verdict = server.onPacket(
      bytes({ opcode: 4, packetId: 1, acks: [0], to: cookie }),
      HERE,
      1,
    );
    expect(verdict.kind).toBe('accept');
  });
});

describe('the packet that completes the opening', () => {
  test.each([
    { name: 'CONTROL_V1 id 1 with ACK [0]', fields: { opcode: 4, packetId: 1, acks: [0] } },
    { name: 'ACK_V1 with ACK [0]', fields: { opcode: 5, packetId: NO_PACKET_ID, acks: [0] } },
    { name: 'acknowledgements up to 1', fields: { opcode: 4, packetId: 1, acks: [1, 0] } },
  ] as const)('may be $name', ({ fields }) => {
    const server = responder();
    const cookie = cookieFrom(server);
    const verdict = server.onPacket(bytes({ ...fields, to: cookie }), HERE, 50);
    const ids = { local: cookie, remote: CLIENT };
    expect(verdict).toEqual({ kind: 'accept', ids, memory: undefined });
  });

  test.each([
    { name: 'without acknowledgements', fields: { packetId: 1 }, drop: Drop.UNEXPECTED },
    { name: 'with message id 0', fields: { packetId: 0, acks: [0] }, drop: Drop.OUT_OF_WINDOW },
    { name: 'with message id 2', fields: { packetId: 2, acks: [0] }, drop: Drop.OUT_OF_WINDOW },
    {
      name: 'with acknowledgement 2',
      fields: { packetId: 1, acks: [0, 2] },
      drop: Drop.OUT_OF_WINDOW,
    },
    { name: 'with key id 1', fields: { keyId: 1, packetId: 1, acks: [0] }, drop: Drop.UNKNOWN_KEY },
    {
      name: 'with a made-up cookie',
      fields: { packetId: 1, acks: [0], to: OTHER },
      drop: Drop.WRONG_SESSION,
    },
    {
      name: 'of another client',
      fields: { packetId: 1, acks: [0], from: OTHER },
      drop: Drop.WRONG_SESSION,
    },
  ])('is dropped $name', ({ fields, drop }) => {
    const server = responder();
    const to = fields.acks === undefined ? {} : { to: cookieFrom(server) };
    const packet = bytes({ opcode: 4, ...to, ...fields });
    expect(server.onPacket(packet, HERE, 0)).toEqual({ kind: 'drop', drop });
  });

  test('is dropped from another address, and when the cookie is too old', () => {
    const server = responder();
    const packet = bytes({ opcode: 4, packetId: 1, acks: [0], to: cookieFrom(server) });
    const refused = { kind: 'drop', drop: Drop.WRONG_SESSION };
    expect(server.onPacket(packet, '192.0.2.1 40001', 0)).toEqual(refused);
    expect(server.onPacket(packet, HERE, 90_000)).toEqual(refused);
    expect(server.onPacket(packet, HERE, 89_999).kind).toBe('accept');
  });
});

describe('onPacket', () => {
  test('refuses every opcode but those that open', () => {
    for (let opcode = 0; opcode < 32; opcode += 1) {
      const packet = bytes({});
      packet[0] = opcode << 3;
      const verdict = responder().onPacket(packet, HERE, 0);
      const refused = { kind: 'drop', drop: Drop.BAD_OPCODE };
      if ([4, 5, 7].includes(opcode)) expect(verdict).not.toEqual(refused);
      else expect(verdict).toEqual(refused);
    }
  });

  test('drops what is too short, too long, or data', () => {
    const server = responder();
    for (let length = 0; length < 14; length += 1) {
      expect(server.onPacket(bytes({}).subarray(0, length), HERE, 0).kind).toBe('drop');
    }
    expect(server.onPacket(Buffer.alloc(0), HERE, 0)).toEqual({
      kind: 'drop',
      drop: Drop.MALFORMED,
    });
    const data = Buffer.from('4800000000000000000000', 'hex');
    expect(server.onPacket(data, HERE, 0)).toEqual({ kind: 'drop', drop: Drop.BAD_OPCODE });
  });

  test('does not unwrap what is too long, but the longest', () => {
    const wrap = { ...plainWrap, overheadBytes: 40, unwrap: () => Drop.BAD_AUTH };
    const server = new HardResetResponder({ wrap, random: new SeededRandom(1) });
    const longest = Buffer.alloc(MAX_CONTROL_PACKET_BYTES + 40, 0x38);
    const longer = Buffer.alloc(longest.length + 1, 0x38);
    expect(server.onPacket(longest, HERE, 0)).toEqual({ kind: 'drop', drop: Drop.BAD_AUTH });
    expect(server.onPacket(longer, HERE, 0)).toEqual({ kind: 'drop', drop: Drop.MALFORMED });
  });

  test('with tls-crypt answers and accepts its own clients, and nobody else', () => {
    const key = tlsCryptKeyBytes();
    const unixSeconds = () => 1_800_000_000;
    const server = new HardResetResponder({
      wrap: new StatelessWrap({ key: new TlsCryptKey(key, 'server'), unixSeconds }),
      random: new SeededRandom(1),
    });
    const client = new SessionWrap({ key: new TlsCryptKey(key, 'client'), unixSeconds });
    expect(server.onPacket(bytes({}), HERE, 0)).toEqual({ kind: 'drop', drop: Drop.MALFORMED });
    const forged = Buffer.concat([bytes({}), Buffer.alloc(40)]);
    expect(server.onPacket(forged, HERE, 0)).toEqual({ kind: 'drop', drop: Drop.BAD_AUTH });

    const verdict = server.onPacket(client.wrap(bytes({})), HERE, 0);
    const plain = verdict.kind === 'reply' ? client.unwrap(verdict.packet) : Drop.MALFORMED;
    const reply = typeof plain === 'number' ? plain : decodeControlPacket(plain);
    if (typeof reply === 'number') throw new Error(`no reply: ${reply}`);
    const next = bytes({ opcode: 4, packetId: 1, acks: [0], to: reply.sessionId });
    expect(server.onPacket(client.wrap(next), HERE, 0).kind).toBe('accept');
  });
});

describe('belongsTo', () => {
  const ids = { local: OTHER, remote: CLIENT };
  test.each([
    { name: 'a data packet', packet: Buffer.from('48000000', 'hex'), mine: true },
    { name: 'a control packet of the client', packet: bytes({ opcode: 4 }), mine: true },
    { name: 'its reset, resent', packet: bytes({}), mine: true },
    { name: 'the reset of a new session', packet: bytes({ from: OTHER }), mine: false },
    { name: 'its session id and no more', packet: bytes({}).subarray(0, 9), mine: true },
    { name: 'a short packet', packet: bytes({}).subarray(0, 8), mine: false },
    { name: 'an empty packet', packet: Buffer.alloc(0), mine: false },
  ])('$name: $mine', ({ packet, mine }) => {
    expect(responder().belongsTo(packet, ids)).toBe(mine);
  });
});
