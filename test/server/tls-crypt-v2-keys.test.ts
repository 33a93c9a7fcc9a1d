import { describe, expect, test } from 'vitest';
import { readProfile } from '../../src/config/read-profile.ts';
import { parseTlsCryptV2ServerKey } from '../../src/config/tls-crypt-v2-key.ts';
import { SERVER_KEY_BYTES, TlsCryptV2ServerKey } from '../../src/packetmuxer/tls-crypt-v2.ts';
import { clientProfileText } from '../../src/server/client-profile.ts';
import { createAuthority } from '../../src/server/pki.ts';
import {
  createTlsCryptV2ClientKeyText,
  createTlsCryptV2ServerKey,
  tlsCryptV2ServerKeyText,
} from '../../src/server/tls-crypt-v2-keys.ts';

const NOW = 1_800_000_000;

/** The bytes between the markers. */
function bodyOf(text: string): Buffer {
  return Buffer.from(text.replace(/-----.*-----/g, ''), 'base64');
}

describe('createTlsCryptV2ServerKey', () => {
  test('makes 128 fresh bytes', () => {
    const key = createTlsCryptV2ServerKey();
    expect(key).toHaveLength(SERVER_KEY_BYTES);
    expect(createTlsCryptV2ServerKey()).not.toEqual(key);
  });
});

describe('tlsCryptV2ServerKeyText', () => {
  test('writes it as OpenVPN does', () => {
    const key = createTlsCryptV2ServerKey();
    const text = tlsCryptV2ServerKeyText(key);
    expect(text).toMatch(
      /^-----BEGIN OpenVPN tls-crypt-v2 server key-----\n([A-Za-z0-9+/]{64}\n){2}[A-Za-z0-9+/]{43}=\n-----END OpenVPN tls-crypt-v2 server key-----\n$/,
    );
    expect(bodyOf(text)).toEqual(key);
    expect(parseTlsCryptV2ServerKey(text)).toEqual(key);
  });
});

describe('createTlsCryptV2ClientKeyText', () => {
  const serverKey = createTlsCryptV2ServerKey();
  const text = createTlsCryptV2ClientKeyText(serverKey, NOW);

  test('has a key, and the same for the server with the time of its making', () => {
    expect(text).toMatch(
      /^-----BEGIN OpenVPN tls-crypt-v2 client key-----\n([A-Za-z0-9+/]{64}\n)+[A-Za-z0-9+/=]+\n-----END OpenVPN tls-crypt-v2 client key-----\n$/,
    );
    const body = bodyOf(text);
    expect(body).toHaveLength(256 + 299);
    const opened = new TlsCryptV2ServerKey(serverKey).unwrap(body.subarray(256));
    if (typeof opened === 'number') throw new Error(`not for this server: ${opened}`);
    expect(opened.key).toEqual(body.subarray(0, 256));
    expect(opened.metadata.toString('hex')).toBe('01000000006b49d200');
  });

  test('is another one each time, and of no other server', () => {
    const other = createTlsCryptV2ClientKeyText(serverKey, NOW);
    expect(bodyOf(other).subarray(0, 256)).not.toEqual(bodyOf(text).subarray(0, 256));
    const stranger = new TlsCryptV2ServerKey(createTlsCryptV2ServerKey());
    expect(stranger.unwrap(bodyOf(text).subarray(256))).toBeTypeOf('number');
  });

  test('is read by a profile', async () => {
    const { certPem } = await createAuthority();
    const { wrap } = readProfile(
      clientProfileText({
        host: '192.0.2.1',
        port: 1194,
        protocol: 'udp',
        caPem: certPem,
        identity: undefined,
        tlsCryptKey: undefined,
        tlsCryptV2Key: text,
        serverName: undefined,
        authUserPass: true,
      }),
    );
    if (wrap.kind !== 'tls-crypt-v2') throw new Error(`expected tls-crypt-v2, got ${wrap.kind}`);
    expect(wrap.key.reveal()).toEqual(bodyOf(text).subarray(0, 256));
    expect(wrap.wrappedKey).toEqual(bodyOf(text).subarray(256));
  });
});
