import type { OvpnTlsError } from '../core/errors.ts';
import { printable } from '../core/log.ts';
import type { X509NameCheck } from '../model/profile.ts';
import { ATTRIBUTE_SHORT_NAMES, OID_COMMON_NAME } from '../model/x509-names.ts';
import type { CertificateFacts, SubjectAttribute } from './certificate.ts';
import { refused } from './refused.ts';

/** `verify-x509-name`; anything that two readers could take for different names is refused. */
export function checkName(facts: CertificateFacts, check: X509NameCheck): OvpnTlsError | undefined {
  const { type, value, field = OID_COMMON_NAME } = check;
  const name = type === 'subject' ? subjectText(facts) : soleAttribute(facts, field);
  const of = field === OID_COMMON_NAME ? type : `${type} by ${shortName(field)}`;
  const expected = `verify-x509-name ${printable(value)} (${of})`;
  if (name === undefined) {
    return refused(
      'OVPN_CERT_NAME',
      `expected a certificate that matches ${expected}, got one whose name is missing, given more than once, or not plain text`,
    );
  }
  const matches = type === 'name-prefix' ? name.startsWith(value) : name === value;
  if (matches) return undefined;
  return refused(
    'OVPN_CERT_NAME',
    `expected a certificate that matches ${expected}, got ${printable(name)}`,
  );
}

function soleAttribute(facts: CertificateFacts, field: string): string | undefined {
  const names = facts.subject.flat().filter(({ oid }) => oid === field);
  return names.length === 1 ? names[0]?.text : undefined;
}

/** The whole subject as OpenVPN prints it: `C=KG, ST=NA, O=Example, CN=server`. */
function subjectText(facts: CertificateFacts): string | undefined {
  const attributes = facts.subject.flat();
  if (attributes.length === 0 || attributes.some(({ text }) => text === undefined)) {
    return undefined;
  }
  return facts.subject.map((rdn) => rdn.map(attributeText).join(' + ')).join(', ');
}

function attributeText({ oid, text }: SubjectAttribute): string {
  return `${shortName(oid)}=${text}`;
}

function shortName(oid: string): string {
  return ATTRIBUTE_SHORT_NAMES.get(oid) ?? oid;
}
