import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** Distinguished name: relative names of attributes, each with its string tag and raw content. */
export type Dn = readonly (readonly DnAttribute[])[];

export interface DnAttribute {
  readonly oid: string;
  readonly tag: number;
  readonly content: Buffer;
}

export interface CertificateOptions {
  readonly subject: Dn;
  /** Undefined leaves the extension out. */
  readonly keyUsage?: number | undefined;
  readonly extendedKeyUsage?: readonly string[] | undefined;
  readonly authority?: boolean;
  /** A text stands in the certificate as it is, whether it is a time or not. */
  readonly notBefore?: Date | string;
  readonly notAfter?: Date | string;
  readonly digest?: 'sha256' | 'sha1';
  /** Default: {@link SERIAL}. */
  readonly serial?: Buffer;
  /** Default: P-256. */
  readonly keys?: KeyPair;
  /** Bits of Netscape's certificate type. */
  readonly netscapeType?: number;
}

/** A certificate, its key, and what the checks want to know of it. */
export interface Issued {
  readonly certPem: string;
  readonly keyPem: string;
  readonly der: Buffer;
  readonly fingerprint: Buffer;
}

export interface Authority extends Issued {
  issue(options: CertificateOptions): Issued;
  /** An authority whose certificate is signed by this one. */
  subordinate(name: string, serial?: Buffer): Authority;
  /** A revocation list, PEM, as of `notBefore` to `notAfter`. */
  revoke(
    serials: readonly number[],
    times?: Pick<CertificateOptions, 'notBefore' | 'notAfter'>,
  ): string;
}

/** Serial number of all certificates here. */
export const SERIAL = 0x2a;

export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
export const DIGITAL_SIGNATURE = 0x80;
export const NON_REPUDIATION = 0x40;
export const KEY_CERT_SIGN = 0x04;
export const CRL_SIGN = 0x02;
export const UTF8_STRING = 0x0c;
export const PRINTABLE_STRING = 0x13;
export const BMP_STRING = 0x1e;

const COMMON_NAME = '2.5.4.3';
const DAY_MS = 86_400_000;

/** An attribute of a name, UTF8String unless told otherwise. */
export function attribute(
  oid: string,
  content: string | Buffer,
  tag: number = UTF8_STRING,
): DnAttribute {
  return { oid, tag, content: Buffer.from(content as string) };
}

export function commonName(content: string | Buffer, tag: number = UTF8_STRING): Dn {
  return [[attribute(COMMON_NAME, content, tag)]];
}

/** A server's certificate as OpenVPN's tools make it, changed by `changes`. */
export function serverOptions(changes: Partial<CertificateOptions> = {}): CertificateOptions {
  return {
    subject: commonName('vpn.example'),
    keyUsage: DIGITAL_SIGNATURE,
    extendedKeyUsage: [SERVER_AUTH],
    ...changes,
  };
}

export function clientOptions(changes: Partial<CertificateOptions> = {}): CertificateOptions {
  return {
    subject: commonName('client'),
    keyUsage: DIGITAL_SIGNATURE,
    extendedKeyUsage: [CLIENT_AUTH],
    ...changes,
  };
}

/** A throw-away certificate authority; its certificates are real and OpenSSL judges them. */
export function createAuthority(name = 'test authority'): Authority {
  return authorityOf(name, undefined);
}

interface Signer {
  readonly subject: Dn;
  readonly key: KeyObject;
}

function authorityOf(name: string, above: Signer | undefined, serial?: Buffer): Authority {
  const subject = commonName(name);
  const keys = keyPair();
  const options = {
    subject,
    keyUsage: KEY_CERT_SIGN | CRL_SIGN,
    authority: true,
    ...(serial !== undefined && { serial }),
  };
  const { subject: issuer, key } = above ?? { subject, key: keys.privateKey };
  const own = certificate(options, keys, issuer, key);
  return {
    ...own,
    subordinate(below, itsSerial) {
      return authorityOf(below, { subject, key: keys.privateKey }, itsSerial);
    },
    issue(leaf) {
      return certificate(leaf, leaf.keys ?? keyPair(), subject, keys.privateKey);
    },
    revoke(serials, times = {}) {
      return revocationList(serials, times, subject, keys.privateKey);
    },
  };
}

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A certificate that signs itself. */
export function selfSigned(options: CertificateOptions): Issued {
  const keys = keyPair();
  return certificate(options, keys, options.subject, keys.privateKey);
}

function keyPair(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function certificate(
  options: CertificateOptions,
  keys: KeyPair,
  issuer: Dn,
  issuerKey: KeyObject,
): Issued {
  const digest = options.digest ?? 'sha256';
  const algorithm = sequence(oid(digest === 'sha1' ? '1.2.840.10045.4.1' : '1.2.840.10045.4.3.2'));
  const now = Date.now();
  const tbs = sequence(
    tlv(0xa0, integer(Buffer.of(2))),
    integer(options.serial ?? Buffer.of(SERIAL)),
    algorithm,
    dn(issuer),
    sequence(
      time(options.notBefore ?? new Date(now - DAY_MS)),
      time(options.notAfter ?? new Date(now + DAY_MS)),
    ),
    dn(options.subject),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions(options))),
  );
  const signature = sign(digest, tbs, issuerKey);
  const der = sequence(tbs, algorithm, bitString(signature));
  return {
    der,
    certPem: pem('CERTIFICATE', der),
    keyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint: createHash('sha256').update(der).digest(),
  };
}

function revocationList(
  serials: readonly number[],
  { notBefore, notAfter }: Pick<CertificateOptions, 'notBefore' | 'notAfter'>,
  issuer: Dn,
  issuerKey: KeyObject,
): string {
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const now = Date.now();
  const revokedAt = time(new Date(now - DAY_MS));
  const revoked = serials.map((serial) => sequence(integer(Buffer.of(serial)), revokedAt));
  const tbs = sequence(
    integer(Buffer.of(1)),
    algorithm,
    dn(issuer),
    time(notBefore ?? new Date(now - DAY_MS)),
    time(notAfter ?? new Date(now + DAY_MS)),
    ...(revoked.length > 0 ? [sequence(...revoked)] : []),
  );
  const signature = bitString(sign('sha256', tbs, issuerKey));
  return pem('X509 CRL', sequence(tbs, algorithm, signature));
}

function extensions(options: CertificateOptions): Buffer[] {
  const { keyUsage, extendedKeyUsage, authority, netscapeType } = options;
  const all: Buffer[] = [];
  if (authority === true) all.push(extension('2.5.29.19', sequence(tlv(0x01, Buffer.of(0xff)))));
  else all.push(extension('2.5.29.19', sequence()));
  if (keyUsage !== undefined) all.push(extension('2.5.29.15', bitString(Buffer.of(keyUsage))));
  if (extendedKeyUsage !== undefined) {
    all.push(extension('2.5.29.37', sequence(...extendedKeyUsage.map(oid))));
  }
  if (netscapeType !== undefined) {
    all.push(extension('2.16.840.1.113730.1.1', bitString(Buffer.of(netscapeType))));
  }
  return all;
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), tlv(0x04, value));
}

function dn(name: Dn): Buffer {
  return sequence(
    ...name.map((rdn) =>
      tlv(
        0x31,
        ...rdn.map(({ oid: type, tag, content }) => sequence(oid(type), tlv(tag, content))),
      ),
    ),
  );
}

/** UTCTime up to 2049. */
function time(when: Date | string): Buffer {
  if (typeof when === 'string') return tlv(0x17, Buffer.from(when));
  const digits = when.toISOString().replace(/\D/g, '').slice(2, 14);
  return tlv(0x17, Buffer.from(`${digits}Z`));
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tlv(0x06, Buffer.from(bytes));
}

function integer(bytes: Buffer): Buffer {
  return tlv(0x02, bytes);
}

function bitString(bytes: Buffer): Buffer {
  return tlv(0x03, Buffer.of(0), bytes);
}

function sequence(...parts: Buffer[]): Buffer {
  return tlv(0x30, ...parts);
}

function tlv(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), content]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >>> 8, length & 0xff), content]);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
