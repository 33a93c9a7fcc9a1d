import { describe, expect, test } from 'vitest';
import { LAST_EPOCH } from '../../src/datachannel/epoch-keys.ts';
import { EpochReceiver } from '../../src/datachannel/epoch-receiver.ts';

const WINDOW = { packets: 64, ms: 0 };

describe('EpochReceiver', () => {
  test.each([
    { name: 'at the start      ', moves: [], found: [1, 2, 3, 4, 5] },
    { name: 'one epoch on      ', moves: [2], found: [1, 2, 3, 4, 5, 6] },
    { name: 'some epochs on    ', moves: [4], found: [1, 4, 5, 6, 7, 8] },
    { name: 'as far as can be  ', moves: [5], found: [1, 5, 6, 7, 8, 9] },
    { name: 'and on again      ', moves: [5, 6], found: [5, 6, 7, 8, 9, 10] },
    { name: 'back is no way    ', moves: [5, 1], found: [1, 5, 6, 7, 8, 9] },
  ])('opens $name', ({ moves, found }) => {
    const { receiver } = receiverOf();
    for (const epoch of moves) moveTo(receiver, epoch);
    expect(foundBy(receiver, 20)).toEqual(found);
  });

  test('derives every key once, and in order', () => {
    const { receiver, asked } = receiverOf();
    expect(asked).toEqual([1, 2, 3, 4, 5]);
    moveTo(receiver, 4);
    moveTo(receiver, 5);
    expect(asked).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('holds no key behind the last epoch', () => {
    const { receiver, asked } = receiverOf();
    for (let epoch = 3; epoch <= LAST_EPOCH; epoch += 4) moveTo(receiver, epoch);
    expect(receiver.current.key.epoch).toBe(LAST_EPOCH);
    expect(asked.at(-1)).toBe(LAST_EPOCH);
    expect(receiver.find(LAST_EPOCH + 1)).toBeUndefined();
    expect(receiver.find(LAST_EPOCH - 4)?.key.epoch).toBe(LAST_EPOCH - 4);
    expect(receiver.find(0)).toBeUndefined();
  });
});

describe('ReceiveEpoch', () => {
  test('remembers counters across being current and retiring', () => {
    const { receiver } = receiverOf();
    const first = receiver.find(1) ?? expect.fail();
    expect(first.accept(1, 0, WINDOW)).toBe(true);
    moveTo(receiver, 2);
    expect(receiver.find(1)).toBe(first);
    expect(first.accept(1, 0, WINDOW)).toBe(false);
    expect(first.accept(2, 0, WINDOW)).toBe(true);
    expect(receiver.current.accept(1, 0, WINDOW)).toBe(true);
  });

  test('counts packets and begun blocks', () => {
    const { receiver } = receiverOf();
    for (const textBytes of [1, 16, 17]) receiver.current.count(textBytes);
    expect(receiver.current.usage).toBe(7);
  });
});

function moveTo(receiver: EpochReceiver, epoch: number): void {
  receiver.moveTo(receiver.find(epoch) ?? expect.fail());
}

function foundBy(receiver: EpochReceiver, last: number): number[] {
  const epochs = Array.from({ length: last + 1 }, (_, epoch) => epoch);
  return epochs.filter((epoch) => receiver.find(epoch)?.key.epoch === epoch);
}

/** A receiver over keys that open nothing, and the epochs that it asked for. */
function receiverOf(): { receiver: EpochReceiver; asked: number[] } {
  const asked: number[] = [];
  const keyOf = (epoch: number) => {
    asked.push(epoch);
    return { epoch, cipher: { open: () => undefined }, iv: Buffer.alloc(12) };
  };
  return { receiver: new EpochReceiver({ keyOf }), asked };
}
