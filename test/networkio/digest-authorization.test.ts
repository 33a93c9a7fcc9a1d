import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { readChallenges } from '../../src/networkio/auth-challenges.ts';
import {
  bestDigest,
  type DigestChallenge,
  digestAuthorization,
  digestChallenge,
} from '../../src/networkio/digest-authorization.ts';

function challenge(text: string): DigestChallenge {
  const [first] = readChallenges([text]);
  const found = first === undefined ? undefined : digestChallenge(first);
  if (found === undefined) throw new Error(`no digest challenge: ${text}`);
  return found;
}

function user(username: string, password: string) {
  return { username, password: new Secret(password) };
}

/** `name="value"` of an answer, unescaped. */
function params(answer: string): ReadonlyMap<string, string> {
  return readChallenges([answer])[0]?.params ?? new Map();
}

const RFC_7616 =
  'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
const RFC_2617 =
  'realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"';

describe('digestAuthorization', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'RFC 7616 §3.9.1, MD5',      challenge: `Digest ${RFC_7616}, algorithm=MD5`,     cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ', password: 'Circle of Life', response: '8ca523f5e9506fed4657c9700eebdbec' },
    { name: 'RFC 7616 §3.9.1, SHA-256',  challenge: `Digest ${RFC_7616}, algorithm=SHA-256`, cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ', password: 'Circle of Life', response: '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1' },
    { name: 'RFC 2617 §3.5',             challenge: `Digest ${RFC_2617}`,                    cnonce: '0a4f113b',                                     password: 'Circle Of Life', response: '6629fae49393a05397450978507c4ef1' },
  ])('answers $name', ({ challenge: text, cnonce, password, response }) => {
    const answer = digestAuthorization(challenge(text), {
      method: 'GET',
      uri: '/dir/index.html',
      credentials: user('Mufasa', password),
      cnonce,
    });
    const sent = params(answer);
    expect(sent.get('response')).toBe(response);
    expect(sent.get('username')).toBe('Mufasa');
    expect(sent.get('nonce')).toBe(params(text).get('nonce'));
    expect(sent.get('opaque')).toBe(params(text).get('opaque'));
    expect([sent.get('qop'), sent.get('nc'), sent.get('cnonce')]).toEqual(['auth', '00000001', cnonce]);
  });

  // What Python's hashlib makes of the formulas of RFC 7616 §3.4.
  // biome-ignore format: a table, one row a line
  test.each([
    { algorithm: 'MD5-sess',     response: '7214ee54ef3591e8d8c1e3e968a6f4d1' },
    { algorithm: 'SHA-256-sess', response: 'a651b648e5a9869e948c368c8da66a515ed0d9a77d9151975f8dbabd5c44fc67' },
    { algorithm: 'SHA-512-256',  response: '7a4910ae4c35e93e18cacb6961fe03e3fc55e69aab49d8b617dbc380799de05a' },
  ])('$algorithm', ({ algorithm, response }) => {
    const answer = digestAuthorization(
      challenge(`Digest realm="r", nonce="n", qop=auth, algorithm=${algorithm}`),
      { method: 'CONNECT', uri: 'h:443', credentials: user('u', 'p'), cnonce: 'c' },
    );
    expect(params(answer).get('response')).toBe(response);
    expect(params(answer).get('algorithm')).toBe(algorithm);
  });

  test('a challenge without qop is answered as before RFC 2617: no count, no nonce of ours', () => {
    const answer = digestAuthorization(challenge('Digest realm="r", nonce="n"'), {
      method: 'CONNECT',
      uri: 'h:443',
      credentials: user('u', 'p'),
      cnonce: 'c',
    });
    expect(answer).toBe(
      'Digest username="u", realm="r", nonce="n", uri="h:443", response="77c8f09e964af199c45c2817e553d639"',
    );
  });

  test('quotes and backslashes go there and back; a name that is not ASCII has its own form', () => {
    const given = challenge('Digest realm="a \\"b\\" \\\\", nonce="n", qop=auth, userhash=false');
    expect(given.realm).toBe('a "b" \\');
    const answer = digestAuthorization(given, {
      method: 'CONNECT',
      uri: 'h:443',
      credentials: user('Jäsøn Doe', 'p'),
      cnonce: 'c',
    });
    expect(answer).toContain('realm="a \\"b\\" \\\\"');
    expect(answer).toContain("username*=UTF-8''J%C3%A4s%C3%B8n%20Doe");
  });

  test('userhash: the name is not shown (RFC 7616 §3.9.2)', () => {
    const answer = digestAuthorization(
      challenge(
        'Digest realm="api@example.org", qop="auth", algorithm=SHA-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", charset=UTF-8, userhash=true',
      ),
      {
        method: 'GET',
        uri: '/doe.json',
        credentials: user('Jäsøn Doe', 'Secret, or not?'),
        cnonce: 'c',
      },
    );
    expect(params(answer).get('username')).toBe(
      '5a1a8a47df5c298551b9b42ba9b05835174a5bd7d511ff7fe9191d8e946fc4e7',
    );
    expect(answer).toContain('userhash=true');
    expect(answer).not.toContain('Doe');
  });

  test('the password never shows', () => {
    const answer = digestAuthorization(challenge(`Digest ${RFC_2617}`), {
      method: 'CONNECT',
      uri: 'h:443',
      credentials: user('u', 'canary-password'),
      cnonce: 'c',
    });
    expect(answer).not.toContain('canary');
  });
});

describe('digestChallenge', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'another scheme',        text: 'Basic realm="r", nonce="n"' },
    { name: 'no realm',              text: 'Digest nonce="n"' },
    { name: 'no nonce',              text: 'Digest realm="r"' },
    { name: 'an unknown algorithm',  text: 'Digest realm="r", nonce="n", algorithm=SHA-1' },
    { name: 'auth-int alone',        text: 'Digest realm="r", nonce="n", qop="auth-int"' },
  ])('is none: $name', ({ text }) => {
    const [first] = readChallenges([text]);
    expect(first).toBeDefined();
    expect(first && digestChallenge(first)).toBeUndefined();
  });
});

describe('bestDigest', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { offered: ['MD5', 'SHA-256'],                best: 'SHA-256' },
    { offered: ['SHA-256', 'SHA-512-256', 'MD5'], best: 'SHA-512-256' },
    { offered: ['MD5-sess', 'MD5'],               best: 'MD5-sess' },
    { offered: [],                                best: undefined },
  ])('of $offered: $best', ({ offered, best }) => {
    const challenges = offered.map((algorithm) =>
      challenge(`Digest realm="r", nonce="n", algorithm=${algorithm}`),
    );
    expect(bestDigest(challenges)?.algorithm).toBe(best);
  });
});
