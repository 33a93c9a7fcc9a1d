import { describe, expect, test } from 'vitest';
import { isCipherProvider } from '../../src/datachannel/cipher-provider.ts';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';

const act = () => {};

describe('isCipherProvider', () => {
  test.each([
    { name: 'a provider', value: nodeProvider, passes: true },
    {
      name: 'one of somebody else',
      value: { has: act, createSealer: act, createOpener: act },
      passes: true,
    },
    { name: 'one without has', value: { createSealer: act, createOpener: act }, passes: false },
    { name: 'one without sealers', value: { has: act, createOpener: act }, passes: false },
    { name: 'one without openers', value: { has: act, createSealer: act }, passes: false },
    {
      name: 'a member that is no function',
      value: { has: act, createSealer: act, createOpener: 'aes' },
      passes: false,
    },
    { name: 'an empty object', value: {}, passes: false },
    { name: 'a text', value: 'node', passes: false },
    { name: 'null', value: null, passes: false },
    { name: 'nothing', value: undefined, passes: false },
  ])('$name: $passes', ({ value, passes }) => {
    expect(isCipherProvider(value)).toBe(passes);
  });
});
