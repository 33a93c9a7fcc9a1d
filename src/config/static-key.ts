/** Length of a static key: two keys, each a cipher half and an HMAC half of 64 bytes. */
export const STATIC_KEY_BYTES = 256;

const BEGIN = '-----BEGIN OpenVPN Static key V1-----';
const END = '-----END OpenVPN Static key V1-----';

/**
 * The 256 bytes of a static key file (`tls-crypt`, `tls-auth`); undefined when there are no markers
 * or not exactly 512 hex digits between them. Text outside the markers does not count.
 */
export function parseStaticKey(text: string): Buffer | undefined {
  const begin = text.indexOf(BEGIN);
  if (begin < 0) return undefined;
  const end = text.indexOf(END, begin + BEGIN.length);
  if (end < 0) return undefined;
  const digits = text.slice(begin + BEGIN.length, end).replace(/[ \t\r\n]/g, '');
  if (digits.length !== STATIC_KEY_BYTES * 2 || !/^[0-9A-Fa-f]*$/.test(digits)) return undefined;
  return Buffer.from(digits, 'hex');
}

/** `key` as the text of a static key file. */
export function formatStaticKey(key: Buffer): string {
  const lines = key.toString('hex').match(/.{1,32}/g) ?? [];
  return [BEGIN, ...lines, END, ''].join('\n');
}
