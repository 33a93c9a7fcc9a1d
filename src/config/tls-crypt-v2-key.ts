import {
  isWrappedKey,
  MAX_WRAPPED_KEY_BYTES,
  MIN_WRAPPED_KEY_BYTES,
} from '../model/wrapped-key.ts';
import { pemBlocks } from './pem.ts';
import { STATIC_KEY_BYTES } from './static-key.ts';

const CLIENT_LABEL = 'OpenVPN tls-crypt-v2 client key';
const SERVER_KEY_BYTES = 128;
const SERVER_LABEL = 'OpenVPN tls-crypt-v2 server key';

/** A client's key (Kc), and the same for the server's eyes (WKc). */
export interface TlsCryptV2ClientKey {
  readonly key: Buffer;
  readonly wrappedKey: Buffer;
}

/**
 * Reads a tls-crypt-v2 client key file; a text says why it is none, and nothing of what it holds.
 *
 *     Kc (256)   WKc (290 … 1024), its last two bytes are its own length
 */
export function parseTlsCryptV2ClientKey(text: string): TlsCryptV2ClientKey | string {
  const blocks = pemBlocks(text);
  const block = blocks.find(({ label }) => label === CLIENT_LABEL);
  if (block === undefined) {
    return blocks.some(({ label }) => label === SERVER_LABEL)
      ? 'expected a tls-crypt-v2 client key, got the key of a server'
      : 'expected a tls-crypt-v2 client key in PEM';
  }
  const bytes = base64Body(block.text);
  if (bytes === undefined) return 'the tls-crypt-v2 client key is not in base64';
  const wrappedBytes = bytes.length - STATIC_KEY_BYTES;
  if (wrappedBytes < MIN_WRAPPED_KEY_BYTES || wrappedBytes > MAX_WRAPPED_KEY_BYTES) {
    return `expected a key of ${STATIC_KEY_BYTES} bytes and a wrapped key of ${MIN_WRAPPED_KEY_BYTES} to ${MAX_WRAPPED_KEY_BYTES}`;
  }
  const wrappedKey = Buffer.from(bytes.subarray(STATIC_KEY_BYTES));
  if (!isWrappedKey(wrappedKey)) {
    return "the wrapped key's length does not fit the length it claims";
  }
  return { key: bytes.subarray(0, STATIC_KEY_BYTES), wrappedKey };
}

/** The 128 bytes of a tls-crypt-v2 server key file; undefined when `text` has none. */
export function parseTlsCryptV2ServerKey(text: string): Buffer | undefined {
  const block = pemBlocks(text).find(({ label }) => label === SERVER_LABEL);
  const bytes = block && base64Body(block.text);
  return bytes?.length === SERVER_KEY_BYTES ? bytes : undefined;
}

/** The bytes between the markers; undefined when they are not written as base64 is. */
function base64Body(pem: string): Buffer | undefined {
  const digits = pem.split('\n').slice(1, -2).join('').replace(/[ \t]/g, '');
  const bytes = Buffer.from(digits, 'base64');
  return bytes.toString('base64') === digits ? bytes : undefined;
}
