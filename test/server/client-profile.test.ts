import { beforeAll, describe, expect, test } from 'vitest';
import { readProfile } from '../../src/config/read-profile.ts';
import { type ClientProfileParts, clientProfileText } from '../../src/server/client-profile.ts';
import { createAuthority, createStaticKeyText, type Issued } from '../../src/server/pki.ts';
import {
  createTlsCryptV2ClientKeyText,
  createTlsCryptV2ServerKey,
} from '../../src/server/tls-crypt-v2-keys.ts';

let caPem: string;
let identity: Issued;
beforeAll(async () => {
  const authority = await createAuthority();
  caPem = authority.certPem;
  identity = await authority.issue({ commonName: 'client', purpose: 'client' });
});

function parts(changes: Partial<ClientProfileParts> = {}): ClientProfileParts {
  return {
    host: '127.0.0.1',
    port: 1194,
    protocol: 'udp',
    caPem,
    identity,
    tlsCryptKey: createStaticKeyText(),
    serverName: 'server "one"',
    authUserPass: false,
    ...changes,
  };
}

describe('clientProfileText', () => {
  test('is a profile of ours, with everything inline and nothing passed over', () => {
    const profile = readProfile(clientProfileText(parts()));
    expect(profile).toMatchObject({
      remotes: [{ host: '127.0.0.1', port: 1194, protocol: 'udp', family: 0 }],
      ca: caPem,
      cert: identity.certPem,
      remoteCertTls: 'server',
      verifyX509Name: { type: 'name', value: 'server "one"' },
      authUserPass: undefined,
      explicitExitNotify: 1,
    });
    expect(profile.wrap.kind).toBe('tls-crypt');
    expect(profile.key?.reveal()).toBe(identity.keyPem);
    expect(profile.ignored.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('leaves out what the server does not have', () => {
    const text = clientProfileText(
      parts({
        host: '::1',
        protocol: 'tcp',
        identity: undefined,
        tlsCryptKey: undefined,
        serverName: undefined,
        authUserPass: true,
        dataCiphers: ['CHACHA20-POLY1305'],
      }),
    );
    expect(readProfile(text)).toMatchObject({
      remotes: [{ host: '::1', port: 1194, protocol: 'tcp', family: 6 }],
      cert: undefined,
      wrap: { kind: 'none' },
      verifyX509Name: undefined,
      authUserPass: { username: undefined, password: undefined },
      dataCiphers: ['CHACHA20-POLY1305'],
      explicitExitNotify: undefined,
    });
  });

  test('with tls-auth names the client’s direction and the digest of both', () => {
    const tlsAuthKey = createStaticKeyText();
    const text = clientProfileText(parts({ tlsCryptKey: undefined, tlsAuthKey, auth: 'SHA512' }));
    expect(readProfile(text)).toMatchObject({
      auth: 'SHA512',
      wrap: { kind: 'tls-auth', direction: 1, digest: 'SHA512' },
    });
  });

  test('with tls-crypt-v2 has the client’s own key', () => {
    const tlsCryptV2Key = createTlsCryptV2ClientKeyText(createTlsCryptV2ServerKey(), 1);
    const text = clientProfileText(parts({ tlsCryptKey: undefined, tlsCryptV2Key }));
    const { wrap } = readProfile(text);
    expect(wrap.kind).toBe('tls-crypt-v2');
  });

  test('does not mention the digest that everybody has', () => {
    expect(clientProfileText(parts({ auth: 'SHA1' }))).not.toContain('\nauth ');
    expect(clientProfileText(parts())).not.toContain('\nauth ');
  });
});
