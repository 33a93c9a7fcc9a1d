import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { Reliable, type ReliableOptions } from '../../src/reliable/reliable.ts';
import { notationOf, packetOf, packetsOf } from '../sim/packet-notation.ts';

function reliable(options: Partial<ReliableOptions> = {}): Reliable {
  return new Reliable({
    keyId: 0,
    firstSendId: 1,
    firstReceiveId: 0,
    tlsTimeoutMs: 500,
    ackV1Limit: 8,
    ...options,
  });
}

function takeAll(machine: Reliable, now = 0): string[] {
  const notations: string[] = [];
  for (let packet = machine.takeDown(now); packet !== undefined; packet = machine.takeDown(now)) {
    notations.push(notationOf(packet));
  }
  return notations;
}

function feed(machine: Reliable, notation: string): Drop[] {
  return packetsOf(notation).map(({ packet }) => machine.fromBelow(packet));
}

function write(machine: Reliable, count: number): void {
  for (let at = 0; at < count; at += 1) machine.fromAbove(packetOf('CONTROL_V1'));
}

describe('Reliable, acknowledging', () => {
  test.each([
    { name: 'nothing to send: an ACK_V1', receive: ['[0]'], write: 0, sent: ['ACK_V1 (ack:0)'] },
    {
      name: 'something to send: on its back',
      receive: ['[0]'],
      write: 1,
      sent: ['[1] CONTROL_V1 (ack:0)'],
    },
    {
      name: 'repeated in every packet',
      receive: ['[0..1]'],
      write: 2,
      sent: ['[1] CONTROL_V1 (ack:1,0)', '[2] CONTROL_V1 (ack:1,0)'],
    },
    {
      name: 'four in an ordinary packet, the rest after it',
      receive: ['[0..5]'],
      write: 1,
      sent: ['[1] CONTROL_V1 (ack:3,2,1,0)', 'ACK_V1 (ack:5,4,3,2,1,0)'],
    },
    {
      name: 'eight in an ACK_V1',
      receive: ['[0..9]'],
      write: 0,
      sent: ['ACK_V1 (ack:7,6,5,4,3,2,1,0)', 'ACK_V1 (ack:9,8,7,6,5,4,3,2)'],
    },
    { name: 'out of order: at once', receive: ['[5]'], write: 0, sent: ['ACK_V1 (ack:5)'] },
    { name: 'too far ahead: not at all', receive: ['[12]'], write: 0, sent: [] },
    {
      name: 'a duplicate: again, once',
      receive: ['[0]', '[0]'],
      write: 0,
      sent: ['ACK_V1 (ack:0)'],
    },
    { name: 'ACK_V1 itself: never', receive: ['ACK_V1 (ack:1)'], write: 0, sent: [] },
  ])('$name', ({ receive, write: count, sent }) => {
    const machine = reliable();
    for (const notation of receive) feed(machine, notation);
    write(machine, count);
    expect(takeAll(machine)).toEqual(sent);
    expect(takeAll(machine)).toEqual([]);
  });

  test('four in an ACK_V1 too where the peer may be SoftEther', () => {
    const machine = reliable({ ackV1Limit: 4 });
    feed(machine, '[0..5]');
    expect(takeAll(machine)).toEqual(['ACK_V1 (ack:3,2,1,0)', 'ACK_V1 (ack:5,4,3,2)']);
  });

  test('a duplicate is acknowledged again each time it comes, and released once', () => {
    const machine = reliable();
    expect(feed(machine, '[0]')).toEqual([Drop.NONE]);
    takeAll(machine);
    for (let times = 0; times < 3; times += 1) {
      expect(feed(machine, '[0]')).toEqual([Drop.DUPLICATE]);
      expect(takeAll(machine)).toEqual(['ACK_V1 (ack:0)']);
    }
    expect(machine.takeUp()?.packetId).toBe(0);
    expect(machine.takeUp()).toBeUndefined();
    expect(feed(machine, '[0]')).toEqual([Drop.DUPLICATE]);
  });

  test('a resent first message acknowledges the reset again, as a stateless server needs it', () => {
    const machine = reliable();
    feed(machine, '[0] HARD_RESET_SERVER_V2');
    write(machine, 1);
    expect(takeAll(machine)).toEqual(['[1] CONTROL_V1 (ack:0)']);
    machine.onTimeout(500);
    expect(takeAll(machine, 500)).toEqual(['[1] CONTROL_V1 (ack:0)']);
  });

  test('a resend carries fresh acknowledgements', () => {
    const machine = reliable();
    write(machine, 1);
    expect(takeAll(machine)).toEqual(['[1] CONTROL_V1']);
    feed(machine, '[0..2]');
    machine.onTimeout(500);
    expect(takeAll(machine, 500)).toEqual(['[1] CONTROL_V1 (ack:2,1,0)']);
  });

  test('what cannot be acknowledged is not taken', () => {
    const machine = reliable();
    const drops = Array.from({ length: 20 }, (_, id) => {
      const [drop] = feed(machine, `[${id}]`);
      machine.takeUp();
      return drop;
    });
    expect(drops.slice(0, 16).every((drop) => drop === Drop.NONE)).toBe(true);
    expect(drops.slice(16)).toEqual([Drop.NO_ROOM, Drop.NO_ROOM, Drop.NO_ROOM, Drop.NO_ROOM]);
    takeAll(machine);
    expect(feed(machine, '[16]')).toEqual([Drop.NONE]);
  });
});

describe('Reliable, sending', () => {
  test('acknowledgements count on every packet, even one that is refused', () => {
    const machine = reliable();
    write(machine, 3);
    takeAll(machine);
    expect(feed(machine, '[0] CONTROL_V1 (ack:1)')).toEqual([Drop.NONE]);
    expect(feed(machine, '[0] CONTROL_V1 (ack:2)')).toEqual([Drop.DUPLICATE]);
    expect(machine.isAcknowledged).toBe(false);
    expect(feed(machine, '[99] CONTROL_V1 (ack:3)')).toEqual([Drop.OUT_OF_WINDOW]);
    expect(machine.isAcknowledged).toBe(true);
  });

  test('refuses a seventh message until the first is acknowledged', () => {
    const machine = reliable();
    write(machine, 6);
    expect(machine.acceptsFromAbove()).toBe(false);
    expect(machine.fromAbove(packetOf('CONTROL_V1'))).toBe(Drop.NO_ROOM);
    takeAll(machine);
    feed(machine, 'ACK_V1 (ack:1)');
    expect(machine.acceptsFromAbove()).toBe(true);
    expect(machine.fromAbove(packetOf('CONTROL_V1'))).toBe(Drop.NONE);
    expect(takeAll(machine)).toEqual(['[7] CONTROL_V1']);
  });

  test('one timetable for one loss: resent after 500 ms, or after three later acknowledgements', () => {
    const machine = reliable();
    write(machine, 6);
    takeAll(machine);
    feed(machine, 'ACK_V1 (ack:3,2)');
    expect(takeAll(machine, 10)).toEqual([]);
    feed(machine, 'ACK_V1 (ack:4,3,2)');
    expect(takeAll(machine, 20)).toEqual(['[1] CONTROL_V1']);
    expect(machine.nextTimeout()).toBe(500);
    machine.onTimeout(500);
    expect(takeAll(machine, 500)).toEqual(['[5] CONTROL_V1', '[6] CONTROL_V1']);
    machine.onTimeout(520);
    expect(takeAll(machine, 520)).toEqual(['[1] CONTROL_V1']);
  });

  test('a soft reset has id 0 and acknowledges nothing', () => {
    const machine = reliable({ keyId: 1, firstSendId: 0 });
    machine.fromAbove(packetOf('SOFT_RESET_V1 key:1'));
    expect(takeAll(machine)).toEqual(['[0] SOFT_RESET_V1 key:1']);
  });
});
