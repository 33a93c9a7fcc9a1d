import { u16 } from '../core/bytes.ts';

/**
 * A wrapped client key (WKc) of tls-crypt-v2: tag (32), Kc (256), metadata (0 … 734), and in its
 * last two bytes the length of all of it.
 */
export const MAX_WRAPPED_KEY_BYTES = 1_024;
export const MIN_WRAPPED_KEY_BYTES = 290;

const LENGTH_BYTES = 2;

/** The length that the last two bytes tell, where it is one that a WKc here can have. */
export function wrappedKeyLength(bytes: Buffer): number | undefined {
  if (bytes.length < MIN_WRAPPED_KEY_BYTES) return undefined;
  const length = u16(bytes, bytes.length - LENGTH_BYTES);
  if (length < MIN_WRAPPED_KEY_BYTES || length > MAX_WRAPPED_KEY_BYTES) return undefined;
  return length <= bytes.length ? length : undefined;
}

/** Whether these bytes have the length that a WKc says of itself. */
export function isWrappedKey(bytes: Buffer): boolean {
  return wrappedKeyLength(bytes) === bytes.length;
}
