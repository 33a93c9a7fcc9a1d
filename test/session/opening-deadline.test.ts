import { describe, expect, test } from 'vitest';
import type { OvpnTimeoutError } from '../../src/core/errors.ts';
import { Secret } from '../../src/core/secret.ts';
import type { ControlWrapOptions } from '../../src/model/control-wrap-options.ts';
import { OpeningDeadline } from '../../src/session/opening-deadline.ts';

const NONE: ControlWrapOptions = { kind: 'none' };
const TLS_CRYPT: ControlWrapOptions = { kind: 'tls-crypt', key: new Secret(Buffer.alloc(256)) };

const TLS_AUTH: ControlWrapOptions = {
  kind: 'tls-auth',
  key: new Secret(Buffer.alloc(256)),
  direction: 1,
  digest: 'SHA1',
};
const TLS_CRYPT_V2: ControlWrapOptions = {
  kind: 'tls-crypt-v2',
  key: new Secret(Buffer.alloc(256)),
  wrappedKey: Buffer.alloc(290),
};

function opening(wrap: ControlWrapOptions, serverPollTimeoutMs = 10_000, handWindowMs = 60_000) {
  const errors: Error[] = [];
  const deadline = new OpeningDeadline(
    { wrap, serverPollTimeoutMs, handWindowMs },
    'udp',
    (error) => errors.push(error),
  );
  return { deadline, errors };
}

describe('OpeningDeadline', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'server-poll-timeout', poll: 5_000,  window: 60_000, at: 6_000 },
    { name: 'hand-window',         poll: 90_000, window: 60_000, at: 61_000 },
  ])('is the shorter one: $name', ({ poll, window, at }) => {
    const { deadline, errors } = opening(NONE, poll, window);
    expect(deadline.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    deadline.begin(1_000);
    expect(deadline.nextTimeout()).toBe(at);
    deadline.onTimeout(at - 1);
    expect(errors).toEqual([]);
    deadline.onTimeout(at);
    deadline.onTimeout(at + 1);
    expect(errors).toEqual([
      expect.objectContaining({ code: 'OVPN_SERVER_SILENT', phase: 'hard reset', retryable: true }),
    ]);
    expect(deadline.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });

  test('is over with the first authentic packet', () => {
    const { deadline, errors } = opening(NONE);
    deadline.begin(0);
    deadline.answered();
    deadline.onTimeout(100_000);
    expect(errors).toEqual([]);
    expect(deadline.silence(1000)).toBeUndefined();
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'without a wrap',  wrap: NONE,      code: 'OVPN_SERVER_SILENT',   says: /no OpenVPN server on that udp port, a firewall/ },
    { name: 'with tls-crypt',  wrap: TLS_CRYPT, code: 'OVPN_WRAP_UNANSWERED', says: /the server is down, or its tls-crypt key is not the profile's$/ },
    { name: 'with tls-crypt-v2', wrap: TLS_CRYPT_V2, code: 'OVPN_WRAP_UNANSWERED', says: /its tls-crypt-v2 key is not the profile's$/ },
    { name: 'with tls-auth',   wrap: TLS_AUTH,  code: 'OVPN_WRAP_UNANSWERED', says: /its tls-auth key is not the profile's, or key-direction or auth differ$/ },
  ])('says what silence may mean $name', ({ wrap, code, says }) => {
    const error = opening(wrap).deadline.silence(1500) as OvpnTimeoutError;
    expect(error).toMatchObject({ code, timeoutMs: 1500 });
    expect(error.message).toMatch(says);
    expect(error.message).toContain('within 1.5 s');
  });
});
