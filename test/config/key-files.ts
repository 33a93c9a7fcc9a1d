import { readFileSync } from 'node:fs';

/** A file of `test/vectors/key-files`: made by `openssl`, passphrase `secret` unless it is told. */
export function keyFile(name: string): Buffer {
  return readFileSync(new URL(`../vectors/key-files/${name}`, import.meta.url));
}

export function keyText(name: string): string {
  return keyFile(name).toString();
}
