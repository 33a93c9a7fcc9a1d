import { describe, expect, test } from 'vitest';
import { MAX_PULL_FILTERS } from '../../src/config/read-pull-policy.ts';
import { MAX_SCRAMBLE_KEY_BYTES } from '../../src/config/read-scramble.ts';
import { MAX_CHALLENGE_CHARS } from '../../src/config/read-sign-in.ts';
import { errorOf, inline, profileWith, read } from './sample-profile.ts';

describe('auth-user-pass', () => {
  test.each(['auth-user-pass', 'auth-user-pass stdin'])('%s asks for both', (line) => {
    expect(read(line).authUserPass).toEqual({ username: undefined, password: undefined });
  });

  test('username-only asks for the name; a stand-in is the password', () => {
    const { authUserPass } = read('auth-user-pass username-only');
    expect(authUserPass?.username).toBeUndefined();
    expect(authUserPass?.password?.reveal()).toBe('[[BLANK]]');
  });

  test('[inline] announces the block', () => {
    const { authUserPass } = read('auth-user-pass [inline]', inline('auth-user-pass', 'me\nx'));
    expect(authUserPass?.username).toBe('me');
    expect(errorOf(profileWith('auth-user-pass [inline]')).directive).toBe('auth-user-pass');
  });
});

describe('auth-retry', () => {
  test.each(['none', 'nointeract', 'interact'] as const)('%s', (kind) => {
    expect(read(`auth-retry ${kind}`).authRetry).toBe(kind);
  });

  test('refuses others', () => {
    expect(errorOf(profileWith('auth-retry always')).directive).toBe('auth-retry');
  });
});

describe('static-challenge', () => {
  test.each([
    { args: '"Your PIN" 0', challenge: { text: 'Your PIN', echo: false, format: 'scrv1' } },
    { args: 'Code 1 scrv1', challenge: { text: 'Code', echo: true, format: 'scrv1' } },
    { args: 'Code 1 concat', challenge: { text: 'Code', echo: true, format: 'concat' } },
  ])('$args', ({ args, challenge }) => {
    expect(read('auth-user-pass', `static-challenge ${args}`).staticChallenge).toEqual(challenge);
  });

  test('has no effect where nobody signs in with a password', () => {
    const { staticChallenge, ignored } = read('static-challenge Code 1');
    expect(staticChallenge).toBeUndefined();
    expect(ignored).toEqual([
      expect.objectContaining({ directive: 'static-challenge', level: 'warn' }),
    ]);
  });

  test.each([
    'static-challenge',
    'static-challenge Code',
    'static-challenge Code yes',
    'static-challenge Code 1 sum',
    'static-challenge "a\u0085b" 1',
    `static-challenge ${'x'.repeat(MAX_CHALLENGE_CHARS + 1)} 1`,
  ])('refuses %s', (line) => {
    expect(errorOf(profileWith('auth-user-pass', line)).problems).toHaveLength(1);
  });
});

describe('scramble', () => {
  test.each([
    { args: 'xormask secret', mode: 'xormask', key: 'secret' },
    { args: 'secret', mode: 'xormask', key: 'secret' },
    { args: 'obfuscate "a b"', mode: 'obfuscate', key: 'a b' },
    { args: 'xorptrpos', mode: 'xorptrpos', key: undefined },
    { args: 'reverse', mode: 'reverse', key: undefined },
  ])('$args', ({ args, mode, key }) => {
    const { scramble } = read(`scramble ${args}`);
    expect(scramble?.mode).toBe(mode);
    expect(scramble?.key?.reveal().toString()).toBe(key);
    expect(JSON.stringify(scramble)).not.toContain('secret');
  });

  test.each([
    'scramble',
    'scramble xormask',
    'scramble obfuscate ""',
    `scramble obfuscate ${'x'.repeat(MAX_SCRAMBLE_KEY_BYTES + 1)}`,
  ])('refuses %s', (line) => {
    expect(errorOf(profileWith(line)).directive).toBe('scramble');
  });
});

describe('pull-filter', () => {
  test('keeps its order, words with one blank between', () => {
    const { pullFilters } = read(
      'pull-filter accept "route 10."',
      "pull-filter ignore ' dhcp-option   DNS '",
      'pull-filter reject ""',
    );
    expect(pullFilters).toEqual([
      { action: 'accept', text: 'route 10.' },
      { action: 'ignore', text: 'dhcp-option DNS ' },
      { action: 'reject', text: '' },
    ]);
  });

  test('has a limit, told once', () => {
    const lines = Array.from({ length: MAX_PULL_FILTERS + 5 }, () => 'pull-filter ignore x');
    expect(errorOf(profileWith(...lines)).problems).toHaveLength(1);
  });
});
