import { format, inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';

describe('Secret', () => {
  const word = 'correct horse';
  const secret = new Secret(word);

  test('reveals what it holds to the one who asks', () => {
    expect(secret.reveal()).toBe(word);
    const key = Buffer.from('key');
    expect(new Secret(key).reveal()).toBe(key);
  });

  test.each([
    { way: 'a template', shown: `${secret}` },
    { way: 'JSON', shown: JSON.stringify({ secret }) },
    { way: 'inspect', shown: inspect({ secret }, { depth: 9, showHidden: true }) },
    { way: 'inspect without custom functions', shown: inspect(secret, { customInspect: false }) },
    { way: 'console.log', shown: format('%s %o %O %j', secret, secret, secret, secret) },
    { way: 'its keys and values', shown: JSON.stringify(Object.entries(secret)) },
    { way: 'bytes in inspect', shown: inspect(new Secret(Buffer.from(word))) },
    { way: 'an error message', shown: new Error(`expected ${secret}`).stack ?? '' },
  ])('is not shown by $way', ({ shown }) => {
    expect(shown).not.toMatch(/correct|horse|63 6f 72/);
  });
});
