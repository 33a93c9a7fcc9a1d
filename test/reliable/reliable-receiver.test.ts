import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { RECEIVE_WINDOW } from '../../src/reliable/constants.ts';
import { ReliableReceiver } from '../../src/reliable/reliable-receiver.ts';
import { packetOf } from '../sim/packet-notation.ts';

/** Takes all that is ready. */
function released(receiver: ReliableReceiver): number[] {
  const ids: number[] = [];
  for (let packet = receiver.take(); packet !== undefined; packet = receiver.take()) {
    ids.push(packet.packetId);
  }
  return ids;
}

describe('ReliableReceiver', () => {
  test.each([
    { name: 'in order', first: 0, arrive: [0, 1, 2], release: [0, 1, 2], kept: 0 },
    { name: 'out of order', first: 0, arrive: [2, 0, 1], release: [0, 1, 2], kept: 0 },
    { name: 'a gap holds what is behind', first: 0, arrive: [0, 2, 3], release: [0], kept: 2 },
    { name: 'nothing before the first', first: 1, arrive: [2, 3], release: [], kept: 2 },
    { name: 'each once', first: 0, arrive: [0, 0, 1, 0], release: [0, 1], kept: 0 },
  ])('$name', ({ first, arrive, release, kept }) => {
    const receiver = new ReliableReceiver(first);
    for (const id of arrive) receiver.receive(packetOf(`[${id}]`));
    expect(released(receiver)).toEqual(release);
    expect(receiver.buffered).toBe(kept);
  });

  test.each([
    { name: 'the next', id: 3, drop: Drop.NONE },
    { name: 'the last in the window', id: 14, drop: Drop.NONE },
    { name: 'one past the window', id: 15, drop: Drop.OUT_OF_WINDOW },
    { name: 'the largest id there is', id: 0xffff_ffff, drop: Drop.OUT_OF_WINDOW },
    { name: 'released before', id: 2, drop: Drop.DUPLICATE },
    { name: 'the first one ever', id: 0, drop: Drop.DUPLICATE },
    { name: 'buffered already', id: 5, drop: Drop.DUPLICATE },
  ])('expecting 3, with 5 buffered: $name', ({ id, drop }) => {
    const receiver = new ReliableReceiver(0);
    for (const earlier of [0, 1, 2, 5]) receiver.receive(packetOf(`[${earlier}]`));
    released(receiver);
    expect(receiver.receive(packetOf(`[${id}]`))).toBe(drop);
    expect(receiver.buffered).toBe(drop === Drop.NONE ? 2 : 1);
  });

  test('the window moves with what is taken, not with what arrives', () => {
    const receiver = new ReliableReceiver(0);
    for (let id = 0; id < RECEIVE_WINDOW; id += 1) receiver.receive(packetOf(`[${id}]`));
    expect(receiver.receive(packetOf('[12]'))).toBe(Drop.OUT_OF_WINDOW);
    receiver.take();
    expect(receiver.receive(packetOf('[12]'))).toBe(Drop.NONE);
    expect(receiver.buffered).toBe(RECEIVE_WINDOW);
  });

  test('a duplicate does not replace what is buffered', () => {
    const receiver = new ReliableReceiver(0);
    const genuine = packetOf('[0]');
    receiver.receive(genuine);
    receiver.receive(packetOf('[0]'));
    expect(receiver.take()).toBe(genuine);
  });
});
