import tls from 'node:tls';
import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';
import { isWeakSuite, openSslSuite, tls13Suite } from './tls-suites.ts';

/** What TLS may use: versions, suites, groups, keys and signatures of certificates. */
export const TLS_CHOICE_READERS: DirectiveReaders = [
  ['tls-version-min', readVersionMin],
  ['tls-version-max', readVersionMax],
  ['tls-cipher', readCipher],
  ['tls-ciphersuites', readCiphersuites],
  ['tls-cert-profile', readCertProfile],
  ['tls-groups', readGroups],
  [
    'ecdh-curve',
    (draft, directive) => draft.ignore(directive, 'quiet', 'is for a server: tls-groups counts'),
  ],
];

/** Joins what several directives say of one thing, once everything has been read. */
export function finishTlsChoices(draft: ProfileDraft): void {
  const { profile, tlsVersion, certProfile } = draft;
  if (tlsVersion !== undefined && profile.tlsVersionMin > profile.tlsVersionMax) {
    draft.invalid(tlsVersion, 'tls-version-min is above tls-version-max');
  }
  if (certProfile === undefined) return;
  const { directive, level } = certProfile;
  if (level === SUITE_B) {
    if (profile.tlsCipher !== undefined) {
      draft.ignore(
        directive,
        'warn',
        'suiteb has its own list of ciphers: that of tls-cipher is not used',
      );
    }
    profile.tlsCipher = SUITE_B;
  } else if (profile.tlsCipher?.includes('@SECLEVEL=') !== true) {
    profile.tlsCipher = `${profile.tlsCipher ?? NODE_CIPHERS}:${level}`;
  }
}

/** Node's suites of TLS up to 1.2. */
const NODE_CIPHERS = tls.DEFAULT_CIPHERS.split(':')
  .filter((name) => !name.startsWith('TLS_'))
  .join(':');

/** A list of its own, with which OpenSSL also limits groups, signatures and certificates (RFC 6460). */
const SUITE_B = 'SUITEB128';

/** `tls-cert-profile` as rules of OpenSSL. A level in `tls-cipher` itself comes before `legacy` and `preferred`. */
const CERT_PROFILES: ReadonlyMap<string, string> = new Map([
  ['legacy', '@SECLEVEL=1'],
  ['preferred', '@SECLEVEL=2'],
  ['suiteb', SUITE_B],
]);

function readVersionMin(draft: ProfileDraft, directive: Directive): void {
  const [version, orHighest] = directive.args;
  draft.tlsVersion = directive;
  if (orHighest !== undefined && orHighest !== 'or-highest') {
    draft.invalid(directive, 'expected or-highest or nothing after the version');
  } else if (version === '1.2' || version === '1.3') {
    draft.profile.tlsVersionMin = version;
  } else if (orHighest === 'or-highest' && !OLD_TLS.has(version ?? '')) {
    draft.profile.tlsVersionMin = '1.3';
  } else if (OLD_TLS.has(version ?? '')) {
    draft.profile.tlsVersionMin = '1.2';
    draft.ignore(directive, 'warn', 'TLS before 1.2 is never spoken');
  } else {
    draft.refuse(directive, 'expected 1.2 or 1.3');
  }
}

/** `or-highest` is for versions that are not known yet. */
const OLD_TLS: ReadonlySet<string> = new Set(['1.0', '1.1']);

function readVersionMax(draft: ProfileDraft, directive: Directive): void {
  const [version] = directive.args;
  draft.tlsVersion = directive;
  if (version === '1.2' || version === '1.3') draft.profile.tlsVersionMax = version;
  else draft.refuse(directive, 'expected 1.2 or 1.3: older TLS is never spoken');
}

/** Most names of one list. */
const MAX_NAMES = 256;

/** The names of a list; undefined, with a problem, when there are none or too many. */
function namesOf(draft: ProfileDraft, directive: Directive): readonly string[] | undefined {
  const names = (directive.args[0] ?? '').split(':').filter((name) => name !== '');
  if (names.length > 0 && names.length <= MAX_NAMES) return names;
  draft.invalid(directive, `expected 1 to ${MAX_NAMES} names with colons between`);
  return undefined;
}

function warnOfUnknown(draft: ProfileDraft, directive: Directive, unknown: number): void {
  if (unknown === 0) return;
  const those = unknown === 1 ? 'one of its names is' : `${unknown} of its names are`;
  draft.ignore(directive, 'warn', `${those} unknown to Node's OpenSSL and left out`);
}

function readCipher(draft: ProfileDraft, directive: Directive): void {
  const names = namesOf(draft, directive);
  if (names === undefined) return;
  const rules = names.map(ruleOf);
  if (rules.some((rule) => rule === 'weak')) {
    draft.refuse(directive, 'names a TLS cipher without encryption, authentication or strength');
    return;
  }
  const known = rules.filter((rule) => rule !== undefined);
  warnOfUnknown(draft, directive, rules.length - known.length);
  // `ALL` and `HIGH` of OpenSSL have ciphers without authentication among theirs.
  const list = [...known, ...NEVER].join(':');
  if (canBeUsed({ ciphers: list, maxVersion: 'TLSv1.2' })) draft.profile.tlsCipher = list;
  else draft.refuse(directive, "none of its ciphers is among those of Node's OpenSSL");
}

const NEVER: readonly string[] = ['!aNULL', '!eNULL', '!EXPORT', '!RC4'];

/** A name or a rule of OpenSSL in its own spelling; undefined for a name that is none. */
function ruleOf(text: string): string | undefined {
  if (text === '@STRENGTH') return text;
  const level = /^(?:(.*[^:])?)@SECLEVEL=(\d)$/.exec(text);
  if (level !== null) {
    const [, name, digit] = level;
    if (digit === '0') return 'weak';
    const rule = name === undefined ? '' : ruleOf(name);
    return rule === 'weak' ? rule : [rule, `@SECLEVEL=${digit}`].filter(Boolean).join(':');
  }
  const [operator = ''] = /^[!+-]/.exec(text) ?? [];
  const name = text.slice(operator.length);
  if (operator === '' && isWeakSuite(name)) return 'weak';
  const suite = openSslSuite(name);
  return suite && operator + suite;
}

function readCiphersuites(draft: ProfileDraft, directive: Directive): void {
  const names = namesOf(draft, directive);
  if (names === undefined) return;
  if (names.some(isWeakSuite)) {
    draft.refuse(directive, 'names a TLS cipher without encryption, authentication or strength');
    return;
  }
  const known = names.map(tls13Suite).filter((name) => name !== undefined);
  warnOfUnknown(draft, directive, names.length - known.length);
  if (known.length > 0) draft.profile.tlsCiphersuites = known.join(':');
  else draft.refuse(directive, "none of its ciphers is among those of Node's OpenSSL");
}

function readGroups(draft: ProfileDraft, directive: Directive): void {
  const names = namesOf(draft, directive);
  if (names === undefined) return;
  const known = names.map(groupOf).filter((name) => name !== undefined);
  warnOfUnknown(draft, directive, names.length - known.length);
  if (known.length > 0) draft.profile.tlsGroups = known.join(':');
  else draft.refuse(directive, "none of its groups is among those of Node's OpenSSL");
}

/** The group as this OpenSSL spells it; undefined for one that it has not. */
function groupOf(name: string): string | undefined {
  if (!/^[A-Za-z0-9_-]{2,32}$/.test(name) || name.toLowerCase() === 'auto') return undefined;
  const spellings = [name, name.toLowerCase(), name.toUpperCase()];
  return spellings.find((ecdhCurve) => canBeUsed({ ecdhCurve }));
}

function canBeUsed(options: tls.SecureContextOptions): boolean {
  try {
    tls.createSecureContext({ ca: [], ...options });
    return true;
  } catch {
    return false;
  }
}

function readCertProfile(draft: ProfileDraft, directive: Directive): void {
  const level = CERT_PROFILES.get(directive.args[0] ?? '');
  if (level !== undefined) draft.certProfile = { directive, level };
  else draft.refuse(directive, 'expected legacy, preferred or suiteb');
}
