import { describe, expect, test } from 'vitest';
import { LAST_EPOCH } from '../../src/datachannel/epoch-keys.ts';
import { EpochSender } from '../../src/datachannel/epoch-sender.ts';

const LIMITS = { usage: 10, lastCounter: 4 };

describe('EpochSender', () => {
  test('begins with the first epoch and counts from 1', () => {
    const { sender } = senderOf();
    expect(sender.epoch).toBe(1);
    expect([sender.count(1), sender.count(1)]).toEqual([1, 2]);
  });

  test.each([
    { name: 'unused                   ', texts: [], isDue: false },
    { name: 'packets and blocks below ', texts: [16, 16, 17], isDue: false },
    { name: 'packets and blocks at    ', texts: [16, 16, 65], isDue: true },
    { name: 'counters below           ', texts: [0, 0, 0], isDue: false },
    { name: 'counters at              ', texts: [0, 0, 0, 0], isDue: true },
  ])('is due: $name', ({ texts, isDue }) => {
    const { sender } = senderOf();
    for (const textBytes of texts) sender.count(textBytes);
    expect(sender.isDue).toBe(isDue);
  });

  test('counts again from 1 in a later epoch, which is not due', () => {
    const { sender, asked } = senderOf();
    for (let packet = 0; packet < 4; packet += 1) sender.count(100);
    sender.moveTo(5);
    expect(sender).toMatchObject({ epoch: 5, isDue: false });
    expect(sender.key.epoch).toBe(5);
    expect(sender.count(1)).toBe(1);
    expect(asked).toEqual([1, 5]);
  });

  test.each([
    { name: 'the same epoch  ', epoch: 3 },
    { name: 'an earlier one  ', epoch: 2 },
    { name: 'none            ', epoch: 0 },
    { name: 'beyond the last ', epoch: LAST_EPOCH + 1 },
  ])('does not move to $name', ({ epoch }) => {
    const { sender, asked } = senderOf();
    sender.moveTo(3);
    sender.count(1);
    sender.moveTo(epoch);
    expect(sender.epoch).toBe(3);
    expect(sender.count(1)).toBe(2);
    expect(asked).toEqual([1, 3]);
  });

  test('gives no counter twice: 0 at the end of an epoch', () => {
    const { sender } = senderOf();
    const counters = Array.from({ length: 6 }, () => sender.count(0));
    expect(counters).toEqual([1, 2, 3, 4, 0, 0]);
    expect(sender.exhausted).toBe(false);
  });

  test('is exhausted at the last counter of the last epoch', () => {
    const { sender } = senderOf();
    sender.moveTo(LAST_EPOCH);
    for (let packet = 0; packet < 3; packet += 1) sender.count(0);
    expect(sender.exhausted).toBe(false);
    expect(sender.count(0)).toBe(4);
    expect(sender.exhausted).toBe(true);
    sender.moveTo(LAST_EPOCH + 1);
    expect(sender.count(0)).toBe(0);
  });
});

/** A sender over keys that do nothing, and the epochs that it asked for. */
function senderOf(): { sender: EpochSender; asked: number[] } {
  const asked: number[] = [];
  const keyOf = (epoch: number) => {
    asked.push(epoch);
    return { epoch, cipher: { seal: () => undefined }, iv: Buffer.alloc(12) };
  };
  return { sender: new EpochSender({ keyOf }, LIMITS), asked };
}
