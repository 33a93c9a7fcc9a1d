import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { type SessionId, sessionIdOf } from '../../src/model/ids.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket, NO_PACKET_ID } from '../../src/model/packet.ts';
import { MAX_WRAPPED_KEY_BYTES } from '../../src/model/wrapped-key.ts';
import {
  decodeControlPacket,
  encodeControlPacket,
} from '../../src/packetmuxer/control-packet-codec.ts';
import {
  HardResetResponder,
  type ResponderVerdict,
} from '../../src/packetmuxer/hard-reset-responder.ts';
import { SessionWrap } from '../../src/packetmuxer/session-wrap.ts';
import { TlsCryptKey } from '../../src/packetmuxer/tls-crypt-key.ts';
import {
  MAX_METADATA_BYTES,
  SERVER_KEY_BYTES,
  TlsCryptV2ServerKey,
} from '../../src/packetmuxer/tls-crypt-v2.ts';
import { TlsCryptV2ClientWrap } from '../../src/packetmuxer/tls-crypt-v2-wraps.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { readCaptures } from './captures.ts';
import { tlsCryptV2Key, wrappedKeyVectors } from './wrap-vectors.ts';

const HERE = '192.0.2.1 40000';
const CLIENT = sessionIdOf(Buffer.alloc(8, 0xaa));
const OTHER = sessionIdOf(Buffer.alloc(8, 0xcc));
const [vector] = wrappedKeyVectors();
const serverKey = vector?.serverKey ?? Buffer.alloc(0);
const { key, wrappedKey } = tlsCryptV2Key();
const unixSeconds = () => 1_800_000_000;
const { P_CONTROL_HARD_RESET_CLIENT_V3: RESET_V3, P_CONTROL_WKC_V1: WKC_V1 } = Opcode;

function responder(protocol: 'udp' | 'tcp', maxReplies?: number): HardResetResponder {
  return new HardResetResponder({
    tlsCryptV2: { serverKey, protocol, unixSeconds },
    random: new SeededRandom(1),
    ...(maxReplies === undefined ? {} : { maxReplies }),
  });
}

interface ClientOptions {
  readonly key?: Buffer;
  readonly wrappedKey?: Buffer;
  /** Default: as early negotiation has it. */
  readonly firstPacketId?: number;
}

function clientWrap({ firstPacketId, ...keys }: ClientOptions = {}): TlsCryptV2ClientWrap {
  const first = firstPacketId === undefined ? {} : { firstPacketId };
  return new TlsCryptV2ClientWrap({ key, wrappedKey, unixSeconds, ...first, ...keys });
}

interface Fields {
  readonly opcode?: Opcode;
  readonly keyId?: number;
  readonly packetId?: number;
  readonly acks?: readonly number[];
  readonly to?: SessionId | undefined;
  readonly from?: SessionId;
}

function plainBytes({ opcode = RESET_V3, keyId = 0, packetId = 0, acks = [], to, from }: Fields) {
  const packet = new ControlPacket(opcode, keyId, from ?? CLIENT);
  packet.packetId = packetId;
  packet.ackedPacketIds = acks;
  packet.remoteSessionId = to;
  return encodeControlPacket(packet);
}

/** The answer to a reset, as its client sees it. */
function replyIn(verdict: ResponderVerdict, clientKey = key) {
  if (verdict.kind !== 'reply') throw new Error(`expected a reply, got ${JSON.stringify(verdict)}`);
  const plain = new TlsCryptKey(clientKey, 'client').open(verdict.packet);
  const reply = typeof plain === 'number' ? plain : decodeControlPacket(plain);
  if (typeof reply === 'number') throw new Error(`unreadable: ${reply}`);
  return { reply, memory: verdict.memory };
}

const dropped = (drop: Drop) => ({ kind: 'drop', drop });

describe.each(['udp', 'tcp'] as const)('a reset over %s', (protocol) => {
  const isUdp = protocol === 'udp';

  test('is answered under the client’s key; over udp only, with the wish to see it again', () => {
    const verdict = responder(protocol).onPacket(clientWrap().wrap(plainBytes({})), HERE, 0);
    const { reply, memory } = replyIn(verdict);
    expect(reply).toMatchObject({
      opcode: Opcode.P_CONTROL_HARD_RESET_SERVER_V2,
      packetId: 0,
      ackedPacketIds: [0],
      remoteSessionId: CLIENT,
    });
    expect(reply.payload.toString('hex')).toBe(isUdp ? '000100020001' : '');
    expect(memory).toEqual(wrappedKey);
  });

  test('gives a key of its own, not a part of the packet', () => {
    const packet = clientWrap().wrap(plainBytes({}));
    const { memory } = replyIn(responder(protocol).onPacket(packet, HERE, 0));
    packet.fill(0);
    expect(memory).toEqual(wrappedKey);
  });

  test('that OpenVPN sent is answered', () => {
    const capture = isUdp ? '06-tlscryptv2-cookie' : '06b-tlscryptv2-tcp';
    const [reset] = readCaptures().find(({ name }) => name === capture)?.control ?? [];
    const packet = Buffer.from(reset?.hex ?? '', 'hex');
    replyIn(responder(protocol).onPacket(packet, HERE, 0));
  });

  test.each([0, 1, 100, MAX_METADATA_BYTES])('may bring %i bytes of metadata', (length) => {
    const ownKey = Buffer.alloc(256, 7);
    const long = new TlsCryptV2ServerKey(serverKey).wrap(ownKey, Buffer.alloc(length, 1));
    const packet = clientWrap({ key: ownKey, wrappedKey: long }).wrap(plainBytes({}));
    const { memory } = replyIn(responder(protocol).onPacket(packet, HERE, 0), ownKey);
    expect(memory).toEqual(long);
  });

  const foreignKey = new TlsCryptV2ServerKey(Buffer.alloc(SERVER_KEY_BYTES, 3));
  const wrongKey = Buffer.alloc(256, 9);
  const reset = () => plainBytes({});
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'without a key',          packet: () => new SessionWrap({ key: new TlsCryptKey(key, 'client'), unixSeconds }).wrap(reset()), drops: [Drop.MALFORMED, Drop.BAD_AUTH] },
    { name: 'in clear',               packet: () => Buffer.concat([reset(), wrappedKey]), drops: [Drop.MALFORMED] },
    { name: 'in clear, no key',       packet: reset,                                     drops: [Drop.MALFORMED] },
    { name: 'with a key of another server', packet: () => clientWrap({ wrappedKey: foreignKey.wrap(key, Buffer.alloc(9)) }).wrap(reset()), drops: [Drop.BAD_AUTH] },
    { name: 'under another key than it brings', packet: () => clientWrap({ key: wrongKey }).wrap(reset()), drops: [Drop.BAD_AUTH] },
    { name: 'with another message id', packet: () => clientWrap().wrap(plainBytes({ packetId: 1 })), drops: [Drop.UNEXPECTED] },
    { name: 'with acknowledgements',  packet: () => clientWrap().wrap(plainBytes({ acks: [0], to: OTHER })), drops: [Drop.WRONG_SESSION] },
    { name: 'with another key id',    packet: () => clientWrap().wrap(plainBytes({ keyId: 1 })), drops: [Drop.UNKNOWN_KEY] },
    { name: 'of V2',                  packet: () => clientWrap().wrap(plainBytes({ opcode: 7 })), drops: [Drop.BAD_OPCODE] },
    { name: 'of V1',                  packet: () => clientWrap().wrap(plainBytes({ opcode: 1 })), drops: [Drop.BAD_OPCODE] },
  ])('$name is dropped', ({ packet, drops }) => {
    const verdict = responder(protocol).onPacket(packet(), HERE, 0);
    if (verdict.kind !== 'drop') throw new Error(`expected a drop, got ${verdict.kind}`);
    expect(drops).toContain(verdict.drop);
  });

  test.each([1, 0x0eff_ffff, 0x1000_0000])(
    'with replay id %i, so without early negotiation: over udp only it is dropped',
    (firstPacketId) => {
      const packet = clientWrap({ firstPacketId }).wrap(reset());
      const verdict = responder(protocol).onPacket(packet, HERE, 0);
      if (isUdp) expect(verdict).toEqual(dropped(Drop.UNEXPECTED));
      else replyIn(verdict);
    },
  );

  test('with one bit changed anywhere, or cut anywhere, opens nothing', () => {
    const server = responder(protocol, Number.MAX_SAFE_INTEGER);
    const packet = clientWrap().wrap(reset());
    for (let at = 1; at < packet.length; at += 1) {
      const changed = Buffer.from(packet);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      expect(server.onPacket(changed, HERE, 0).kind).toBe('drop');
      expect(server.onPacket(packet.subarray(0, at), HERE, 0).kind).toBe('drop');
    }
    expect(server.onPacket(packet, HERE, 0).kind).toBe('reply');
  });

  test('above the rate is not unwrapped', () => {
    const server = responder(protocol, 1);
    expect(server.onPacket(clientWrap().wrap(reset()), HERE, 0).kind).toBe('reply');
    const forged = Buffer.alloc(400, RESET_V3 << 3);
    expect(server.onPacket(forged, HERE, 0)).toEqual(dropped(Drop.RATE_LIMITED));
  });

  test('that is longer than any with the longest key is dropped', () => {
    const longest = 2_048 + 54 + 40 + MAX_WRAPPED_KEY_BYTES;
    const refused = responder(protocol).onPacket(Buffer.alloc(longest + 500, 0x50), HERE, 0);
    expect(refused).toEqual(dropped(Drop.MALFORMED));
  });
});

describe('every other opcode', () => {
  test.each([
    { protocol: 'udp', legal: [10, 11] },
    { protocol: 'tcp', legal: [4, 5, 10] },
  ] as const)('over $protocol is refused, but $legal', ({ protocol, legal }) => {
    for (let opcode = 0; opcode < 32; opcode += 1) {
      const packet = Buffer.alloc(400, opcode << 3);
      const verdict = responder(protocol).onPacket(packet, HERE, 0, wrappedKey);
      if (legal.some((one) => one === opcode)) expect(verdict).not.toEqual(dropped(2));
      else expect(verdict).toEqual(dropped(Drop.BAD_OPCODE));
    }
  });
});

/** A server that has answered, and what its client knows then. */
function answered(protocol: 'udp' | 'tcp') {
  const server = responder(protocol);
  const wrap = clientWrap();
  const { reply, memory } = replyIn(server.onPacket(wrap.wrap(plainBytes({})), HERE, 0));
  const next = (fields: Fields) =>
    wrap.wrap(plainBytes({ packetId: 1, acks: [0], to: reply.sessionId, ...fields }));
  return { server, memory, cookie: reply.sessionId, next };
}

describe('the packet that completes the opening over udp', () => {
  test('brings cookie and key; the key goes to the session', () => {
    const { server, cookie, next } = answered('udp');
    expect(server.onPacket(next({ opcode: WKC_V1 }), HERE, 50)).toEqual({
      kind: 'accept',
      ids: { local: cookie, remote: CLIENT },
      memory: wrappedKey,
    });
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'CONTROL_V1, without the key',  fields: { opcode: 4 },                      drop: Drop.BAD_OPCODE },
    { name: 'ACK_V1, without the key',      fields: { opcode: 5, packetId: NO_PACKET_ID }, drop: Drop.BAD_OPCODE },
    { name: 'no cookie',                    fields: { acks: [], to: undefined },        drop: Drop.UNEXPECTED },
    { name: 'a made-up cookie',             fields: { to: OTHER },                      drop: Drop.WRONG_SESSION },
    { name: 'the cookie of another client', fields: { from: OTHER },                    drop: Drop.WRONG_SESSION },
    { name: 'message id 0',                 fields: { packetId: 0 },                    drop: Drop.OUT_OF_WINDOW },
    { name: 'message id 2',                 fields: { packetId: 2 },                    drop: Drop.OUT_OF_WINDOW },
    { name: 'an acknowledgement of 2',      fields: { acks: [2, 0] },                   drop: Drop.OUT_OF_WINDOW },
    { name: 'key id 3',                     fields: { keyId: 3 },                       drop: Drop.UNKNOWN_KEY },
  ] as const)('is dropped with $name', ({ fields, drop }) => {
    const { server, next } = answered('udp');
    expect(server.onPacket(next({ opcode: WKC_V1, ...fields }), HERE, 50)).toEqual(dropped(drop));
  });

  test('is dropped with a stolen cookie under another key, whoever wrapped that', () => {
    const { server, cookie } = answered('udp');
    const stolen = plainBytes({ opcode: WKC_V1, packetId: 1, acks: [0], to: cookie });
    const own = Buffer.alloc(256, 5);
    const foreign = new TlsCryptV2ServerKey(Buffer.alloc(SERVER_KEY_BYTES, 3));
    const wrapped = foreign.wrap(own, Buffer.alloc(9));
    const unknown = clientWrap({ key: own, wrappedKey: wrapped }).wrap(stolen);
    expect(server.onPacket(unknown, HERE, 50)).toEqual(dropped(Drop.BAD_AUTH));
    const borrowed = clientWrap({ key: own }).wrap(stolen);
    expect(server.onPacket(borrowed, HERE, 50)).toEqual(dropped(Drop.BAD_AUTH));
  });

  test('is dropped with its key cut off, and from another address', () => {
    const { server, next } = answered('udp');
    const packet = next({ opcode: WKC_V1 });
    const cut = packet.subarray(0, packet.length - wrappedKey.length);
    expect(server.onPacket(cut, HERE, 50).kind).toBe('drop');
    expect(server.onPacket(packet, '192.0.2.1 40001', 50)).toEqual(dropped(Drop.WRONG_SESSION));
    expect(server.onPacket(packet, HERE, 50).kind).toBe('accept');
  });

  test.each([0, 1, 2, 289, 290, 1023, 1024, 1025, 0xffff])(
    'is dropped with a key that says it has %i bytes',
    (length) => {
      const { server, next } = answered('udp');
      const packet = next({ opcode: WKC_V1 });
      packet.writeUInt16BE(length, packet.length - 2);
      expect(server.onPacket(packet, HERE, 50).kind).toBe('drop');
    },
  );
});

describe('the packet that completes the opening over tcp', () => {
  test.each([
    { name: 'CONTROL_V1', fields: { opcode: 4 } },
    { name: 'ACK_V1', fields: { opcode: 5, packetId: NO_PACKET_ID } },
  ] as const)('may be $name, by what the connection has kept', ({ fields }) => {
    const { server, memory, cookie, next } = answered('tcp');
    expect(server.onPacket(next(fields), HERE, 50, memory)).toEqual({
      kind: 'accept',
      ids: { local: cookie, remote: CLIENT },
      memory: wrappedKey,
    });
  });

  test('is dropped where nothing was kept, or the key of somebody else', () => {
    const { server, next } = answered('tcp');
    const packet = next({ opcode: 4 });
    expect(server.onPacket(packet, HERE, 50)).toEqual(dropped(Drop.UNEXPECTED));
    const others = new TlsCryptV2ServerKey(serverKey).wrap(Buffer.alloc(256, 5), Buffer.alloc(9));
    expect(server.onPacket(packet, HERE, 50, others)).toEqual(dropped(Drop.BAD_AUTH));
  });

  test('does not bring the key unasked', () => {
    const { server, memory, next } = answered('tcp');
    expect(server.onPacket(next({ opcode: WKC_V1 }), HERE, 50, memory)).toEqual(
      dropped(Drop.BAD_OPCODE),
    );
  });
});
