import { expect, test } from 'vitest';
import { MAX_CREDENTIAL_BYTES, parseUserPassword } from '../../src/config/user-password.ts';

test.each([
  { name: 'two lines', text: 'me\npass word\n', username: 'me', password: 'pass word' },
  { name: 'CRLF', text: 'me\r\nsecret\r\n', username: 'me', password: 'secret' },
  { name: 'no last line end', text: 'me\nsecret', username: 'me', password: 'secret' },
  { name: 'further lines', text: 'me\nsecret\nx', username: 'me', password: 'secret' },
  { name: 'a user name only', text: 'me\n', username: 'me', password: undefined },
  { name: 'blanks are kept', text: ' me \n a ', username: ' me ', password: ' a ' },
])('parseUserPassword reads $name', ({ text, username, password }) => {
  const stored = parseUserPassword(text);
  expect(stored?.username).toBe(username);
  expect(stored?.password?.reveal()).toBe(password);
});

test.each([
  { name: 'nothing', text: '' },
  { name: 'an empty user name', text: '\nsecret' },
  { name: 'a long user name', text: 'x'.repeat(MAX_CREDENTIAL_BYTES + 1) },
  { name: 'a long password', text: `me\n${'x'.repeat(MAX_CREDENTIAL_BYTES + 1)}` },
])('parseUserPassword refuses $name', ({ text }) => {
  expect(parseUserPassword(text)).toBeUndefined();
});
