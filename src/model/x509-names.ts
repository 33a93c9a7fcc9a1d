/** Attribute type `commonName`. */
export const OID_COMMON_NAME = '2.5.4.3';

/** Attribute types of names: OID, the short name that OpenSSL prints, its long name where it differs. */
const ATTRIBUTES: readonly (readonly [oid: string, short: string, long?: string])[] = [
  [OID_COMMON_NAME, 'CN', 'commonName'],
  ['2.5.4.4', 'SN', 'surname'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C', 'countryName'],
  ['2.5.4.7', 'L', 'localityName'],
  ['2.5.4.8', 'ST', 'stateOrProvinceName'],
  ['2.5.4.9', 'street', 'streetAddress'],
  ['2.5.4.10', 'O', 'organizationName'],
  ['2.5.4.11', 'OU', 'organizationalUnitName'],
  ['2.5.4.12', 'title'],
  ['2.5.4.13', 'description'],
  ['2.5.4.17', 'postalCode'],
  ['2.5.4.41', 'name'],
  ['2.5.4.42', 'GN', 'givenName'],
  ['2.5.4.43', 'initials'],
  ['2.5.4.44', 'generationQualifier'],
  ['2.5.4.46', 'dnQualifier'],
  ['2.5.4.65', 'pseudonym'],
  ['0.9.2342.19200300.100.1.1', 'UID', 'userId'],
  ['0.9.2342.19200300.100.1.25', 'DC', 'domainComponent'],
  ['1.2.840.113549.1.9.1', 'emailAddress'],
];

/** Attribute types by the short names that OpenSSL prints. */
export const ATTRIBUTE_SHORT_NAMES: ReadonlyMap<string, string> = new Map(
  ATTRIBUTES.map(([oid, short]) => [oid, short]),
);

/** OIDs of attribute types by OpenSSL's short and long names. */
export const ATTRIBUTE_OIDS: ReadonlyMap<string, string> = new Map(
  ATTRIBUTES.flatMap(([oid, short, long = short]) => [[short, oid] as const, [long, oid] as const]),
);

/** Extended key usages. */
export const ExtendedKeyUsage = {
  SERVER_AUTH: '1.3.6.1.5.5.7.3.1',
  CLIENT_AUTH: '1.3.6.1.5.5.7.3.2',
} as const;

/** OIDs of extended key usages by OpenSSL's short and long names. */
export const EXTENDED_KEY_USAGE_OIDS: ReadonlyMap<string, string> = new Map([
  ['serverAuth', ExtendedKeyUsage.SERVER_AUTH],
  ['TLS Web Server Authentication', ExtendedKeyUsage.SERVER_AUTH],
  ['clientAuth', ExtendedKeyUsage.CLIENT_AUTH],
  ['TLS Web Client Authentication', ExtendedKeyUsage.CLIENT_AUTH],
  ['codeSigning', '1.3.6.1.5.5.7.3.3'],
  ['Code Signing', '1.3.6.1.5.5.7.3.3'],
  ['emailProtection', '1.3.6.1.5.5.7.3.4'],
  ['E-mail Protection', '1.3.6.1.5.5.7.3.4'],
  ['ipsecEndSystem', '1.3.6.1.5.5.7.3.5'],
  ['IPSec End System', '1.3.6.1.5.5.7.3.5'],
  ['ipsecTunnel', '1.3.6.1.5.5.7.3.6'],
  ['IPSec Tunnel', '1.3.6.1.5.5.7.3.6'],
  ['ipsecUser', '1.3.6.1.5.5.7.3.7'],
  ['IPSec User', '1.3.6.1.5.5.7.3.7'],
  ['timeStamping', '1.3.6.1.5.5.7.3.8'],
  ['Time Stamping', '1.3.6.1.5.5.7.3.8'],
  ['OCSPSigning', '1.3.6.1.5.5.7.3.9'],
  ['OCSP Signing', '1.3.6.1.5.5.7.3.9'],
  ['ipsecIKE', '1.3.6.1.5.5.7.3.17'],
  ['ipsec Internet Key Exchange', '1.3.6.1.5.5.7.3.17'],
  ['anyExtendedKeyUsage', '2.5.29.37.0'],
  ['Any Extended Key Usage', '2.5.29.37.0'],
]);
