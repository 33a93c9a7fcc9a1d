import type { Profile, X509NameCheck } from '../model/profile.ts';
import { ATTRIBUTE_OIDS, EXTENDED_KEY_USAGE_OIDS } from '../model/x509-names.ts';
import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';
import { FINGERPRINT_READERS } from './read-fingerprints.ts';

/** What the server's certificate must be like. */
export const PEER_CHECK_READERS: DirectiveReaders = [
  ['remote-cert-tls', readRemoteCertTls],
  ['remote-cert-ku', readKeyUsage],
  ['remote-cert-eku', readExtendedKeyUsage],
  ['ns-cert-type', readNetscapeType],
  ['verify-x509-name', readX509Name],
  [
    'x509-username-field',
    (draft, directive) => {
      draft.usernameField = directive;
    },
  ],
  ...FINGERPRINT_READERS,
];

/**
 * Whether something in the profile tells the server from the other holders of certificates of its
 * authority. A key usage does not: clients have the same.
 */
export function tellsServer(profile: Profile): boolean {
  const { remoteCertTls, remoteCertEku, nsCertType, verifyX509Name, peerFingerprints } = profile;
  const checks = [remoteCertTls, remoteCertEku, nsCertType, verifyX509Name];
  return peerFingerprints.length > 0 || checks.some((check) => check !== undefined);
}

/** Joins what belongs together, and tells of a profile that would take any certificate. */
export function finishPeerChecks(draft: ProfileDraft): void {
  finishUsernameField(draft);
  if (tellsServer(draft.profile)) return;
  draft.ignored.push({
    directive: 'remote-cert-tls',
    line: 0,
    reason:
      'is not in the profile, nor are verify-x509-name or peer-fingerprint: any certificate ' +
      'of the same authority could pass for the server',
    level: 'warn',
  });
}

function readRemoteCertTls(draft: ProfileDraft, directive: Directive): void {
  const [purpose] = directive.args;
  if (purpose === 'server' || purpose === 'client') draft.profile.remoteCertTls = purpose;
  else draft.invalid(directive, 'expected server or client');
}

function readNetscapeType(draft: ProfileDraft, directive: Directive): void {
  const [type] = directive.args;
  if (type === 'server' || type === 'client') draft.profile.nsCertType = type;
  else draft.invalid(directive, 'expected server or client');
}

/** Masks in hex, any of them; none at all wants some key usage, whichever it is. */
function readKeyUsage(draft: ProfileDraft, directive: Directive): void {
  const { args } = directive;
  const masks = args.map((text) => (/^(0x)?[0-9a-f]{1,4}$/i.test(text) ? parseInt(text, 16) : 0));
  if (masks.every((mask) => mask >= 1 && mask <= 0xff)) {
    draft.profile.remoteCertKu = Object.freeze(masks.length > 0 ? masks : [0]);
  } else draft.invalid(directive, 'expected hex masks of key usage bits, 01 to ff');
}

function readExtendedKeyUsage(draft: ProfileDraft, directive: Directive): void {
  const [name = ''] = directive.args;
  const oid = /^[0-2](\.[0-9]{1,20}){1,40}$/.test(name) ? name : EXTENDED_KEY_USAGE_OIDS.get(name);
  if (oid !== undefined) draft.profile.remoteCertEku = oid;
  else draft.invalid(directive, "expected an OID or OpenSSL's name of an extended key usage");
}

function readX509Name(draft: ProfileDraft, directive: Directive): void {
  const [value, type = 'subject'] = directive.args;
  if (value === undefined || value === '') draft.invalid(directive, 'expected a name');
  else if (isNameType(type)) draft.profile.verifyX509Name = Object.freeze({ type, value });
  else draft.invalid(directive, 'expected subject, name or name-prefix after the name');
}

function isNameType(text: string): text is X509NameCheck['type'] {
  return text === 'subject' || text === 'name' || text === 'name-prefix';
}

/** `x509-username-field` says which field verify-x509-name looks at; for a client, nothing else. */
function finishUsernameField(draft: ProfileDraft): void {
  const { usernameField, profile } = draft;
  const check = profile.verifyX509Name;
  if (usernameField === undefined) return;
  if (check === undefined || check.type === 'subject') {
    draft.ignore(usernameField, 'quiet', 'matters for verify-x509-name with name only');
    return;
  }
  const [name = '', ...others] = usernameField.args;
  // As OpenVPN: a name without a capital is meant in capitals.
  const oid = ATTRIBUTE_OIDS.get(/[A-Z]/.test(name) ? name : name.toUpperCase());
  if (oid === undefined || others.length > 0) {
    draft.refuse(usernameField, "expected OpenSSL's name of one attribute of a subject, as CN");
  } else profile.verifyX509Name = Object.freeze({ ...check, field: oid });
}
