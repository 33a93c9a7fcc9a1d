import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { DEFAULT_DIGEST, DIGESTS } from '../../src/model/digests.ts';

describe('DIGESTS', () => {
  test.each([...DIGESTS])('%s has a HMAC of its length', (_alias, { nodeName, bytes }) => {
    expect(createHmac(nodeName, 'key').update('text').digest()).toHaveLength(bytes);
  });

  test.each([...DIGESTS])(
    '%s is upper case and leads to a name that is one too',
    (alias, { name }) => {
      expect(alias).toBe(alias.toUpperCase());
      expect(DIGESTS.get(name)?.name).toBe(name);
    },
  );

  test('has the default', () => {
    expect(DIGESTS.get(DEFAULT_DIGEST)?.bytes).toBe(20);
  });

  test('has no name of Object, and not none', () => {
    expect([DIGESTS.has('CONSTRUCTOR'), DIGESTS.has('NONE')]).toEqual([false, false]);
  });
});
