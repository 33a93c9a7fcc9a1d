import { describe, expect, test } from 'vitest';
import { Delivery } from '../../../src/netstack/tcp/delivery.ts';
import { Flight } from '../../../src/netstack/tcp/flight.ts';
import { Rack } from '../../../src/netstack/tcp/rack.ts';

const NEVER = Number.POSITIVE_INFINITY;
const SMOOTHED_MS = 40;

/** Ten segments of 100 bytes from 1000 on, one each millisecond from 0 on. */
function flying(): { flight: Flight; rack: Rack } {
  const flight = new Flight();
  for (let index = 0; index < 10; index += 1) flight.push(1000 + 100 * index, 100, index);
  return { flight, rack: new Rack(1000) };
}

/** The segment at `index` arrives. */
function arrive(flight: Flight, rack: Rack, index: number, now: number): void {
  const delivery = new Delivery();
  delivery.begin(now);
  const rangeLeft = 1000 + 100 * index;
  const rangeRight = rangeLeft + 100;
  flight.sack(rangeLeft, rangeRight, { rangeLeft, rangeRight }, delivery);
  rack.onDelivery(delivery, 1000, now);
}

function markLost(flight: Flight, rack: Rack, now: number, recovering = false): number {
  return rack.markLost(flight, rack.windowMs(flight, recovering, SMOOTHED_MS), now);
}

describe('Rack', () => {
  test('gives what was overtaken a quarter of the shortest round trip', () => {
    const { flight, rack } = flying();
    arrive(flight, rack, 2, 42);
    expect(markLost(flight, rack, 42)).toBe(0 + 40 + 10);
    expect(flight.lostBytes).toBe(0);
    expect(markLost(flight, rack, 50)).toBe(1 + 40 + 10);
    expect(flight.lostBytes).toBe(100);
    expect(markLost(flight, rack, 51)).toBe(NEVER);
    expect(flight.lostBytes).toBe(200);
  });

  test.each([
    { name: 'two arrived', arrived: [2, 3], recovering: false, lost: 0 },
    { name: 'three arrived', arrived: [2, 3, 4], recovering: false, lost: 200 },
    { name: 'one arrived in recovery', arrived: [2], recovering: true, lost: 200 },
    { name: 'out of order before', arrived: [3, 2, 4], recovering: true, lost: 0 },
  ])('how many are lost at once: $name', ({ arrived, recovering, lost }) => {
    const { flight, rack } = flying();
    for (const index of arrived) arrive(flight, rack, index, 44);
    markLost(flight, rack, 44, recovering);
    expect(flight.lostBytes).toBe(lost);
  });

  test('sees reordering only in what was sent once', () => {
    const { flight, rack } = flying();
    arrive(flight, rack, 3, 43);
    flight.markFirstLost();
    flight.resent(0, 43);
    arrive(flight, rack, 0, 90);
    expect(rack.reordered).toBe(false);
    arrive(flight, rack, 1, 90);
    expect(rack.reordered).toBe(true);
  });

  test('is not misled by a late answer to an earlier sending', () => {
    const { flight, rack } = flying();
    arrive(flight, rack, 1, 41);
    flight.resent(0, 60);
    const delivery = new Delivery();
    delivery.begin(61 - rack.minRtt.valueMs);
    flight.acknowledge(1100, delivery);
    rack.onDelivery(delivery, 1100, 61);
    markLost(flight, rack, 200, true);
    expect(flight.lostBytes).toBe(0);
    expect(rack.minRtt.valueMs).toBe(40);
  });

  test('widens its window by reports of duplicates, once for what is in flight', () => {
    const { flight, rack } = flying();
    arrive(flight, rack, 2, 42);
    const window = () => rack.windowMs(flight, true, 1000);
    rack.onDuplicate(2000);
    expect(window()).toBe(20);
    rack.onDuplicate(2000);
    expect(window()).toBe(20);
    const delivery = new Delivery();
    delivery.begin(NEVER);
    rack.onDelivery(delivery, 2000, 100);
    rack.onDuplicate(3000);
    expect(window()).toBe(30);
    expect(rack.windowMs(flight, true, 25)).toBe(25);
  });

  test('narrows it again after sixteen recoveries', () => {
    const { flight, rack } = flying();
    arrive(flight, rack, 2, 42);
    rack.onDuplicate(2000);
    for (let count = 0; count < 15; count += 1) rack.onRecovered();
    expect(rack.windowMs(flight, true, 1000)).toBe(20);
    rack.onRecovered();
    expect(rack.windowMs(flight, true, 1000)).toBe(10);
  });

  test('after an undone recovery trusts only what arrives from then on', () => {
    const { flight, rack } = flying();
    arrive(flight, rack, 5, 45);
    rack.onSpurious();
    expect(markLost(flight, rack, 1000, true)).toBe(NEVER);
    expect(flight.lostBytes).toBe(0);
    expect(rack.reordered).toBe(true);
  });
});
