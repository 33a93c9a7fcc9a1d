import type { X509NameCheck } from '../model/profile.ts';
import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';

/** What the server's certificate and its TLS must be like. */
export const PEER_CHECK_READERS: DirectiveReaders = [
  ['remote-cert-tls', readRemoteCertTls],
  ['verify-x509-name', readX509Name],
  ['peer-fingerprint', readFingerprints],
  ['tls-version-min', readTlsVersionMin],
  ['tls-version-max', readTlsVersionMax],
  ['tls-cipher', readTlsCipher],
  ['tls-ciphersuites', readTlsCipher],
  ['tls-cert-profile', readCertProfile],
  ['x509-username-field', readUsernameField],
];

/** Tells of a profile that would take any certificate of its authority for the server's. */
export function finishPeerChecks(draft: ProfileDraft): void {
  const { remoteCertTls, verifyX509Name, peerFingerprints } = draft.profile;
  if (
    remoteCertTls === undefined &&
    verifyX509Name === undefined &&
    peerFingerprints.length === 0
  ) {
    draft.ignored.push({
      directive: 'remote-cert-tls',
      line: 0,
      reason:
        'is not in the profile, nor are verify-x509-name or peer-fingerprint: any certificate ' +
        'of the same authority could pass for the server',
      level: 'warn',
    });
  }
  const { tlsVersionMin, tlsVersionMax } = draft.profile;
  if (draft.tlsVersion !== undefined && tlsVersionMin > tlsVersionMax) {
    draft.invalid(draft.tlsVersion, 'tls-version-min is above tls-version-max');
  }
}

function readRemoteCertTls(draft: ProfileDraft, directive: Directive): void {
  const [purpose] = directive.args;
  if (purpose === 'server' || purpose === 'client') draft.profile.remoteCertTls = purpose;
  else draft.invalid(directive, 'expected server or client');
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

/** One fingerprint as an argument, or one a line in a block; later ones add to earlier ones. */
function readFingerprints(draft: ProfileDraft, directive: Directive): void {
  const lines = directive.block?.split('\n') ?? [directive.args[0] ?? ''];
  const texts = lines.map((line) => line.trim()).filter((line) => !isCommentOrBlank(line));
  const digests = texts.map(fingerprintOf).filter((digest) => digest !== undefined);
  if (digests.length < texts.length || digests.length === 0) {
    draft.invalid(directive, 'expected SHA-256 fingerprints: 32 pairs of hex digits with colons');
    return;
  }
  draft.profile.peerFingerprints = [...draft.profile.peerFingerprints, ...digests];
}

function isCommentOrBlank(line: string): boolean {
  return line === '' || line.startsWith('#') || line.startsWith(';');
}

function fingerprintOf(text: string): Buffer | undefined {
  if (!/^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31}$/.test(text)) return undefined;
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}

function readTlsVersionMin(draft: ProfileDraft, directive: Directive): void {
  const [version, orHighest] = directive.args;
  draft.tlsVersion = directive;
  if (orHighest !== undefined && orHighest !== 'or-highest') {
    draft.invalid(directive, 'expected or-highest or nothing after the version');
  } else if (version === '1.2' || version === '1.3') {
    draft.profile.tlsVersionMin = version;
  } else if (orHighest === 'or-highest' && !OLD_TLS.has(version ?? '')) {
    draft.profile.tlsVersionMin = '1.3';
  } else {
    draft.refuse(directive, 'expected 1.2 or 1.3: older TLS is never spoken');
  }
}

/** `or-highest` is for versions that are not known yet. */
const OLD_TLS: ReadonlySet<string> = new Set(['1.0', '1.1']);

function readTlsVersionMax(draft: ProfileDraft, directive: Directive): void {
  const [version] = directive.args;
  draft.tlsVersion = directive;
  if (version === '1.2' || version === '1.3') draft.profile.tlsVersionMax = version;
  else draft.refuse(directive, 'expected 1.2 or 1.3: older TLS is never spoken');
}

function readTlsCipher(draft: ProfileDraft, directive: Directive): void {
  const names = (directive.args[0] ?? '').toUpperCase().split(':');
  const wanted = names.filter((name) => name !== '' && !name.startsWith('!'));
  if (wanted.some((name) => WEAK_TLS.some((weak) => name.includes(weak)))) {
    draft.refuse(directive, 'names a TLS cipher without encryption, authentication or strength');
  } else draft.ignore(directive, 'warn', "Node's own list of TLS ciphers is offered");
}

/** In upper case; `!` before a name takes it out of OpenSSL's list. */
const WEAK_TLS: readonly string[] = ['NULL', 'EXP', 'RC4', '@SECLEVEL=0', 'ADH', 'AECDH'];

function readCertProfile(draft: ProfileDraft, directive: Directive): void {
  const [profile] = directive.args;
  if (profile === 'legacy') draft.ignore(directive, 'quiet', "is OpenSSL's own rule");
  else if (profile === 'preferred') {
    draft.ignore(directive, 'warn', "OpenSSL's own rule for signatures and key sizes is used");
  } else draft.refuse(directive, 'expected legacy or preferred');
}

function readUsernameField(draft: ProfileDraft, directive: Directive): void {
  if (directive.args.length === 1 && directive.args[0] === 'CN') {
    draft.ignore(directive, 'quiet', 'CN is the field that is used anyway');
  } else draft.refuse(directive, 'a field other than CN is not supported yet');
}
