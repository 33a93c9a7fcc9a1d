import { describe, expect, test } from 'vitest';
import { AckSchedule } from '../../../src/netstack/tcp/ack-schedule.ts';

describe('AckSchedule', () => {
  test('remembers a bounded number of acknowledgements', () => {
    const acks = new AckSchedule();
    for (let count = 0; count < 1000; count += 1) acks.sendAt(count);
    const points: number[] = [];
    for (let point = acks.takePoint(); point >= 0; point = acks.takePoint()) points.push(point);
    expect(points).toEqual(Array.from({ length: 64 }, (_, index) => index));
    acks.sendAt(5);
    expect(acks.takePoint()).toBe(5);
  });

  test('owes nothing when nothing came', () => {
    const acks = new AckSchedule();
    expect(acks.endOfBurst(1000)).toBe(false);
    expect(acks.due).toBe(false);
  });
});
