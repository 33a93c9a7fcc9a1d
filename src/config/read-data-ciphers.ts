import { DATA_CIPHERS, DEFAULT_DATA_CIPHERS } from '../model/ciphers.ts';
import { DIGESTS } from '../model/digests.ts';
import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';

/** Ciphers and the digest beside them. */
export const DATA_CIPHER_READERS: DirectiveReaders = [
  [
    'cipher',
    (draft, directive) => {
      draft.cipher = directive;
    },
  ],
  [
    'data-ciphers',
    (draft, directive) => {
      draft.dataCiphers = directive;
    },
  ],
  [
    'ncp-ciphers',
    (draft, directive) => {
      draft.dataCiphers = directive;
    },
  ],
  ['data-ciphers-fallback', readFallback],
  ['ncp-disable', readNcpDisable],
  [
    'keysize',
    (draft, directive) => {
      draft.keysize = directive;
    },
  ],
  ['auth', readAuth],
];

/** Decides which ciphers are offered, once `cipher` and `data-ciphers` have both been read. */
export function finishDataCiphers(draft: ProfileDraft): void {
  const { cipher, profile } = draft;
  const single = (cipher?.args[0] ?? '').toUpperCase();
  checkKeysize(draft, single);
  if (draft.dataCiphers !== undefined)
    profile.dataCiphers = listedCiphers(draft, draft.dataCiphers);
  if (cipher !== undefined && !isCipherName(single)) {
    draft.invalid(cipher, 'expected the name of a cipher');
  } else if (cipher !== undefined) {
    applyCipher(draft, cipher, single);
  }
  checkAuth(draft);
}

/**
 * A lone `cipher` joins the default list, as with OpenVPN's `compat-mode 2.4`; beside a list it
 * only is what the options string names.
 */
function applyCipher(draft: ProfileDraft, directive: Directive, cipher: string): void {
  const { dataCiphers, ncpDisabled, profile } = draft;
  const isOurs = DATA_CIPHERS.has(cipher);
  // A server of before 2.4 names no cipher in its push.
  if (isOurs && draft.compatMode !== undefined && draft.compatMode < 2_04_00) {
    profile.dataCiphersFallback ??= cipher;
  }
  if (isOurs && ncpDisabled) {
    profile.dataCiphers = [cipher];
  } else if (isOurs && dataCiphers === undefined && !profile.dataCiphers.includes(cipher)) {
    profile.dataCiphers = [...profile.dataCiphers, cipher];
  }
  if (profile.dataCiphers.includes(cipher) || profile.dataCiphersFallback === cipher) {
    profile.cipher = cipher;
  } else if (dataCiphers !== undefined) {
    draft.ignore(directive, 'quiet', `${dataCiphers.name} decides`);
  } else if (ncpDisabled) {
    draft.refuse(directive, 'is the only cipher that ncp-disable leaves, and is not supported');
  } else {
    draft.ignore(directive, 'warn', whyNotOffered(cipher));
  }
}

function listedCiphers(draft: ProfileDraft, directive: Directive): readonly string[] {
  const texts = (directive.args[0] ?? '').toUpperCase().split(':', MAX_LISTED_CIPHERS + 1);
  const names = texts
    .map((text) => (text.startsWith('?') ? text.slice(1) : text))
    .flatMap((name) => (name === 'DEFAULT' ? DEFAULT_DATA_CIPHERS : [name]));
  if (texts.length > MAX_LISTED_CIPHERS) {
    draft.invalid(directive, `more than ${MAX_LISTED_CIPHERS} ciphers`);
  } else if (!names.every(isCipherName)) {
    draft.invalid(directive, 'expected names of ciphers, separated by colons');
  } else if (names.includes('NONE')) {
    draft.refuse(directive, 'none would send data in the clear');
  } else {
    return offeredOf(draft, directive, new Set(names));
  }
  return [];
}

/** Most names in one list. */
const MAX_LISTED_CIPHERS = 64;

function offeredOf(
  draft: ProfileDraft,
  directive: Directive,
  names: ReadonlySet<string>,
): readonly string[] {
  const offered: string[] = [];
  for (const name of names) {
    if (DATA_CIPHERS.has(name)) offered.push(name);
    else draft.ignore(directive, SHORT_BLOCKS.test(name) ? 'warn' : 'quiet', whyNotOffered(name));
  }
  if (offered.length === 0) draft.refuse(directive, 'none of these ciphers is supported');
  return offered;
}

function readFallback(draft: ProfileDraft, directive: Directive): void {
  const name = (directive.args[0] ?? '').toUpperCase();
  if (DATA_CIPHERS.has(name)) draft.profile.dataCiphersFallback = name;
  else if (isCipherName(name)) draft.ignore(directive, 'warn', whyNotOffered(name));
  else draft.invalid(directive, 'expected the name of a cipher');
}

function readNcpDisable(draft: ProfileDraft, directive: Directive): void {
  draft.ncpDisabled = true;
  draft.ignore(directive, 'warn', 'the one cipher that is named makes the list');
}

/** Of a text that {@link isCipherName}. */
function whyNotOffered(name: string): string {
  if (name === 'NONE') return 'data is never sent in the clear';
  if (SHORT_BLOCKS.test(name)) return `${name} has 64-bit blocks and is never offered`;
  return `${name} is not supported`;
}

const SHORT_BLOCKS = /^(BF|DES|CAST5|RC2|RC5|IDEA)-/;

function isCipherName(text: string): boolean {
  return /^[A-Z0-9-]{1,40}$/.test(text);
}

/** A key size of its own is refused; the cipher's own size, written out, changes nothing. */
function checkKeysize(draft: ProfileDraft, cipher: string): void {
  const { keysize } = draft;
  if (keysize === undefined) return;
  const fixed = cipher.startsWith('CHACHA20') ? '256' : /-(128|192|256)-/.exec(cipher)?.[1];
  if (fixed === undefined || keysize.args[0] === fixed) {
    draft.ignore(keysize, 'warn', 'the cipher has a key size of its own');
  } else draft.refuse(keysize, "differs from the cipher's own key size");
}

function readAuth(draft: ProfileDraft, directive: Directive): void {
  const name = (directive.args[0] ?? '').toUpperCase();
  const digest = name === 'NONE' ? name : DIGESTS.get(name)?.name;
  draft.auth = directive;
  if (digest !== undefined) draft.profile.auth = digest;
  else draft.refuse(directive, 'expected a digest such as SHA256');
}

/** Without a digest the packets of CBC ciphers could be forged; AEAD ciphers need none. */
function checkAuth(draft: ProfileDraft): void {
  const { auth, profile } = draft;
  if (auth === undefined || profile.auth !== 'NONE') return;
  const { dataCiphers, dataCiphersFallback: fallback } = profile;
  const offered = fallback === undefined ? dataCiphers : [...dataCiphers, fallback];
  const bare = offered.find((name) => DATA_CIPHERS.get(name)?.aead === false);
  if (bare !== undefined) draft.refuse(auth, `none leaves packets of ${bare} unauthenticated`);
}
