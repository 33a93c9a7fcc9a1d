/**
 * A static key file's 256 bytes (crypto.h `key2`):
 *
 *     offset  size  slot
 *     0       64    key 0: cipher
 *     64      64    key 0: HMAC
 *     128     64    key 1: cipher
 *     192     64    key 1: HMAC
 *
 * An algorithm with a shorter key takes the first bytes of the slot.
 */
export const STATIC_KEY_BYTES = 256;

const SLOT_BYTES = 64;

/** Where a half of a static key has its cipher key. */
export function cipherSlot(half: 0 | 1): number {
  return half * 2 * SLOT_BYTES;
}

/** Where a half of a static key has its HMAC key. */
export function hmacSlot(half: 0 | 1): number {
  return cipherSlot(half) + SLOT_BYTES;
}

/** @throws Error when `key` is no static key */
export function checkStaticKey(key: Buffer): void {
  if (key.length !== STATIC_KEY_BYTES) {
    throw new Error(`expected a static key of ${STATIC_KEY_BYTES} bytes, got ${key.length}`);
  }
}
