import { describe, expect, test } from 'vitest';
import { ControlChannel, SOFT_RESET_REST_MS } from '../../src/controlchannel/control-channel.ts';
import { OvpnTimeoutError } from '../../src/core/errors.ts';
import { Drop } from '../../src/core/machine.ts';
import { notationOf, packetOf } from '../sim/packet-notation.ts';

/** What may happen to the machine, by name; the numbers are key ids. */
const inputs: Record<string, (machine: ControlChannel) => unknown> = {
  'established 0': (machine) => machine.keyEstablished(0, 0),
  'established 1': (machine) => machine.keyEstablished(1, 0),
  start: (machine) => machine.startSoftReset(0),
  rest: (machine) => machine.onTimeout(SOFT_RESET_REST_MS),
  'reset 0': (machine) => machine.fromBelow(packetOf('[0] SOFT_RESET_V1 key:0')),
  'reset 1': (machine) => machine.fromBelow(packetOf('[0] SOFT_RESET_V1 key:1')),
  'reset 2': (machine) => machine.fromBelow(packetOf('[0] SOFT_RESET_V1 key:2')),
  'reset 1, id 3': (machine) => machine.fromBelow(packetOf('[3] SOFT_RESET_V1 key:1')),
};

/** States by the way that leads there. */
const ways = {
  first: [],
  established: ['established 0'],
  asked: ['established 0', 'start'],
  answered: ['established 0', 'reset 1'],
  agreed: ['established 0', 'start', 'reset 1'],
  renewed: ['established 0', 'reset 1', 'established 1'],
  rested: ['established 0', 'reset 1', 'established 1', 'rest'],
  'asked again': ['established 0', 'reset 1', 'established 1', 'start'],
};

function machineIn(way: keyof typeof ways): ControlChannel {
  const machine = new ControlChannel();
  for (const input of ways[way]) inputs[input]?.(machine);
  machine.takeDown();
  machine.takeSoftReset();
  return machine;
}

/** Everything the machine has to say. */
function outputs(machine: ControlChannel): string {
  const down = machine.takeDown();
  const begin = machine.takeSoftReset();
  const parts = [`active ${machine.activeKeyId}`];
  if (machine.pendingKeyId !== undefined) parts.push(`pending ${machine.pendingKeyId}`);
  if (down !== undefined) parts.push(`send ${notationOf(down)}`);
  if (begin !== undefined) parts.push(`begin ${begin}`);
  return parts.join(', ');
}

const OUR_BUG = 'throws';

describe('ControlChannel, every state and input', () => {
  const send1 = 'send SOFT_RESET_V1 key:1';
  test.each<{ state: keyof typeof ways; input: string; result: unknown; after: string }>([
    { state: 'first', input: 'established 0', result: undefined, after: 'active 0' },
    { state: 'first', input: 'established 1', result: OUR_BUG, after: 'active 0' },
    { state: 'first', input: 'start', result: false, after: 'active 0' },
    { state: 'first', input: 'reset 0', result: Drop.UNEXPECTED, after: 'active 0' },
    { state: 'first', input: 'reset 1', result: Drop.UNEXPECTED, after: 'active 0' },
    { state: 'established', input: 'established 0', result: OUR_BUG, after: 'active 0' },
    { state: 'established', input: 'start', result: true, after: `active 0, pending 1, ${send1}` },
    { state: 'established', input: 'reset 0', result: Drop.UNEXPECTED, after: 'active 0' },
    {
      state: 'established',
      input: 'reset 1',
      result: Drop.NONE,
      after: `active 0, pending 1, ${send1}, begin 1`,
    },
    { state: 'established', input: 'reset 1, id 3', result: Drop.UNEXPECTED, after: 'active 0' },
    { state: 'established', input: 'reset 2', result: Drop.UNEXPECTED, after: 'active 0' },
    { state: 'asked', input: 'established 1', result: OUR_BUG, after: 'active 0, pending 1' },
    { state: 'asked', input: 'start', result: false, after: 'active 0, pending 1' },
    { state: 'asked', input: 'reset 1', result: Drop.NONE, after: 'active 0, pending 1, begin 1' },
    {
      state: 'asked',
      input: 'reset 1, id 3',
      result: Drop.UNEXPECTED,
      after: 'active 0, pending 1',
    },
    { state: 'asked', input: 'reset 2', result: Drop.UNEXPECTED, after: 'active 0, pending 1' },
    { state: 'answered', input: 'established 0', result: OUR_BUG, after: 'active 0, pending 1' },
    { state: 'answered', input: 'established 1', result: undefined, after: 'active 1' },
    { state: 'answered', input: 'start', result: false, after: 'active 0, pending 1' },
    { state: 'answered', input: 'reset 1', result: Drop.UNEXPECTED, after: 'active 0, pending 1' },
    { state: 'answered', input: 'reset 2', result: Drop.UNEXPECTED, after: 'active 0, pending 1' },
    { state: 'agreed', input: 'established 1', result: undefined, after: 'active 1' },
    { state: 'agreed', input: 'start', result: false, after: 'active 0, pending 1' },
    { state: 'agreed', input: 'reset 1', result: Drop.UNEXPECTED, after: 'active 0, pending 1' },
    { state: 'renewed', input: 'reset 1', result: Drop.UNEXPECTED, after: 'active 1' },
    { state: 'renewed', input: 'reset 2', result: Drop.UNEXPECTED, after: 'active 1' },
    {
      state: 'rested',
      input: 'reset 2',
      result: Drop.NONE,
      after: 'active 1, pending 2, send SOFT_RESET_V1 key:2, begin 2',
    },
    {
      state: 'asked again',
      input: 'reset 2',
      result: Drop.NONE,
      after: 'active 1, pending 2, begin 2',
    },
    {
      state: 'renewed',
      input: 'start',
      result: true,
      after: 'active 1, pending 2, send SOFT_RESET_V1 key:2',
    },
  ])('$state + $input', ({ state, input, result, after }) => {
    const machine = machineIn(state);
    if (result === OUR_BUG) expect(() => inputs[input]?.(machine)).toThrow(/^key id/);
    else expect(inputs[input]?.(machine)).toBe(result);
    expect(outputs(machine)).toBe(after);
    expect([machine.takeDown(), machine.takeSoftReset()]).toEqual([undefined, undefined]);
  });

  test.each<{ state: keyof typeof ways; accepted: number[] }>([
    { state: 'first', accepted: [] },
    { state: 'established', accepted: [1] },
    { state: 'asked', accepted: [1] },
    { state: 'answered', accepted: [] },
    { state: 'agreed', accepted: [] },
    { state: 'renewed', accepted: [] },
    { state: 'rested', accepted: [2] },
    { state: 'asked again', accepted: [2] },
  ])('$state: a state may be made for the soft resets of $accepted', ({ state, accepted }) => {
    const machine = machineIn(state);
    const keyIds = [0, 1, 2, 3, 4, 5, 6, 7];
    expect(keyIds.filter((keyId) => machine.acceptsSoftReset(keyId))).toEqual(accepted);
  });

  test('key ids count 0, 1 … 7, 1 … 7, whoever begins', () => {
    const machine = machineIn('established');
    const seen: number[] = [];
    for (let round = 0; round < 16; round += 1) {
      const next = (round % 7) + 1;
      if (round % 2 === 0) machine.startSoftReset(0);
      expect(machine.fromBelow(packetOf(`[0] SOFT_RESET_V1 key:${next}`))).toBe(Drop.NONE);
      expect(machine.takeDown()?.keyId).toBe(next);
      seen.push(machine.takeSoftReset() ?? -1);
      machine.keyEstablished(next, 0);
      machine.onTimeout(SOFT_RESET_REST_MS);
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7, 1, 2]);
  });

  test('10,000 soft resets of every key id begin one negotiation', () => {
    const machine = machineIn('established');
    let begun = 0;
    let answers = 0;
    for (let times = 0; times < 10_000; times += 1) {
      machine.fromBelow(packetOf(`[0] SOFT_RESET_V1 key:${times % 8}`));
      if (machine.takeSoftReset() !== undefined) begun += 1;
      if (machine.takeDown() !== undefined) answers += 1;
    }
    expect([begun, answers]).toEqual([1, 1]);
  });
});

describe('ControlChannel, packets', () => {
  test('raises the payload of CONTROL_V1 with its key id, once', () => {
    const machine = machineIn('first');
    expect(machine.fromBelow(packetOf('[1] CONTROL_V1'))).toBe(Drop.NONE);
    expect(machine.takeUp()).toEqual({ keyId: 0, bytes: Buffer.from('key 0 message 1') });
    expect(machine.takeUp()).toBeUndefined();
  });

  test.each<{
    name: string;
    state: keyof typeof ways;
    notation: string;
    drop: Drop;
    raised: boolean;
  }>([
    {
      name: 'the old key while another is negotiated',
      state: 'answered',
      notation: '[9]',
      drop: Drop.NONE,
      raised: true,
    },
    {
      name: 'the new key, agreed on',
      state: 'agreed',
      notation: '[1] key:1',
      drop: Drop.NONE,
      raised: true,
    },
    { name: 'a lame duck', state: 'renewed', notation: '[9]', drop: Drop.NONE, raised: true },
    {
      name: 'a key that was only asked for',
      state: 'asked',
      notation: '[0] key:1',
      drop: Drop.UNEXPECTED,
      raised: false,
    },
    {
      name: 'an empty first packet',
      state: 'first',
      notation: '[1] CONTROL_WKC_V1',
      drop: Drop.NONE,
      raised: false,
    },
    {
      name: 'the reset of the server',
      state: 'first',
      notation: '[0] HARD_RESET_SERVER_V2',
      drop: Drop.NONE,
      raised: false,
    },
    {
      name: 'that with another id',
      state: 'first',
      notation: '[3] HARD_RESET_SERVER_V2',
      drop: Drop.UNEXPECTED,
      raised: false,
    },
    {
      name: 'that with another key id',
      state: 'agreed',
      notation: '[0] HARD_RESET_SERVER_V2 key:1',
      drop: Drop.UNEXPECTED,
      raised: false,
    },
    {
      name: 'the reset of a client',
      state: 'first',
      notation: '[0] HARD_RESET_CLIENT_V2',
      drop: Drop.BAD_OPCODE,
      raised: false,
    },
    { name: 'an ACK_V1', state: 'first', notation: 'ACK_V1', drop: Drop.BAD_OPCODE, raised: false },
  ])('$name', ({ state, notation, drop, raised }) => {
    const machine = machineIn(state);
    expect(machine.fromBelow(packetOf(notation))).toBe(drop);
    expect(machine.takeUp() !== undefined).toBe(raised);
  });

  test('puts TLS bytes into CONTROL_V1 as they are', () => {
    const bytes = Buffer.from('client hello');
    const packet = machineIn('agreed').fromAbove({ keyId: 1, bytes });
    expect(notationOf(packet)).toBe('CONTROL_V1 key:1');
    expect(packet.payload).toBe(bytes);
  });
});

describe('ControlChannel, an unanswered soft reset', () => {
  test('ends the session after its window, not before', () => {
    const machine = new ControlChannel(30_000);
    machine.keyEstablished(0, 0);
    machine.startSoftReset(1000);
    expect(machine.nextTimeout()).toBe(31_000);
    machine.onTimeout(30_999);
    expect(() => machine.onTimeout(31_000)).toThrow(OvpnTimeoutError);
    expect(() => machine.onTimeout(31_000)).toThrow(
      expect.objectContaining({
        code: 'OVPN_HANDSHAKE_TIMEOUT',
        timeoutMs: 30_000,
        layer: 'controlchannel',
      }),
    );
  });

  test.each<keyof typeof ways>(['first', 'established', 'answered', 'agreed', 'rested'])(
    'there is none in state %s',
    (state) => {
      const machine = machineIn(state);
      expect(machine.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
      expect(() => machine.onTimeout(1e12)).not.toThrow();
    },
  );

  test('the rest after a renegotiation has an end of its own', () => {
    const machine = machineIn('answered');
    machine.keyEstablished(1, 500);
    expect(machine.nextTimeout()).toBe(500 + SOFT_RESET_REST_MS);
    machine.onTimeout(499 + SOFT_RESET_REST_MS);
    expect(machine.acceptsSoftReset(2)).toBe(false);
    machine.onTimeout(500 + SOFT_RESET_REST_MS);
    expect(machine.acceptsSoftReset(2)).toBe(true);
    expect(machine.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });
});
