import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { sessionIdOf } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import { Opcode, opcodeOf } from '../../src/model/opcode.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import { encodeControlPacket } from '../../src/packetmuxer/control-packet-codec.ts';
import { HardResetResponder } from '../../src/packetmuxer/hard-reset-responder.ts';
import { PacketMuxer } from '../../src/packetmuxer/packet-muxer.ts';
import { SessionWrap } from '../../src/packetmuxer/session-wrap.ts';
import { TlsCryptKey } from '../../src/packetmuxer/tls-crypt-key.ts';
import { TlsCryptV2ServerKey } from '../../src/packetmuxer/tls-crypt-v2.ts';
import {
  TlsCryptV2ClientWrap,
  TlsCryptV2ServerWrap,
} from '../../src/packetmuxer/tls-crypt-v2-wraps.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { tlsCryptV2Key, wrappedKeyVectors } from './wrap-vectors.ts';

const HERE = '192.0.2.1 40000';
const { key, wrappedKey } = tlsCryptV2Key();
const serverKey = wrappedKeyVectors()[0]?.serverKey ?? Buffer.alloc(0);
const unixSeconds = () => 1_800_000_000;
const SEED = 7;
const UNSENT = sessionIdOf(Buffer.alloc(8, 1));

function message(packetId: number, opcode: Opcode = Opcode.P_CONTROL_V1): ControlPacket {
  const packet = new ControlPacket(opcode, 0, UNSENT);
  packet.packetId = packetId;
  packet.ackedPacketIds = [0];
  packet.payload = Buffer.from('1603010001', 'hex');
  return packet;
}

function acknowledgement(): ControlPacket {
  const packet = new ControlPacket(Opcode.P_ACK_V1, 0, UNSENT);
  packet.ackedPacketIds = [0];
  return packet;
}

/** The outer packet, and whether it ends with the client's wrapped key. */
function sent(muxer: PacketMuxer, packet: ControlPacket) {
  const outer = muxer.fromAbove(packet, 1000);
  if (outer === undefined) throw new Error('nothing was sent');
  const bringsKey = outer.subarray(-wrappedKey.length).equals(wrappedKey);
  return { outer, opcode: opcodeOf(outer[0] ?? 0), bringsKey };
}

/** A client whose reset was answered, or not; and the server's side of it. */
function setUp(protocol: 'udp' | 'tcp') {
  const random = new SeededRandom(SEED);
  const client = new PacketMuxer({
    role: 'client',
    localSessionId: sessionIdOf(random.bytes(8)),
    wrapFor: wrapOf(new TlsCryptV2ClientWrap({ key, wrappedKey, unixSeconds })),
    activity: new LinkActivity(0),
  });
  const tlsCryptV2 = { serverKey, protocol, unixSeconds };
  const responder = new HardResetResponder({ tlsCryptV2, random });
  const reset = client.takeDown(0);
  if (reset === undefined) throw new Error('no reset');
  const { outer, ...asked } = sent(client, reset);
  const verdict = responder.onPacket(outer, HERE, 0);
  if (verdict.kind !== 'reply') throw new Error(`expected a reply, got ${verdict.kind}`);
  return { client, responder, reset: outer, asked, reply: verdict.packet, memory: verdict.memory };
}

function wrapOf(wrap: TlsCryptV2ClientWrap | TlsCryptV2ServerWrap) {
  return (keyId: number) => (keyId === 0 ? wrap : undefined);
}

describe.each(['udp', 'tcp'] as const)('the opening under tls-crypt-v2 over %s', (protocol) => {
  const isUdp = protocol === 'udp';

  test('joins a client and a server', () => {
    const { client, responder, reset, asked, reply, memory } = setUp(protocol);
    expect(asked).toEqual({ opcode: Opcode.P_CONTROL_HARD_RESET_CLIENT_V3, bringsKey: true });
    expect(client.fromBelow(reply, 1)).toMatchObject({ packetId: 0, ackedPacketIds: [0] });

    const { outer, ...first } = sent(client, message(1));
    expect(first).toEqual(
      isUdp
        ? { opcode: Opcode.P_CONTROL_WKC_V1, bringsKey: true }
        : { opcode: Opcode.P_CONTROL_V1, bringsKey: false },
    );
    const verdict = responder.onPacket(outer, HERE, 2, isUdp ? undefined : memory);
    if (verdict.kind !== 'accept') throw new Error(`expected accept, got ${verdict.kind}`);
    expect(client.sessionIds).toEqual({ local: verdict.ids.remote, remote: verdict.ids.local });
    expect(responder.belongsTo(outer, verdict.ids)).toBe(true);
    expect(responder.belongsTo(reset, verdict.ids)).toBe(true);

    const opened = new TlsCryptV2ServerKey(serverKey).unwrap(verdict.memory ?? Buffer.alloc(0));
    if (typeof opened === 'number') throw new Error(`no key: ${opened}`);
    const serverWrap = new TlsCryptV2ServerWrap({ key: opened.key, unixSeconds, firstPacketId: 2 });
    const server = new PacketMuxer({
      role: 'server',
      localSessionId: sessionIdOf(verdict.ids.local),
      remoteSessionId: sessionIdOf(verdict.ids.remote),
      wrapFor: wrapOf(serverWrap),
      activity: new LinkActivity(0),
    });
    expect(server.fromBelow(outer, 3)).toMatchObject({ packetId: 1, ackedPacketIds: [0] });
    expect(server.fromBelow(outer, 3)).toBe(Drop.REPLAY);
    expect(server.fromBelow(reset, 3)).toBe(Drop.UNEXPECTED);
    expect(server.fromBelow(sent(client, message(2)).outer, 4)).toMatchObject({ packetId: 2 });
    const answer = sent(server, message(1));
    expect(answer).toMatchObject({ opcode: Opcode.P_CONTROL_V1, bringsKey: false });
    expect(client.fromBelow(answer.outer, 5)).toMatchObject({ packetId: 1 });
  });

  test('a server takes the key in message id 1 of key id 0 only', () => {
    const clientWrap = new TlsCryptV2ClientWrap({ key, wrappedKey, unixSeconds });
    const server = new PacketMuxer({
      role: 'server',
      localSessionId: UNSENT,
      remoteSessionId: UNSENT,
      wrapFor: () => new TlsCryptV2ServerWrap({ key, unixSeconds }),
      activity: new LinkActivity(0),
    });
    const withKey = (packetId: number, keyId: number) => {
      const packet = message(packetId, Opcode.P_CONTROL_WKC_V1);
      packet.keyId = keyId;
      packet.remoteSessionId = UNSENT;
      return clientWrap.wrap(encodeControlPacket(packet));
    };
    expect(server.fromBelow(withKey(1, 0), 1)).toMatchObject({ packetId: 1 });
    expect(server.fromBelow(withKey(2, 0), 1)).toBe(Drop.UNEXPECTED);
    expect(server.fromBelow(withKey(1, 1), 1)).toBe(Drop.UNEXPECTED);
  });

  test('a client is sent neither a wrapped key nor a reset like its own', () => {
    const { client, reply } = setUp(protocol);
    client.fromBelow(reply, 1);
    for (const opcode of [Opcode.P_CONTROL_WKC_V1, Opcode.P_CONTROL_HARD_RESET_CLIENT_V3]) {
      const packet = Buffer.from(reply);
      packet[0] = opcode << 3;
      expect(client.fromBelow(packet, 2)).toBe(Drop.BAD_OPCODE);
    }
  });
});

describe('a client that is asked for its key again', () => {
  const asked = () => {
    const { client, reply } = setUp('udp');
    client.fromBelow(reply, 1);
    return client;
  };

  test('brings it with every transmission of message id 1, and with no other packet', () => {
    const client = asked();
    const opcodes = [1, 2, 1, 3, 1].map((packetId) => {
      const { opcode, bringsKey } = sent(client, message(packetId));
      expect(bringsKey).toBe(packetId === 1);
      return opcode;
    });
    expect(opcodes).toEqual([11, 4, 11, 4, 11]);
    expect(sent(client, acknowledgement())).toMatchObject({ opcode: 5, bringsKey: false });
  });

  test('does not bring it with message id 1 of a later key id', () => {
    const { reply } = setUp('udp');
    const clientWrap = new SessionWrap({ key: new TlsCryptKey(key, 'client'), unixSeconds });
    const client = new PacketMuxer({
      role: 'client',
      localSessionId: sessionIdOf(new SeededRandom(SEED).bytes(8)),
      wrapFor: (keyId) =>
        keyId === 0 ? new TlsCryptV2ClientWrap({ key, wrappedKey, unixSeconds }) : clientWrap,
      activity: new LinkActivity(0),
    });
    expect(client.fromBelow(reply, 1)).toBeInstanceOf(ControlPacket);
    const later = message(1);
    later.keyId = 1;
    expect(sent(client, later)).toMatchObject({ opcode: 4, bringsKey: false });
  });

  test('sends no acknowledgement before it, which the server could not open', () => {
    const client = asked();
    expect(client.fromAbove(acknowledgement(), 2)).toBeUndefined();
    expect(sent(client, message(1)).opcode).toBe(11);
    expect(sent(client, acknowledgement()).opcode).toBe(5);
  });

  test('is one whose server said so: nobody else brings it', () => {
    const { client, reply } = setUp('tcp');
    client.fromBelow(reply, 1);
    expect(sent(client, acknowledgement())).toMatchObject({ opcode: 5, bringsKey: false });
    expect(sent(client, message(1))).toMatchObject({ opcode: 4, bringsKey: false });
  });
});
