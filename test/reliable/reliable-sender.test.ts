import { describe, expect, test } from 'vitest';
import { Opcode } from '../../src/model/opcode.ts';
import { MAX_PACKET_ID, SEND_WINDOW } from '../../src/reliable/constants.ts';
import { ReliableSender } from '../../src/reliable/reliable-sender.ts';
import { packetOf } from '../sim/packet-notation.ts';

/** A sender with `count` messages, of which `sent` have left at time 0. */
function senderWith(count: number, { sent = count, first = 1, tlsTimeoutMs = 500 } = {}) {
  const sender = new ReliableSender(first, tlsTimeoutMs);
  for (let at = 0; at < count; at += 1) sender.add(packetOf('CONTROL_V1'));
  for (let at = 0; at < sent; at += 1) sender.take(0);
  return sender;
}

/** Takes all that is due. */
function sentIds(sender: ReliableSender, now: number): number[] {
  const ids: number[] = [];
  for (let packet = sender.take(now); packet !== undefined; packet = sender.take(now)) {
    ids.push(packet.packetId);
  }
  return ids;
}

/** The times of all transmissions of the only message until `end`. */
function transmissions(sender: ReliableSender, end: number): number[] {
  const times: number[] = [];
  let now = 0;
  while (now <= end) {
    sender.onTimeout(now);
    if (sender.take(now) !== undefined) times.push(now);
    now = sender.nextTimeout();
  }
  return times;
}

describe('ReliableSender', () => {
  test('numbers messages without gaps from the first id on, and sends each at once', () => {
    expect(sentIds(senderWith(3, { sent: 0, first: 0 }), 0)).toEqual([0, 1, 2]);
    expect(sentIds(senderWith(3, { sent: 0, first: 1 }), 0)).toEqual([1, 2, 3]);
  });

  test.each([
    { name: 'by default', tlsTimeoutMs: 500, times: [0, 500, 1500, 3500, 7500, 11_500, 15_500] },
    { name: 'as OpenVPN', tlsTimeoutMs: 2000, times: [0, 2000, 6000, 10_000, 14_000] },
    { name: 'a cap that does not shorten', tlsTimeoutMs: 6000, times: [0, 6000, 12_000] },
    {
      name: 'short',
      tlsTimeoutMs: 1,
      times: [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 8095, 12_095],
    },
  ])('resends without end, doubling the wait up to its cap: $name', ({ tlsTimeoutMs, times }) => {
    const sender = senderWith(1, { sent: 0, tlsTimeoutMs });
    expect(transmissions(sender, 16_000)).toEqual(times);
  });

  test('a resend keeps id, opcode, key id and payload, and counts; each is a packet of its own', () => {
    const sender = new ReliableSender(1, 500);
    sender.add(packetOf('[9] CONTROL_V1 key:2'));
    const first = sender.take(0);
    sender.onTimeout(500);
    const second = sender.take(500);
    expect(first).toMatchObject({
      opcode: Opcode.P_CONTROL_V1,
      keyId: 2,
      packetId: 1,
      sendAttempts: 1,
    });
    expect(second).toMatchObject({
      opcode: Opcode.P_CONTROL_V1,
      keyId: 2,
      packetId: 1,
      sendAttempts: 2,
    });
    expect(first?.payload.toString()).toBe('key 2 message 9');
    expect(second?.payload).toEqual(first?.payload);
    expect(second).not.toBe(first);
  });

  test('early or repeated timeouts do nothing', () => {
    const sender = senderWith(1);
    sender.onTimeout(499);
    expect(sentIds(sender, 499)).toEqual([]);
    sender.onTimeout(500);
    sender.onTimeout(500);
    expect(sentIds(sender, 500)).toEqual([1]);
    expect(sender.nextTimeout()).toBe(1500);
  });

  test('what is due waits for room below, not for time', () => {
    const sender = senderWith(1);
    sender.onTimeout(500);
    expect(sender.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    expect(sentIds(sender, 900)).toEqual([1]);
    expect(sender.nextTimeout()).toBe(1900);
  });

  test.each([
    { name: 'empty', sent: 0, acked: [], accepts: true },
    { name: 'one free', sent: 5, acked: [], accepts: true },
    { name: 'full', sent: 6, acked: [], accepts: false },
    { name: 'the oldest acknowledged', sent: 6, acked: [1], accepts: true },
    { name: 'only later ones acknowledged', sent: 6, acked: [2, 3, 4, 5, 6], accepts: false },
    { name: 'all acknowledged', sent: 6, acked: [6, 5, 4, 3, 2, 1], accepts: true },
  ])('window of 6, $name: accepts $accepts', ({ sent, acked, accepts }) => {
    const sender = senderWith(sent);
    for (const id of acked) sender.acknowledge(id);
    expect(sender.acceptsFromAbove()).toBe(accepts);
  });

  test('is idle when everything was acknowledged', () => {
    const sender = senderWith(2);
    sender.acknowledge(1);
    expect(sender.idle).toBe(false);
    sender.acknowledge(2);
    expect(sender.idle).toBe(true);
    expect([sender.nextTimeout(), sentIds(sender, 99_999)]).toEqual([Number.POSITIVE_INFINITY, []]);
  });

  test.each([
    { name: 'an id of the future', id: 7 },
    { name: 'an id that waits to be sent for the first time', id: 3 },
    { name: 'an id before the first', id: 0 },
    { name: 'the largest id', id: MAX_PACKET_ID },
  ])('ignores the acknowledgement of $name', ({ id }) => {
    const sender = senderWith(3, { sent: 2 });
    for (let times = 0; times < 5; times += 1) sender.acknowledge(id);
    expect(sentIds(sender, 0)).toEqual([3]);
    sender.onTimeout(500);
    expect(sentIds(sender, 500)).toEqual([1, 2, 3]);
  });

  test.each([
    { name: 'two later ids', acked: [2, 3], resent: [] },
    { name: 'three later ids', acked: [2, 3, 4], resent: [1] },
    { name: 'one of them three times', acked: [2, 2, 2, 2], resent: [] },
    { name: 'two gaps, three behind each', acked: [3, 4, 5], resent: [1, 2] },
    { name: 'a gap with too few behind', acked: [2, 3, 5], resent: [1] },
    { name: 'once, however many follow', acked: [2, 3, 4, 5, 6], resent: [1] },
    { name: 'earlier ids do not count', acked: [1, 2, 3], resent: [] },
  ])('resends early after three acknowledgements of later ids: $name', ({ acked, resent }) => {
    const sender = senderWith(SEND_WINDOW);
    const ids: number[] = [];
    for (const id of acked) {
      sender.acknowledge(id);
      ids.push(...sentIds(sender, 20));
    }
    expect(ids).toEqual(resent);
  });

  test('an early resend starts the wait anew and does not double it', () => {
    const sender = senderWith(4);
    for (const id of [2, 3, 4]) sender.acknowledge(id);
    expect(sentIds(sender, 100)).toEqual([1]);
    expect(sender.nextTimeout()).toBe(600);
  });

  test('takes nothing more when the ids are used up', () => {
    const sender = new ReliableSender(MAX_PACKET_ID, 500);
    expect(sender.acceptsFromAbove()).toBe(true);
    sender.add(packetOf('CONTROL_V1'));
    expect(sender.acceptsFromAbove()).toBe(false);
    expect(sentIds(sender, 0)).toEqual([MAX_PACKET_ID]);
  });
});
