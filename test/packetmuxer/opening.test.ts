import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { sessionIdOf } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import type { SessionIds } from '../../src/model/tls-chunk.ts';
import { type ControlWrap, plainWrap } from '../../src/packetmuxer/control-wrap.ts';
import { HardResetResponder } from '../../src/packetmuxer/hard-reset-responder.ts';
import { PacketMuxer } from '../../src/packetmuxer/packet-muxer.ts';
import { SessionWrap } from '../../src/packetmuxer/session-wrap.ts';
import { StatelessWrap } from '../../src/packetmuxer/stateless-wrap.ts';
import { TlsAuthKey } from '../../src/packetmuxer/tls-auth-key.ts';
import { TlsCryptKey } from '../../src/packetmuxer/tls-crypt-key.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { tlsCryptKeyBytes } from './wrap-vectors.ts';

const HERE = '192.0.2.1 40000';
const key = tlsCryptKeyBytes();
const unixSeconds = () => 1_800_000_000;

interface Wraps {
  readonly client: ControlWrap;
  readonly stateless: ControlWrap;
  readonly server: ControlWrap;
}

const plain = (): Wraps => ({ client: plainWrap, stateless: plainWrap, server: plainWrap });
const tlsCrypt = (): Wraps => ({
  client: new SessionWrap({ key: new TlsCryptKey(key, 'client'), unixSeconds }),
  stateless: new StatelessWrap({ key: new TlsCryptKey(key, 'server'), unixSeconds }),
  server: new SessionWrap({ key: new TlsCryptKey(key, 'server'), unixSeconds, firstPacketId: 2 }),
});
const authKey = (direction: 0 | 1) => new TlsAuthKey({ key, direction, digest: 'SHA256' });
const tlsAuth = (): Wraps => ({
  client: new SessionWrap({ key: authKey(1), unixSeconds }),
  stateless: new StatelessWrap({ key: authKey(0), unixSeconds }),
  server: new SessionWrap({ key: authKey(0), unixSeconds, firstPacketId: 2 }),
});

function setUp({ client: wrap, stateless, server }: Wraps) {
  const random = new SeededRandom(7);
  const client = new PacketMuxer({
    role: 'client',
    localSessionId: sessionIdOf(random.bytes(8)),
    wrapFor: () => wrap,
    activity: new LinkActivity(0),
  });
  const responder = new HardResetResponder({ wrap: stateless, random });
  const accept = (ids: SessionIds) =>
    new PacketMuxer({
      role: 'server',
      localSessionId: sessionIdOf(ids.local),
      remoteSessionId: sessionIdOf(ids.remote),
      wrapFor: () => server,
      activity: new LinkActivity(0),
    });
  return { client, responder, accept };
}

/** The client's reset as it is due at `now`. */
function resetAt(client: PacketMuxer, now: number): Buffer {
  client.onTimeout(now);
  const reset = client.takeDown(now);
  if (reset === undefined) throw new Error(`no reset is due at ${now}`);
  return sent(client, reset, now);
}

/** The outer packet that goes out for `packet`. */
function sent(muxer: PacketMuxer, packet: ControlPacket, now: number): Buffer {
  const outer = muxer.fromAbove(packet, now);
  if (outer === undefined) throw new Error('nothing was sent');
  return outer;
}

function replyTo(responder: HardResetResponder, packet: Buffer, now: number): Buffer {
  const verdict = responder.onPacket(packet, HERE, now);
  if (verdict.kind !== 'reply') throw new Error(`expected a reply, got ${verdict.kind}`);
  return verdict.packet;
}

function clientHello(): ControlPacket {
  const packet = new ControlPacket(Opcode.P_CONTROL_V1, 0, sessionIdOf(Buffer.alloc(8, 1)));
  packet.packetId = 1;
  packet.ackedPacketIds = [0];
  packet.payload = Buffer.from('1603010001', 'hex');
  return packet;
}

describe.each([
  { name: 'plain', wraps: plain },
  { name: 'tls-crypt', wraps: tlsCrypt },
  { name: 'tls-auth', wraps: tlsAuth },
])('the three-way opening, $name', ({ wraps }) => {
  test('joins a client and a server, through a lost reset and a late second answer', () => {
    const { client, responder, accept } = setUp(wraps());
    resetAt(client, 0);
    const second = resetAt(client, 500);
    const third = resetAt(client, 1500);
    const reply = replyTo(responder, second, 1500);
    const lateReply = replyTo(responder, third, 1600);
    expect(client.fromBelow(reply, 1600)).toMatchObject({ packetId: 0, ackedPacketIds: [0] });
    expect([Drop.UNEXPECTED, Drop.REPLAY]).toContain(client.fromBelow(lateReply, 1700));

    const first = sent(client, clientHello(), 1700);
    const verdict = responder.onPacket(first, HERE, 1700);
    if (verdict.kind !== 'accept') throw new Error(`expected accept, got ${verdict.kind}`);
    expect(client.sessionIds).toEqual({ local: verdict.ids.remote, remote: verdict.ids.local });
    expect(responder.belongsTo(first, verdict.ids)).toBe(true);

    const server = accept(verdict.ids);
    expect(server.fromBelow(first, 1700)).toMatchObject({ packetId: 1, ackedPacketIds: [0] });
    expect(server.fromBelow(third, 1701)).toBe(Drop.UNEXPECTED);
    const answer = sent(server, clientHello(), 1702);
    expect(client.fromBelow(answer, 1702)).toMatchObject({ opcode: 4, packetId: 1 });
  });

  test('survives no change of one byte: nothing throws, and no other session opens', () => {
    const { client, responder } = setUp(wraps());
    const reset = resetAt(client, 0);
    const reply = replyTo(responder, reset, 0);
    for (let at = 0; at < reply.length; at += 1) {
      const changed = Buffer.from(reply);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      responder.onPacket(changed, HERE, 0);
      const sender = Buffer.from(reset);
      if (at < sender.length) sender[at] = (sender[at] ?? 0) ^ 0x10;
      expect(responder.onPacket(sender, HERE, 0).kind).not.toBe('accept');
    }
    for (let length = 0; length < reply.length; length += 1) {
      expect(client.fromBelow(reply.subarray(0, length), 0)).toBeTypeOf('number');
    }
    expect(client.sessionIds).toBeUndefined();
    expect(client.fromBelow(reply, 0)).toBeInstanceOf(ControlPacket);
  });
});
