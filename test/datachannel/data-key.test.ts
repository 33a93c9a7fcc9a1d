import { describe, expect, test } from 'vitest';
import { createDataKey } from '../../src/datachannel/data-key.ts';
import { KEY_LIMITS } from '../../src/datachannel/key-limits.ts';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import { negotiated, OPTIONS } from './fixtures.ts';

const KEY_OPTIONS = {
  provider: nodeProvider,
  limits: KEY_LIMITS,
  auth: OPTIONS.auth,
  replayWindow: OPTIONS.replayWindow,
};

describe('createDataKey', () => {
  test('gives both ends keys that fit, each direction its own', () => {
    const client = createDataKey(negotiated('client', 3, 77), KEY_OPTIONS);
    const server = createDataKey(negotiated('server', 3), KEY_OPTIONS);
    const payload = Buffer.from('payload');
    const down = client.codec.seal(payload) ?? expect.fail();
    const up = server.codec.seal(payload) ?? expect.fail();
    expect(server.codec.open(down, 0)).toEqual(payload);
    expect(client.codec.open(up, 0)).toEqual(payload);
    expect(down.equals(up)).toBe(false);
    expect(client).toMatchObject({
      keyId: 3,
      startedAt: 77,
      cipherName: 'AES-256-GCM',
      expiresAt: Number.POSITIVE_INFINITY,
    });
  });

  test('overwrites the material', () => {
    const key = negotiated('client', 0);
    createDataKey(key, KEY_OPTIONS);
    expect(key.material).toEqual(Buffer.alloc(256));
  });

  test('refuses material that is all zero', () => {
    const key = { ...negotiated('client', 0), material: Buffer.alloc(256) };
    expect(() => createDataKey(key, KEY_OPTIONS)).toThrow(/all zeros/);
  });
});
