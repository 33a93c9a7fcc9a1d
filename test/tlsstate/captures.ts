import { readdirSync, readFileSync } from 'node:fs';

/** A message inside TLS, as the recorded process saw it. */
export interface CapturedPlaintext {
  readonly capture: string;
  readonly end: 'client' | 'server';
  readonly dir: 'sent' | 'received';
  readonly bytes: Buffer;
}

const ROOT = new URL('../vectors/', import.meta.url);

/** Every TLS plaintext of every capture in test/vectors (real openvpn at both ends). */
export function capturedPlaintexts(): CapturedPlaintext[] {
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /^\d/.test(entry.name))
    .flatMap(({ name }) => {
      const capture = JSON.parse(readFileSync(new URL(`${name}/packets.json`, ROOT), 'utf8'));
      const messages: { end: 'client'; dir: 'sent'; hex: string }[] = capture.tls_plaintext ?? [];
      return messages.map(({ end, dir, hex }) => ({
        capture: name,
        end,
        dir,
        bytes: Buffer.from(hex, 'hex'),
      }));
    });
}

/** Whether the bytes are a key method 2 message. */
export function isKeyMethod2({ bytes }: CapturedPlaintext): boolean {
  return bytes.subarray(0, 5).toString('hex') === '0000000002';
}

/** Who wrote it. */
export function senderOf({ end, dir }: CapturedPlaintext): 'client' | 'server' {
  return (end === 'client') === (dir === 'sent') ? 'client' : 'server';
}
