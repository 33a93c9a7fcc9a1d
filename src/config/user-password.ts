import { Secret } from '../core/secret.ts';

/** Longest user name and password. Source: the 16-bit length of the key exchange message. */
export const MAX_CREDENTIAL_BYTES = 65_534;

/** What an `auth-user-pass` file or block says. */
export interface StoredCredentials {
  readonly username: string;
  /** undefined where the file has one line only. */
  readonly password: Secret | undefined;
}

/** First line: user name; second line, if there is one: password. undefined when neither fits. */
export function parseUserPassword(text: string): StoredCredentials | undefined {
  const [username = '', password = ''] = text.split('\n').map((line) => line.replace(/\r$/, ''));
  if (username === '' || Buffer.byteLength(username) > MAX_CREDENTIAL_BYTES) return undefined;
  if (Buffer.byteLength(password) > MAX_CREDENTIAL_BYTES) return undefined;
  return { username, password: password === '' ? undefined : new Secret(password) };
}
