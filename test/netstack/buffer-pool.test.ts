import { describe, expect, test } from 'vitest';
import { BufferPool, RECEIVE_POOL_BYTES } from '../../src/netstack/buffer-pool.ts';

describe('BufferPool', () => {
  test('holds 256 MiB by default', () => {
    expect(new BufferPool().free).toBe(RECEIVE_POOL_BYTES);
    expect(RECEIVE_POOL_BYTES).toBe(268_435_456);
  });

  test('counts what is claimed, and offers a part of what is free', () => {
    const pool = new BufferPool(16_384);
    expect(pool.offer).toBe(896);
    pool.claim(8192);
    expect([pool.claimed, pool.free]).toEqual([8192, 8192]);
    expect(pool.offer).toBe(384);
    pool.claim(-4096);
    expect([pool.claimed, pool.free]).toEqual([4096, 12_288]);
  });

  test('offers nothing from its last eighth', () => {
    const pool = new BufferPool(16_384);
    pool.claim(7 * 2048 - 16);
    expect(pool.offer).toBe(1);
    pool.claim(16);
    expect(pool.offer).toBe(0);
  });

  test('is short when less than a quarter is free', () => {
    const pool = new BufferPool(1000);
    pool.claim(750);
    expect(pool.isShort).toBe(false);
    pool.claim(1);
    expect(pool.isShort).toBe(true);
  });

  test('offers nothing where more is claimed than there is', () => {
    const pool = new BufferPool(1000);
    pool.claim(1500);
    expect([pool.free, pool.offer]).toEqual([0, 0]);
  });
});
