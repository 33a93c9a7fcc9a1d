import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { connect, TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Authority,
  CLIENT_AUTH,
  createAuthority,
  createStaticKeyText,
  SERVER_AUTH,
} from '../../src/server/pki.ts';

let authority: Authority;
beforeAll(async () => {
  authority = await createAuthority();
});

describe('createAuthority', () => {
  test('signs itself and may sign others', () => {
    const ca = new X509Certificate(authority.certPem);
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(ca.ca).toBe(true);
  });

  test('two authorities do not know each other', async () => {
    const other = new X509Certificate((await createAuthority()).certPem);
    const { certPem } = await authority.issue({ commonName: 'leaf', purpose: 'server' });
    expect(new X509Certificate(certPem).verify(other.publicKey)).toBe(false);
  });
});

describe('issue', () => {
  test.each([
    { purpose: 'server', oid: SERVER_AUTH },
    { purpose: 'client', oid: CLIENT_AUTH },
  ] as const)('a $purpose certificate has its purpose and its key', async ({ purpose, oid }) => {
    const { certPem, keyPem } = await authority.issue({ commonName: 'leaf', purpose });
    const leaf = new X509Certificate(certPem);
    const ca = new X509Certificate(authority.certPem);
    expect(leaf.subject).toBe('CN=leaf');
    expect(leaf.keyUsage).toEqual([oid]);
    expect(leaf.ca).toBe(false);
    expect(leaf.checkIssued(ca) && leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.checkPrivateKey(createPrivateKey(keyPem))).toBe(true);
  });

  test('keeps to the times it is given', async () => {
    const notBefore = new Date('2020-01-01T00:00:00Z');
    const notAfter = new Date('2021-01-01T00:00:00Z');
    const options = { commonName: 'old', purpose: 'server', notBefore, notAfter } as const;
    const leaf = new X509Certificate((await authority.issue(options)).certPem);
    expect(new Date(leaf.validFrom)).toEqual(notBefore);
    expect(new Date(leaf.validTo)).toEqual(notAfter);
  });

  test('leaves out what is not wanted', async () => {
    const extensions = { keyUsage: false, extendedKeyUsage: [] };
    const options = { commonName: ['a', 'b'], purpose: 'server', extensions } as const;
    const leaf = new X509Certificate((await authority.issue(options)).certPem);
    expect(leaf.keyUsage).toBeUndefined();
    expect(leaf.subject).toBe('CN=a\nCN=b');
    expect(leaf.raw.includes(Buffer.from([0x55, 0x1d, 0x0f]))).toBe(false);
  });

  test('can make an authority below the authority', async () => {
    const extensions = { isAuthority: true };
    const options = { commonName: 'sub', purpose: 'server', extensions } as const;
    const leaf = new X509Certificate((await authority.issue(options)).certPem);
    expect(leaf.ca).toBe(true);
  });

  test('node:tls accepts both ends', async () => {
    const server = await authority.issue({ commonName: 'server', purpose: 'server' });
    const client = await authority.issue({ commonName: 'client', purpose: 'client' });
    const ca = authority.certPem;
    const [near, far] = duplexPair();
    const peer = new TLSSocket(far, {
      isServer: true,
      key: server.keyPem,
      cert: server.certPem,
      ca,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const socket = connect({
      socket: near,
      key: client.keyPem,
      cert: client.certPem,
      ca,
      checkServerIdentity: () => undefined,
    });
    await Promise.all([once(socket, 'secureConnect'), once(peer, 'secure')]);
    expect([socket.authorized, peer.getPeerCertificate().subject.CN]).toEqual([true, 'client']);
    peer.destroy();
    socket.destroy();
  });
});

describe('createStaticKeyText', () => {
  test('has 256 fresh bytes between the markers', () => {
    const text = createStaticKeyText();
    expect(text).toMatch(
      /^-----BEGIN OpenVPN Static key V1-----\n([0-9a-f]{32}\n){16}-----END OpenVPN Static key V1-----\n$/,
    );
    expect(createStaticKeyText()).not.toBe(text);
  });
});
