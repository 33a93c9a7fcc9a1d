import { describe, expect, test } from 'vitest';
import { KeySlots } from '../../src/datachannel/key-slots.ts';
import { idleKey } from './fixtures.ts';

const OPTIONS = { handWindowMs: 60_000, tranWindowMs: 3_600_000, renegSecMs: 3_600_000 };

describe('KeySlots.forSealing', () => {
  test('is nothing before a key is there', () => {
    expect(new KeySlots(OPTIONS).forSealing(0)).toBeUndefined();
  });

  test('is the only key at once, mature or not', () => {
    const slots = new KeySlots(OPTIONS);
    slots.install(idleKey(0, 1000));
    expect(slots.forSealing(1000)?.keyId).toBe(0);
  });

  test.each([
    { name: 'both immature: the newest       ', first: 0, second: 10_000, now: 20_000, keyId: 1 },
    { name: 'older mature, newest not: older ', first: 0, second: 100_000, now: 159_999, keyId: 0 },
    { name: 'newest mature: the newest       ', first: 0, second: 100_000, now: 160_000, keyId: 1 },
    { name: 'older just mature               ', first: 0, second: 10_000, now: 60_000, keyId: 0 },
  ])('$name', ({ first, second, now, keyId }) => {
    const slots = new KeySlots(OPTIONS);
    slots.install(idleKey(0, first));
    slots.install(idleKey(1, second));
    expect(slots.forSealing(now)?.keyId).toBe(keyId);
  });

  test.each([
    { name: 'half of reneg-sec when that is less', renegSecMs: 8000, matureAt: 104_000 },
    { name: 'hand-window when reneg-sec is off  ', renegSecMs: 0, matureAt: 160_000 },
  ])('matures after $name', ({ renegSecMs, matureAt }) => {
    const slots = new KeySlots({ ...OPTIONS, renegSecMs });
    slots.install(idleKey(0, 0));
    slots.install(idleKey(1, 100_000));
    expect(slots.forSealing(matureAt - 1)?.keyId).toBe(0);
    expect(slots.forSealing(matureAt)?.keyId).toBe(1);
  });

  test('leaves an older key that is exhausted', () => {
    const slots = new KeySlots(OPTIONS);
    const older = idleKey(0, 0);
    slots.install(older);
    slots.install(idleKey(1, 100_000));
    older.codec.exhausted = true;
    expect(slots.forSealing(100_001)?.keyId).toBe(1);
  });

  test('leaves an older key that has expired', () => {
    const slots = new KeySlots({ ...OPTIONS, tranWindowMs: 10_000 });
    slots.install(idleKey(0, 0));
    slots.install(idleKey(1, 100_000));
    expect(slots.forSealing(109_999)?.keyId).toBe(0);
    expect(slots.forSealing(110_000)?.keyId).toBe(1);
  });
});

describe('KeySlots.byId', () => {
  test('finds both generations and nothing else', () => {
    const slots = new KeySlots(OPTIONS);
    slots.install(idleKey(0, 0));
    slots.install(idleKey(1, 100));
    expect([0, 1, 2, 7].map((keyId) => slots.byId(keyId, 100)?.keyId)).toEqual([
      0,
      1,
      undefined,
      undefined,
    ]);
  });

  test('the older key expires tran-window after the newer negotiation began', () => {
    const slots = new KeySlots(OPTIONS);
    slots.install(idleKey(0, 0));
    expect(slots.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    slots.install(idleKey(1, 5000));
    expect(slots.nextTimeout()).toBe(3_605_000);
    expect(slots.byId(0, 3_604_999)?.keyId).toBe(0);
    expect(slots.byId(0, 3_605_000)).toBeUndefined();
    expect(slots.byId(1, 1e12)?.keyId).toBe(1);
  });

  test('forgets an expired key when its time comes, not before', () => {
    const slots = new KeySlots(OPTIONS);
    slots.install(idleKey(0, 0));
    slots.install(idleKey(1, 5000));
    slots.onTimeout(3_604_999);
    expect(slots.size).toBe(2);
    slots.onTimeout(3_605_000);
    slots.onTimeout(3_605_000);
    expect(slots.size).toBe(1);
    expect(slots.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });

  test('a third generation drops the oldest', () => {
    const slots = new KeySlots(OPTIONS);
    for (const keyId of [0, 1, 2]) slots.install(idleKey(keyId, keyId * 1000));
    expect(slots.size).toBe(2);
    expect([0, 1, 2].map((keyId) => slots.byId(keyId, 3000)?.keyId)).toEqual([undefined, 1, 2]);
  });

  test('key ids come again', () => {
    const slots = new KeySlots(OPTIONS);
    for (const keyId of [6, 7, 1]) slots.install(idleKey(keyId));
    expect([6, 7, 1].map((keyId) => slots.byId(keyId, 0)?.keyId)).toEqual([undefined, 7, 1]);
  });

  test('a new key with the id of the newest replaces it', () => {
    const slots = new KeySlots(OPTIONS);
    const [first, again] = [idleKey(1), idleKey(1)];
    slots.install(first);
    slots.install(again);
    expect(slots.size).toBe(1);
    expect(slots.byId(1, 0)).toBe(again);
    expect(slots.newest).toBe(again);
  });

  test('clear forgets all', () => {
    const slots = new KeySlots(OPTIONS);
    slots.install(idleKey(0));
    slots.install(idleKey(1));
    slots.clear();
    expect([slots.size, slots.newest, slots.byId(0, 0), slots.byId(1, 0)]).toEqual([
      0,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
