import { randomBytes } from 'node:crypto';
import { STATIC_KEY_BYTES } from '../packetmuxer/static-key.ts';
import { SERVER_KEY_BYTES, TlsCryptV2ServerKey } from '../packetmuxer/tls-crypt-v2.ts';

const SERVER_LABEL = 'OpenVPN tls-crypt-v2 server key';
const CLIENT_LABEL = 'OpenVPN tls-crypt-v2 client key';
const BASE64_LINE = 64;

/** Type of the metadata that says when a key was made (tls_crypt.h). */
const TIMESTAMP = 1;
const TIMESTAMP_BYTES = 9;

/** A fresh server key for tls-crypt-v2: 128 bytes. */
export function createTlsCryptV2ServerKey(): Buffer {
  return randomBytes(SERVER_KEY_BYTES);
}

/** A server key as `openvpn --genkey tls-crypt-v2-server` writes it. */
export function tlsCryptV2ServerKeyText(serverKey: Buffer): string {
  return pemText(SERVER_LABEL, serverKey);
}

/**
 * A fresh client key as `openvpn --genkey tls-crypt-v2-client` writes it, with the time in it.
 *
 * @param serverKey the 128 bytes of the server that is to know the client by it
 * @param unixSeconds now
 */
export function createTlsCryptV2ClientKeyText(serverKey: Buffer, unixSeconds: number): string {
  const metadata = Buffer.alloc(TIMESTAMP_BYTES);
  metadata.writeUInt8(TIMESTAMP);
  metadata.writeBigUInt64BE(BigInt(unixSeconds), 1);
  const key = randomBytes(STATIC_KEY_BYTES);
  const wrappedKey = new TlsCryptV2ServerKey(serverKey).wrap(key, metadata);
  return pemText(CLIENT_LABEL, Buffer.concat([key, wrappedKey]));
}

function pemText(label: string, bytes: Buffer): string {
  const digits = bytes.toString('base64');
  const lines = [`-----BEGIN ${label}-----`];
  for (let at = 0; at < digits.length; at += BASE64_LINE) {
    lines.push(digits.slice(at, at + BASE64_LINE));
  }
  return [...lines, `-----END ${label}-----`, ''].join('\n');
}
