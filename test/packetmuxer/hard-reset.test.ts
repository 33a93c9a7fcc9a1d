import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { sessionIdOf } from '../../src/model/ids.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import { HardReset } from '../../src/packetmuxer/hard-reset.ts';

const LOCAL = sessionIdOf(Buffer.alloc(8, 0xaa));
const REMOTE = sessionIdOf(Buffer.alloc(8, 0xbb));
const OTHER = sessionIdOf(Buffer.alloc(8, 0xcc));

interface AnswerFields {
  keyId?: number;
  packetId?: number;
  acks?: number[];
  to?: typeof LOCAL | undefined;
  from?: typeof LOCAL;
  /** hex */
  payload?: string;
}

function answer({
  keyId = 0,
  packetId = 0,
  acks = [0],
  to = LOCAL,
  from = REMOTE,
  payload = '',
}: AnswerFields) {
  const packet = new ControlPacket(Opcode.P_CONTROL_HARD_RESET_SERVER_V2, keyId, from);
  packet.packetId = packetId;
  packet.ackedPacketIds = acks;
  packet.remoteSessionId = acks.length > 0 ? to : undefined;
  packet.payload = Buffer.from(payload, 'hex');
  return packet;
}

/** When a machine that gets no answer sends, until `end`. */
function sendTimes(machine: HardReset, end: number): number[] {
  const times: number[] = [];
  let now = 0;
  while (now <= end) {
    machine.onTimeout(now);
    if (machine.takeDown(now) !== undefined) times.push(now);
    const next = machine.nextTimeout();
    if (next <= now) return expect.fail('time stands still');
    now = next;
  }
  return times;
}

describe('HardReset', () => {
  test('asks with HARD_RESET_CLIENT_V2, message id 0, without acknowledgements', () => {
    const packet = new HardReset({ localSessionId: LOCAL }).takeDown(0);
    expect(packet?.opcode).toBe(Opcode.P_CONTROL_HARD_RESET_CLIENT_V2);
    expect(packet?.keyId).toBe(0);
    expect(packet?.packetId).toBe(0);
    expect(packet?.ackedPacketIds).toEqual([]);
    expect(packet?.sendAttempts).toBe(1);
  });

  test.each([
    { tlsTimeoutMs: undefined, times: [0, 500, 1500, 3500, 7500, 11_500, 15_500] },
    { tlsTimeoutMs: 100, times: [0, 100, 300, 700, 1500, 3100, 6300, 10_300, 14_300] },
    { tlsTimeoutMs: 2000, times: [0, 2000, 6000, 10_000, 14_000] },
    { tlsTimeoutMs: 9000, times: [0, 4000, 8000, 12_000, 16_000] },
  ])('asks again with tls-timeout $tlsTimeoutMs at $times', ({ tlsTimeoutMs, times }) => {
    const options = tlsTimeoutMs === undefined ? {} : { tlsTimeoutMs };
    expect(sendTimes(new HardReset({ localSessionId: LOCAL, ...options }), 16_000)).toEqual(times);
  });

  test('counts its attempts, and sends once for each timeout', () => {
    const machine = new HardReset({ localSessionId: LOCAL });
    machine.takeDown(0);
    expect(machine.takeDown(0)).toBeUndefined();
    machine.onTimeout(499);
    expect(machine.takeDown(499)).toBeUndefined();
    machine.onTimeout(500);
    machine.onTimeout(500);
    expect(machine.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    expect(machine.takeDown(510)?.sendAttempts).toBe(2);
    expect(machine.takeDown(510)).toBeUndefined();
    expect(machine.nextTimeout()).toBe(1510);
  });

  test.each([
    { name: 'the answer', fields: {}, drop: Drop.NONE },
    { name: 'more acknowledgements', fields: { acks: [3, 0] }, drop: Drop.NONE },
    { name: 'another key id', fields: { keyId: 1 }, drop: Drop.UNKNOWN_KEY },
    { name: 'a message id other than 0', fields: { packetId: 1 }, drop: Drop.UNEXPECTED },
    { name: 'no acknowledgement', fields: { acks: [] }, drop: Drop.UNEXPECTED },
    { name: 'an acknowledgement of something else', fields: { acks: [1] }, drop: Drop.UNEXPECTED },
    {
      name: 'an acknowledgement for somebody else',
      fields: { to: OTHER },
      drop: Drop.WRONG_SESSION,
    },
  ])('judges $name', ({ fields, drop }) => {
    const machine = new HardReset({ localSessionId: LOCAL });
    machine.takeDown(0);
    expect(machine.fromBelow(answer(fields))).toBe(drop);
    expect(machine.remoteSessionId).toEqual(drop === Drop.NONE ? REMOTE : undefined);
    expect(machine.nextTimeout()).toBe(drop === Drop.NONE ? Number.POSITIVE_INFINITY : 500);
  });

  test('keeps to the first answer', () => {
    const machine = new HardReset({ localSessionId: LOCAL });
    machine.takeDown(0);
    machine.fromBelow(answer({}));
    expect(machine.fromBelow(answer({}))).toBe(Drop.UNEXPECTED);
    expect(machine.fromBelow(answer({ from: OTHER }))).toBe(Drop.UNEXPECTED);
    expect(machine.remoteSessionId).toEqual(REMOTE);
  });

  test('is silent once answered, even when a resend was due', () => {
    const machine = new HardReset({ localSessionId: LOCAL });
    machine.takeDown(0);
    machine.onTimeout(500);
    machine.fromBelow(answer({}));
    expect(machine.takeDown(501)).toBeUndefined();
    machine.onTimeout(10_000);
    expect(machine.takeDown(10_000)).toBeUndefined();
    expect(machine.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });

  describe('under tls-crypt-v2', () => {
    const machine = (): HardReset => {
      const opcode = Opcode.P_CONTROL_HARD_RESET_CLIENT_V3;
      const made = new HardReset({ localSessionId: LOCAL, opcode });
      made.takeDown(0);
      return made;
    };

    test('asks with HARD_RESET_CLIENT_V3, otherwise the same', () => {
      const made = machine();
      made.onTimeout(500);
      expect(made.takeDown(500)).toMatchObject({
        opcode: Opcode.P_CONTROL_HARD_RESET_CLIENT_V3,
        keyId: 0,
        packetId: 0,
        ackedPacketIds: [],
      });
    });

    // biome-ignore format: a table, one row a line
    test.each([
      { name: 'says nothing',               fields: {},                                     drop: Drop.NONE,      resends: false },
      { name: 'wants the wrapped key',      fields: { payload: '000100020001' },            drop: Drop.NONE,      resends: true },
      { name: 'does not want it',           fields: { payload: '000100020000' },            drop: Drop.NONE,      resends: false },
      { name: 'says what we do not know',   fields: { payload: '00090001ff' },              drop: Drop.NONE,      resends: false },
      { name: 'is malformed',               fields: { payload: '0001000200' },              drop: Drop.MALFORMED, resends: false },
      { name: 'wants it from somebody else', fields: { payload: '000100020001', to: OTHER }, drop: Drop.WRONG_SESSION, resends: false },
    ])('an answer that $name', ({ fields, drop, resends }) => {
      const made = machine();
      expect(made.fromBelow(answer(fields))).toBe(drop);
      expect(made.resendsWrappedKey).toBe(resends);
      expect(made.remoteSessionId).toEqual(drop === Drop.NONE ? REMOTE : undefined);
      expect(made.nextTimeout()).toBe(drop === Drop.NONE ? Number.POSITIVE_INFINITY : 500);
    });

    test('a good answer counts after a malformed one', () => {
      const made = machine();
      expect(made.fromBelow(answer({ payload: '00' }))).toBe(Drop.MALFORMED);
      expect(made.fromBelow(answer({ payload: '000100020001' }))).toBe(Drop.NONE);
      expect(made.resendsWrappedKey).toBe(true);
    });
  });

  test.each(['000100020001', '0001', 'ff'])('elsewhere the payload %s is nothing', (payload) => {
    const machine = new HardReset({ localSessionId: LOCAL });
    machine.takeDown(0);
    expect(machine.fromBelow(answer({ payload }))).toBe(Drop.NONE);
    expect(machine.resendsWrappedKey).toBe(false);
  });
});
