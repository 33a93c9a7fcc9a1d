import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { KeyStates } from '../../src/reliable/key-states.ts';
import { notationOf, packetOf } from '../sim/packet-notation.ts';

function keyStates(role: 'client' | 'server', acceptsSoftReset = (_keyId: number) => true) {
  return new KeyStates({ role, tlsTimeoutMs: 500, ackV1Limit: 8, acceptsSoftReset });
}

function takeAll(states: KeyStates, now = 0): string[] {
  const notations: string[] = [];
  for (let packet = states.takeDown(now); packet !== undefined; packet = states.takeDown(now)) {
    notations.push(notationOf(packet));
  }
  return notations;
}

describe('KeyStates, key id 0', () => {
  test('client: the reset of the server comes up and is acknowledged; our first id is 1', () => {
    const states = keyStates('client');
    expect(states.fromBelow(packetOf('[0] HARD_RESET_SERVER_V2 (ack:0)'))).toBe(Drop.NONE);
    states.fromAbove(packetOf('CONTROL_V1'));
    expect(states.takeUp()?.packetId).toBe(0);
    expect(takeAll(states)).toEqual(['[1] CONTROL_V1 (ack:0)']);
  });

  test('server: the reset of the client, sent again, is a duplicate and acknowledged again', () => {
    const states = keyStates('server');
    expect(states.fromBelow(packetOf('[0] HARD_RESET_CLIENT_V2'))).toBe(Drop.DUPLICATE);
    expect(states.takeUp()).toBeUndefined();
    expect(takeAll(states)).toEqual(['ACK_V1 (ack:0)']);
    states.fromBelow(packetOf('[1] CONTROL_V1 (ack:0)'));
    expect(states.takeUp()?.packetId).toBe(1);
  });
});

describe('KeyStates, soft resets', () => {
  test('of the peer: makes a state where that is allowed, with ids from 0', () => {
    const states = keyStates('client', (keyId) => keyId === 1);
    expect(states.fromBelow(packetOf('[0] SOFT_RESET_V1 key:1'))).toBe(Drop.NONE);
    states.fromAbove(packetOf('SOFT_RESET_V1 key:1'));
    expect(takeAll(states)).toEqual(['[0] SOFT_RESET_V1 key:1 (ack:0)']);
    expect(states.keyIds).toEqual([0, 1]);
  });

  test.each([
    {
      name: 'a key id that may not begin',
      notation: '[0] SOFT_RESET_V1 key:2',
      drop: Drop.UNEXPECTED,
    },
    {
      name: 'a message id other than 0',
      notation: '[1] SOFT_RESET_V1 key:1',
      drop: Drop.UNEXPECTED,
    },
    {
      name: 'TLS bytes before the reset',
      notation: '[0] CONTROL_V1 key:1',
      drop: Drop.UNKNOWN_KEY,
    },
    { name: 'an ACK_V1 for it', notation: 'ACK_V1 key:1 (ack:0)', drop: Drop.UNKNOWN_KEY },
    { name: 'a hard reset', notation: '[0] HARD_RESET_SERVER_V2 key:1', drop: Drop.UNKNOWN_KEY },
  ])('no state and no acknowledgement for $name', ({ notation, drop }) => {
    const states = keyStates('client', (keyId) => keyId === 1);
    expect(states.fromBelow(packetOf(notation))).toBe(drop);
    expect(takeAll(states)).toEqual([]);
    expect(states.keyIds).toEqual([0]);
  });

  test('of ours: makes a state; the answer is one of its packets and asks nobody', () => {
    const states = keyStates('client', () => expect.unreachable());
    states.fromAbove(packetOf('SOFT_RESET_V1 key:1'));
    expect(takeAll(states)).toEqual(['[0] SOFT_RESET_V1 key:1']);
    expect(states.fromBelow(packetOf('[0] SOFT_RESET_V1 key:1 (ack:0)'))).toBe(Drop.NONE);
    expect(states.isAcknowledged(1)).toBe(true);
  });

  test('repeated 10,000 times: one state, one release, one acknowledgement at a time', () => {
    const asked: number[] = [];
    const states = keyStates('server', (keyId) => asked.push(keyId) === 1);
    for (let times = 0; times < 10_000; times += 1) {
      states.fromBelow(packetOf('[0] SOFT_RESET_V1 key:1'));
      states.fromBelow(packetOf(`[0] SOFT_RESET_V1 key:${2 + (times % 6)}`));
    }
    expect(states.keyIds).toEqual([0, 1]);
    expect(states.takeUp()?.keyId).toBe(1);
    expect(states.takeUp()).toBeUndefined();
    expect(takeAll(states)).toEqual(['ACK_V1 key:1 (ack:0)']);
    expect(asked.filter((keyId) => keyId === 1)).toHaveLength(1);
  });

  test('a fourth state takes the place of the oldest', () => {
    const states = keyStates('client');
    for (const keyId of [1, 2, 3]) states.fromBelow(packetOf(`[0] SOFT_RESET_V1 key:${keyId}`));
    expect(states.keyIds).toEqual([1, 2, 3]);
    expect(states.fromBelow(packetOf('[0] CONTROL_V1'))).toBe(Drop.UNKNOWN_KEY);
    expect(states.fromAbove(packetOf('CONTROL_V1'))).toBe(Drop.UNKNOWN_KEY);
    states.fromAbove(packetOf('SOFT_RESET_V1 key:4'));
    expect(states.keyIds).toEqual([2, 3, 4]);
  });
});

describe('KeyStates, several key ids', () => {
  function twoStates(): KeyStates {
    const states = keyStates('client');
    states.fromAbove(packetOf('SOFT_RESET_V1 key:1'));
    states.fromAbove(packetOf('CONTROL_V1'));
    takeAll(states);
    return states;
  }

  test('each has its own ids, acknowledgements and deadlines', () => {
    const states = twoStates();
    states.fromBelow(packetOf('[0] CONTROL_V1 key:1'));
    states.fromBelow(packetOf('[0] CONTROL_V1 (ack:1)'));
    expect(takeAll(states)).toEqual(['ACK_V1 (ack:0)', 'ACK_V1 key:1 (ack:0)']);
    expect([states.isAcknowledged(0), states.isAcknowledged(1)]).toEqual([true, false]);
    expect(states.nextTimeout()).toBe(500);
    states.onTimeout(500);
    expect(takeAll(states, 500)).toEqual(['[0] SOFT_RESET_V1 key:1 (ack:0)']);
  });

  test('a full window of one holds back what comes from above', () => {
    const states = twoStates();
    for (let at = 0; at < 5; at += 1) {
      expect(states.acceptsFromAbove()).toBe(true);
      states.fromAbove(packetOf('CONTROL_V1 key:1'));
    }
    expect(states.acceptsFromAbove()).toBe(false);
  });

  test('a key id that is gone owes nothing any more', () => {
    expect(keyStates('client').isAcknowledged(5)).toBe(true);
  });
});
