import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_CHALLENGES, readChallenges } from '../../src/networkio/auth-challenges.ts';

describe('readChallenges', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'nothing',                     fields: [''],                                            found: [] },
    { name: 'one without parameters',      fields: ['Basic'],                                       found: [['basic', {}]] },
    { name: 'one with a realm',            fields: ['Basic realm="a, b=c"'],                        found: [['basic', { realm: 'a, b=c' }]] },
    { name: 'two in one field',            fields: ['Digest realm="r", nonce=n, Basic realm="s"'],  found: [['digest', { realm: 'r', nonce: 'n' }], ['basic', { realm: 's' }]] },
    { name: 'two in two fields',           fields: ['Negotiate', 'NTLM TlRMTVNTUAAC=='],            found: [['negotiate', {}], ['ntlm', {}]] },
    { name: 'a token with equals signs',   fields: ['NTLM abc==, Basic realm=x'],                   found: [['ntlm', {}], ['basic', { realm: 'x' }]] },
    { name: 'blanks around equals signs',  fields: ['Digest realm = "r" ,\tnonce\t=n'],             found: [['digest', { realm: 'r', nonce: 'n' }]] },
    { name: 'empty list elements',         fields: [',, Basic realm=x,, ,'],                        found: [['basic', { realm: 'x' }]] },
    { name: 'escapes',                     fields: ['Basic realm="\\"\\\\\\a"'],                    found: [['basic', { realm: '"\\a' }]] },
    { name: 'the first of a name',         fields: ['Digest nonce=a, NONCE=b'],                     found: [['digest', { nonce: 'a' }]] },
    { name: 'a string without an end',     fields: ['Digest realm="abc, nonce=n'],                  found: [['digest', {}]] },
    { name: 'a name of every object',      fields: ['Digest __proto__=x'],                          found: [['digest', { ['__proto__']: 'x' }]] },
    { name: 'rubbish',                     fields: ['"', '=', '\u0000', 'a=b'],                     found: [['a', {}], ] },
  ])('$name', ({ fields, found }) => {
    expect(
      readChallenges(fields).map(({ scheme, params }) => [scheme, Object.fromEntries(params)]),
    ).toEqual(found);
  });

  test('never throws, and gives a bounded number', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 400 })), (fields) => {
        expect(readChallenges(fields).length).toBeLessThanOrEqual(MAX_CHALLENGES);
      }),
    );
    expect(readChallenges(['Basic, '.repeat(2000)])).toHaveLength(MAX_CHALLENGES);
  });
});
