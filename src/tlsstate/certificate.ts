import { type DerNode, DerTag, oidText, readDer } from './der.ts';

/** One attribute of a subject; `text` is undefined when its bytes are not clean text. */
export interface SubjectAttribute {
  readonly oid: string;
  readonly text: string | undefined;
}

/** What the checks of a peer need from its certificate, read from DER alone. */
export interface CertificateFacts {
  /** The relative names in order; most have one attribute. */
  readonly subject: readonly (readonly SubjectAttribute[])[];
  /** Bits of RFC 5280 §4.2.1.3, bit 0 is {@link KeyUsage.DIGITAL_SIGNATURE}; undefined: absent. */
  readonly keyUsage: number | undefined;
  /** Dotted OIDs; undefined: absent. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  /** Bits of Netscape's certificate type, see {@link NetscapeType}; undefined: absent. */
  readonly netscapeType: number | undefined;
}

/** Bits of `keyUsage` as the first byte of the bit string has them. */
export const KeyUsage = {
  DIGITAL_SIGNATURE: 0x80,
  KEY_ENCIPHERMENT: 0x20,
  KEY_AGREEMENT: 0x08,
} as const;

/** Bits of Netscape's certificate type that matter for TLS. */
export const NetscapeType = { CLIENT: 0x80, SERVER: 0x40 } as const;

const OID_KEY_USAGE = '2.5.29.15';
const OID_EXTENDED_KEY_USAGE = '2.5.29.37';
const OID_NETSCAPE_TYPE = '2.16.840.1.113730.1.1';
const READ_EXTENSIONS: ReadonlySet<string> = new Set([
  OID_KEY_USAGE,
  OID_EXTENDED_KEY_USAGE,
  OID_NETSCAPE_TYPE,
]);

/**
 * Reads a certificate (RFC 5280 §4.1); undefined when it is not one:
 *
 *     Certificate  SEQUENCE { tbs, algorithm, signature }
 *     tbs          SEQUENCE { [0] version?, serial, algorithm, issuer, validity, subject, key,
 *                             [1]?, [2]?, [3] extensions? }
 */
export function readCertificate(der: Buffer): CertificateFacts | undefined {
  const tbs = readDer(der)?.children[0];
  if (tbs === undefined) return undefined;
  const versioned = tbs.children[0]?.contextual === true;
  const subject = tbs.children[versioned ? 5 : 4];
  if (subject === undefined || subject.tag !== DerTag.SEQUENCE) return undefined;
  const extensions = extensionsOf(tbs);
  if (extensions === undefined) return undefined;

  const keyUsage = extensions.get(OID_KEY_USAGE);
  const extendedKeyUsage = extensions.get(OID_EXTENDED_KEY_USAGE);
  const netscapeType = extensions.get(OID_NETSCAPE_TYPE);
  return {
    subject: subject.children.map((rdn) => rdn.children.map(attributeOf)),
    keyUsage: keyUsage && firstBits(keyUsage),
    extendedKeyUsage: extendedKeyUsage?.children.map((purpose) => oidText(purpose.content)),
    netscapeType: netscapeType && firstBits(netscapeType),
  };
}

/** Extension values by OID; undefined when one is malformed or comes twice. */
function extensionsOf(tbs: DerNode): Map<string, DerNode> | undefined {
  const found = new Map<string, DerNode>();
  const holder = tbs.children.find((node) => node.contextual && node.tag === 3);
  for (const extension of holder?.children[0]?.children ?? []) {
    const [id] = extension.children;
    const value = extension.children.at(-1);
    if (id?.tag !== DerTag.OID || value?.tag !== DerTag.OCTET_STRING) return undefined;
    const oid = oidText(id.content);
    if (found.has(oid)) return undefined;
    if (!READ_EXTENSIONS.has(oid)) continue;
    const inner = readDer(value.content);
    if (inner === undefined) return undefined;
    found.set(oid, inner);
  }
  return found;
}

/** Content of a BIT STRING: the number of unused bits, then the bits. */
function firstBits(value: DerNode): number {
  return value.tag === DerTag.BIT_STRING ? (value.content[1] ?? 0) : 0;
}

function attributeOf(attribute: DerNode): SubjectAttribute {
  const [type, value] = attribute.children;
  const oid = type?.tag === DerTag.OID ? oidText(type.content) : '';
  return { oid, text: value && cleanText(value) };
}

/** The text of a name, or undefined: another string type, not UTF-8, or NUL and control bytes. */
function cleanText(value: DerNode): string | undefined {
  const utf8 = value.tag === DerTag.UTF8_STRING;
  if (!utf8 && !ASCII_STRINGS.has(value.tag)) return undefined;
  for (const byte of value.content) {
    if (byte < 0x20 || byte === 0x7f || (!utf8 && byte > 0x7f)) return undefined;
  }
  try {
    const text = UTF8.decode(value.content);
    return C1_CONTROLS.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

const ASCII_STRINGS: ReadonlySet<number> = new Set([
  DerTag.PRINTABLE_STRING,
  DerTag.IA5_STRING,
  DerTag.T61_STRING,
  DerTag.NUMERIC_STRING,
]);
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const C1_CONTROLS = /[\u0080-\u009f]/;
