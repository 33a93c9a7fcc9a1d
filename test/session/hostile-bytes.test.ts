import { describe, expect, test } from 'vitest';
import { OvpnProtocolError } from '../../src/core/errors.ts';
import { DROP_NAMES, Drop } from '../../src/core/machine.ts';
import type { Role } from '../../src/model/ids.ts';
import { keyIdOf, Opcode } from '../../src/model/opcode.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import { MAX_ACKS, MAX_CONTROL_PAYLOAD_BYTES } from '../../src/packetmuxer/control-packet-codec.ts';
import { isDataPacket } from '../../src/packetmuxer/route.ts';
import { splitWrappedKey } from '../../src/packetmuxer/tls-crypt-v2.ts';
import { bringsWrappedKey } from '../../src/packetmuxer/tls-crypt-v2-wraps.ts';
import { type RecordedPacket, readCaptures } from '../packetmuxer/captures.ts';
import { type Forgery, forEachForgery } from '../packetmuxer/hostile-bytes.ts';
import { type Outcome, RecordedEnd, type RecordedSession, sessionsOf } from './recorded-end.ts';

const ROLES: readonly Role[] = ['client', 'server'];

const CASES = readCaptures().flatMap((capture) =>
  sessionsOf(capture).flatMap((session, index) =>
    ROLES.map((role) => ({ name: `${capture.name} #${index + 1}`, role, session })),
  ),
);

/** What ends a session whose packets come by a stream: nobody else can have sent them. */
const FATAL_ON_STREAMS: readonly Drop[] = [
  Drop.MALFORMED,
  Drop.BAD_OPCODE,
  Drop.BAD_AUTH,
  Drop.WRONG_SESSION,
];

describe('every truncation, extension and changed byte of every recorded control packet', () => {
  test('is of all sessions, opcodes and wraps that were recorded', () => {
    expect(CASES.length).toBe(2 * 40);
    // Of 639: one reset was never answered, so it is of no session.
    expect(CASES.reduce((sum, row) => sum + sentTo(row).length, 0)).toBe(638);
    const opcodes = CASES.flatMap(({ session }) => session.packets.map(({ op }) => op));
    expect([...new Set(opcodes)].sort()).toEqual([
      'ACK_V1',
      'CONTROL_V1',
      'CONTROL_WKC_V1',
      'HARD_RESET_CLIENT_V2',
      'HARD_RESET_CLIENT_V3',
      'HARD_RESET_SERVER_V2',
      'SOFT_RESET_V1',
    ]);
  });

  test.each(CASES)('$name: the $role drops it, and takes the packet itself', (row) => {
    const end = new RecordedEnd(row.session, row.role, false);
    for (const { recorded, packet } of sentTo(row)) {
      end.expect(recorded);
      expect(surprisesOf(row, end, recorded, packet)).toEqual([]);
      const outcome = end.feed(packet);
      if (isClientReset(recorded)) expect(outcome).toBe(Drop.UNEXPECTED);
      else expect(outcome).toBeInstanceOf(ControlPacket);
      if (!isInClear(row.session, recorded, packet)) expect(end.feed(packet)).toBe(Drop.REPLAY);
    }
  });

  const STREAMED = CASES.filter(({ session }) =>
    /^(02|03|04|05|06b|22)-/.test(session.capture.name),
  );
  test.each(STREAMED)('$name: on a stream it ends the $role, with a typed error', (row) => {
    const end = new RecordedEnd(row.session, row.role, true);
    for (const { recorded, packet } of sentTo(row)) {
      end.expect(recorded);
      const surprises: string[] = [];
      forEachForgery(packet, (forged, how, at) => {
        const error = thrownBy(() => end.feed(forged));
        const isTyped = error === undefined || error instanceof OvpnProtocolError;
        const isFatal = FATAL_ON_STREAMS.includes(end.lastDrop);
        if (!isTyped || isFatal !== (error !== undefined)) surprises.push(`${how} at ${at}`);
      });
      expect(surprises).toEqual([]);
      if (!isClientReset(recorded)) end.feed(packet);
    }
  });
});

type Case = (typeof CASES)[number];

function sentTo({ role, session }: Case): { recorded: RecordedPacket; packet: Buffer }[] {
  const dir = role === 'client' ? 'S' : 'C';
  return session.packets
    .filter((recorded) => recorded.dir === dir)
    .map((recorded) => ({ recorded, packet: Buffer.from(recorded.hex, 'hex') }));
}

/** Forgeries that were not dropped, or left a trace in the session. */
function surprisesOf(
  { role, session }: Case,
  end: RecordedEnd,
  recorded: RecordedPacket,
  packet: Buffer,
): string[] {
  const surprises: string[] = [];
  const ids = end.sessionIds;
  // In clear an altered answer is an answer: each is for a client that still waits for one.
  const isAnswer = recorded.op === 'HARD_RESET_SERVER_V2' && isInClear(session, recorded, packet);
  forEachForgery(packet, (forged, how, at) => {
    if (how === 'changed' && isUncovered(packet, at)) return;
    const inClear = isInClear(session, recorded, forged);
    const subject = isAnswer ? new RecordedEnd(session, role, false) : end;
    const outcome = subject.feed(forged);
    const isHarmless =
      typeof outcome === 'object'
        ? inClear && obeysBounds(outcome, forged, session, role)
        : outcome !== Drop.NONE && (outcome !== 'data' || isDataPacket(forged));
    const isSilent = typeof outcome === 'object' || !subject.isNoted;
    if (!isHarmless || !isSilent) surprises.push(describeSurprise(how, at, outcome));
  });
  expect(end.sessionIds).toEqual(ids);
  return surprises;
}

/** What nothing authenticates may be anything, but of the size and for the session that it should. */
function obeysBounds(
  { keyId, ackedPacketIds, remoteSessionId, payload, ...packet }: ControlPacket,
  forged: Buffer,
  { client, server }: RecordedSession,
  role: Role,
): boolean {
  const [local, remote] = role === 'client' ? [client, server] : [server, client];
  const isAnswer = packet.opcode === Opcode.P_CONTROL_HARD_RESET_SERVER_V2;
  return (
    keyId <= 7 &&
    ackedPacketIds.length <= MAX_ACKS &&
    payload.length <= MAX_CONTROL_PAYLOAD_BYTES &&
    payload.length < forged.length &&
    (isAnswer || packet.sessionId.equals(remote)) &&
    (remoteSessionId?.equals(local) ?? ackedPacketIds.length === 0)
  );
}

/** The key behind it counts for a server that knows the client's key already only by its length. */
function isUncovered(packet: Buffer, at: number): boolean {
  if (!bringsWrappedKey(packet)) return false;
  const split = splitWrappedKey(packet);
  if (typeof split === 'number') return false;
  return at >= split.packet.length && at < packet.length - 2;
}

function isClientReset({ op }: RecordedPacket): boolean {
  return op.startsWith('HARD_RESET_CLIENT');
}

/** Without a wrap, and with one for renegotiations what a forger gives the first key id. */
function isInClear(
  { capture }: RecordedSession,
  { wrap }: RecordedPacket,
  packet: Buffer,
): boolean {
  if (capture.wrap !== 'none') return false;
  return wrap === undefined || (packet.length > 0 && keyIdOf(packet.readUInt8(0)) === 0);
}

function describeSurprise(how: Forgery, at: number, outcome: Outcome): string {
  const what = typeof outcome === 'number' ? DROP_NAMES[outcome] : 'taken';
  return `${how} at ${at}: ${what}`;
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}
