import { randomBytes, type webcrypto } from 'node:crypto';
import { formatStaticKey, STATIC_KEY_BYTES } from '../config/static-key.ts';

/** A certificate and its private key (PKCS#8), both PEM. */
export interface Issued {
  readonly certPem: string;
  readonly keyPem: string;
}

/** How a certificate is to be unlike a good one: for tests of those that check it. */
export interface IssueExtensions {
  /** Whether there is a key usage extension. Default: true. */
  readonly keyUsage?: boolean;
  /** OIDs of the extended key usage; none leaves the extension out. Default: the purpose's. */
  readonly extendedKeyUsage?: readonly string[];
  /** Whether it may sign certificates. Default: false. */
  readonly isAuthority?: boolean;
}

export interface IssueOptions {
  /** Several become several CN attributes of one subject. */
  readonly commonName: string | readonly string[];
  readonly purpose: 'server' | 'client';
  /** Default: a day ago. */
  readonly notBefore?: Date;
  /** Default: in ten years. */
  readonly notAfter?: Date;
  readonly extensions?: IssueExtensions;
}

/** A throw-away certificate authority. Its key never leaves it. */
export interface Authority {
  readonly certPem: string;
  /** A new key and a certificate for it. */
  issue(options: IssueOptions): Promise<Issued>;
}

/** OIDs of extended key usages (RFC 5280 §4.2.1.12). */
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** Makes an authority with a key of its own (ECDSA, P-256, SHA-256). */
export async function createAuthority(commonName = 'tundial throw-away CA'): Promise<Authority> {
  const { x509, crypto } = await loadX509();
  const keys = await generateKeys(crypto);
  const name = distinguishedName(commonName);
  const { BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags } = x509;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name,
      ...validity({}),
      keys,
      signingAlgorithm: SIGNATURE,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
      ],
    },
    crypto,
  );

  async function issue(options: IssueOptions): Promise<Issued> {
    const leafKeys = await generateKeys(crypto);
    const leaf = await x509.X509CertificateGenerator.create(
      {
        serialNumber: serialNumber(),
        subject: distinguishedName(options.commonName),
        issuer: certificate.subjectName.toJSON(),
        ...validity(options),
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: SIGNATURE,
        extensions: [
          ...leafExtensions(x509, options),
          await x509.SubjectKeyIdentifierExtension.create(leafKeys.publicKey, false, crypto),
          await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey, false, crypto),
        ],
      },
      crypto,
    );
    const pkcs8 = await crypto.subtle.exportKey('pkcs8', leafKeys.privateKey);
    const keyPem = x509.PemConverter.encode(pkcs8, 'PRIVATE KEY');
    return { certPem: pemText(leaf.toString('pem')), keyPem: pemText(keyPem) };
  }

  return { certPem: pemText(certificate.toString('pem')), issue };
}

/** The text of a fresh static key file, for `tls-crypt`. */
export function createStaticKeyText(): string {
  return formatStaticKey(randomBytes(STATIC_KEY_BYTES));
}

type X509Module = typeof import('@peculiar/x509');
type CryptoLike = InstanceType<typeof import('@peculiar/webcrypto')['Crypto']>;

/** Loads what only an embedded server needs; x509 wants the reflection polyfill to be there first. */
async function loadX509(): Promise<{ x509: X509Module; crypto: CryptoLike }> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const { Crypto } = await import('@peculiar/webcrypto');
  return { x509, crypto: new Crypto() };
}

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;

function generateKeys(crypto: CryptoLike): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
}

function leafExtensions(x509: X509Module, { purpose, extensions = {} }: IssueOptions) {
  const usual = purpose === 'server' ? SERVER_AUTH : CLIENT_AUTH;
  const { keyUsage = true, extendedKeyUsage = [usual], isAuthority = false } = extensions;
  const { digitalSignature, keyCertSign } = x509.KeyUsageFlags;
  const usages = isAuthority ? digitalSignature | keyCertSign : digitalSignature;
  return [
    new x509.BasicConstraintsExtension(isAuthority, undefined, true),
    ...(keyUsage ? [new x509.KeyUsagesExtension(usages, true)] : []),
    ...(extendedKeyUsage.length > 0
      ? [new x509.ExtendedKeyUsageExtension([...extendedKeyUsage])]
      : []),
  ];
}

function distinguishedName(commonName: string | readonly string[]) {
  const names = typeof commonName === 'string' ? [commonName] : commonName;
  return names.map((name) => ({ CN: [name] }));
}

const DAY_MS = 86_400_000;

function validity({ notBefore, notAfter }: Pick<IssueOptions, 'notBefore' | 'notAfter'>) {
  const now = Date.now();
  return {
    notBefore: notBefore ?? new Date(now - DAY_MS),
    notAfter: notAfter ?? new Date(now + 3650 * DAY_MS),
  };
}

/** Positive, 63 bits. */
function serialNumber(): string {
  const bytes = randomBytes(8);
  bytes[0] = (bytes.readUInt8(0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function pemText(pem: string): string {
  return `${pem.trim()}\n`;
}
