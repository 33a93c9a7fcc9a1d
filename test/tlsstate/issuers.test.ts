import { createHash, X509Certificate } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { chainOf, decimalSerial, MAX_SHOWN_CERTIFICATES } from '../../src/tlsstate/issuers.ts';
import { NO_PEER_CHECKS, type PeerChecks, verifyPeer } from '../../src/tlsstate/verify-peer.ts';
import { createAuthority, type Issued, SERIAL, serverOptions } from './certificates.ts';
import { createClient, identityOf, pki } from './pair.ts';
import { RawServer } from './raw-server.ts';

const root = createAuthority('root');
const middle = root.subordinate('middle', Buffer.of(0x01, 0x00));
const leaf = middle.issue(serverOptions({ serial: Buffer.of(0x07) }));
/** Another key under the name of `middle`, trusted all the same. */
const double = root.subordinate('middle', Buffer.of(0x02, 0x00));

const digestOf = ({ der }: Issued, algorithm: 'sha1' | 'sha256' = 'sha256') => ({
  algorithm,
  digest: createHash(algorithm).update(der).digest(),
});
const certificate = ({ certPem }: Issued) => new X509Certificate(certPem);

let stop = () => {};
afterEach(() => stop());

/** A client with `checks` meets a server that shows `chain`. */
async function meet(
  shown: Issued,
  chain: readonly Issued[],
  checks: Partial<PeerChecks>,
  ca = root.certPem,
) {
  const certPem = [shown, ...chain].map((one) => one.certPem).join('');
  const raw = new RawServer({ certPem, keyPem: shown.keyPem });
  const identity = identityOf(pki.client, {
    ca,
    checks: { ...NO_PEER_CHECKS, ...checks },
  });
  const client = createClient({ identity });
  stop = () => {
    client.service.stop();
    raw.stop();
  };
  await raw.serve(client);
  return { raw, client };
}

function changed({ algorithm, digest }: ReturnType<typeof digestOf>) {
  const copy = Buffer.from(digest);
  copy.writeUInt8(copy.readUInt8(19) ^ 1, 19);
  return { algorithm, digest: copy };
}

describe('verify-hash', () => {
  test.each([
    { name: 'the issuer, SHA-256', hashes: [digestOf(middle)], code: undefined },
    { name: 'the issuer, SHA-1', hashes: [digestOf(middle, 'sha1')], code: undefined },
    { name: 'one of two', hashes: [digestOf(root), digestOf(middle)], code: undefined },
    { name: 'one bit off', hashes: [changed(digestOf(middle))], code: 'OVPN_CERT_FINGERPRINT' },
    {
      name: 'one bit off, SHA-1',
      hashes: [changed(digestOf(middle, 'sha1'))],
      code: 'OVPN_CERT_FINGERPRINT',
    },
    { name: 'the root, which is level 2', hashes: [digestOf(root)], code: 'OVPN_CERT_FINGERPRINT' },
    { name: 'the leaf, which is level 0', hashes: [digestOf(leaf)], code: 'OVPN_CERT_FINGERPRINT' },
    { name: 'another of the same name', hashes: [digestOf(double)], code: 'OVPN_CERT_FINGERPRINT' },
  ])('$name: $code', async ({ hashes, code }) => {
    const { raw, client } = await meet(leaf, [middle], { verifyHashes: hashes });
    expect(client.code).toBe(code);
    if (code !== undefined) expect(raw.receivedBytes).toBe(0);
  });

  test('a certificate that was only shown beside does not count', async () => {
    const fake = double.issue(serverOptions());
    const ca = root.certPem + double.certPem;
    const checks = { verifyHashes: [digestOf(middle)] };
    const { raw, client } = await meet(fake, [middle], checks, ca);
    expect(client.code).toBe('OVPN_CERT_FINGERPRINT');
    expect(raw.receivedBytes).toBe(0);
    stop();
    const right = { verifyHashes: [digestOf(double)] };
    expect((await meet(fake, [middle], right, ca)).client.code).toBeUndefined();
  });

  test('an issuer that only the profile has does count', async () => {
    const direct = root.issue(serverOptions());
    const { client } = await meet(direct, [], { verifyHashes: [digestOf(root)] });
    expect(client.code).toBeUndefined();
  });

  test('is refused where nobody knows the chain', () => {
    const checks = { ...NO_PEER_CHECKS, verifyHashes: [digestOf(middle)] };
    expect(verifyPeer(leaf.der, checks)?.code).toBe('OVPN_CERT_UNTRUSTED');
    const without = () => ({ issuers: [], all: [] });
    expect(verifyPeer(leaf.der, checks, without)?.code).toBe('OVPN_CERT_FINGERPRINT');
  });
});

describe('crl-verify with a directory', () => {
  test.each([
    { name: 'no serial number', serials: [], code: undefined },
    { name: 'others', serials: ['70', '6', '255'], code: undefined },
    { name: 'a serial number in hex', serials: ['0x7', '07'], code: undefined },
    { name: "the leaf's", serials: ['1', '7'], code: 'OVPN_CERT_REVOKED' },
    { name: "its issuer's", serials: ['256'], code: 'OVPN_CERT_REVOKED' },
    {
      name: "the root's, which the server does not show",
      serials: [`${SERIAL}`],
      code: 'OVPN_CERT_REVOKED',
    },
  ])('$name: $code', async ({ serials, code }) => {
    const { raw, client } = await meet(leaf, [middle], { revokedSerials: serials });
    expect(client.code).toBe(code);
    if (code !== undefined) expect(raw.receivedBytes).toBe(0);
  });

  test('is refused where nobody knows the chain', () => {
    const checks = { ...NO_PEER_CHECKS, revokedSerials: ['1'] };
    expect(verifyPeer(leaf.der, checks)?.code).toBe('OVPN_CERT_UNTRUSTED');
  });
});

describe('chainOf', () => {
  /** `leaf` as node:tls gives it, with `others` behind it. */
  function showing(...others: Issued[]): X509Certificate {
    const [first, ...rest] = [leaf, ...others].map(certificate);
    let last = first;
    for (const next of rest) {
      Object.defineProperty(last, 'issuerCertificate', { value: next });
      last = next;
    }
    return first as X509Certificate;
  }

  test('follows names and signatures, not the order in which they came', () => {
    const { issuers = [], all = [] } = chainOf(showing(double, root, middle), undefined) ?? {};
    expect(issuers.map(({ raw }) => raw)).toEqual([middle.der]);
    expect(all.map(({ raw }) => raw)).toEqual([leaf.der, middle.der, root.der]);
  });

  test('takes what is missing from the authorities', () => {
    const { all = [] } = chainOf(showing(middle), double.certPem + root.certPem) ?? {};
    expect(all.map(({ raw }) => raw)).toEqual([leaf.der, middle.der, root.der]);
  });

  test('gives up on a peer that shows too many', () => {
    const most = Array.from({ length: MAX_SHOWN_CERTIFICATES - 1 }, () => root);
    expect(chainOf(showing(...most), undefined)).toBeDefined();
    expect(chainOf(showing(...most, root), undefined)).toBeUndefined();
  });
});

describe('decimalSerial', () => {
  test.each([
    { bytes: '2a', decimal: '42' },
    { bytes: '0100', decimal: '256' },
    { bytes: '00ff', decimal: '255' },
    { bytes: '00ffffffffffffffffffffffffffffffff', decimal: `${2n ** 128n - 1n}` },
    { bytes: 'ff', decimal: '-1' },
  ])('$bytes is $decimal', ({ bytes, decimal }) => {
    const issued = root.issue(serverOptions({ serial: Buffer.from(bytes, 'hex') }));
    expect(decimalSerial(certificate(issued))).toBe(decimal);
  });
});
