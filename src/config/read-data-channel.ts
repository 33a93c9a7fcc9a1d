import { DATA_CIPHERS, DEFAULT_DATA_CIPHERS } from '../model/ciphers.ts';
import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';

/** Ciphers, sizes and the replay window. */
export const DATA_CHANNEL_READERS: DirectiveReaders = [
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
  ['tun-mtu', readTunMtu],
  ['mssfix', readMssfix],
  ['replay-window', readReplayWindow],
];

/** Decides which ciphers are offered, once `cipher` and `data-ciphers` have both been read. */
export function finishDataCiphers(draft: ProfileDraft): void {
  const { cipher, dataCiphers } = draft;
  const single = (cipher?.args[0] ?? '').toUpperCase();
  if (cipher !== undefined && single === '') draft.invalid(cipher, 'expected the name of a cipher');
  checkKeysize(draft, single);
  if (dataCiphers !== undefined) {
    draft.profile.dataCiphers = listedCiphers(draft, dataCiphers);
    if (cipher !== undefined) draft.ignore(cipher, 'quiet', `${dataCiphers.name} decides`);
  } else if (cipher !== undefined && DATA_CIPHERS.has(single)) {
    const others = draft.ncpDisabled ? [] : DEFAULT_DATA_CIPHERS;
    draft.profile.dataCiphers = others.includes(single) ? others : [...others, single];
  } else if (cipher !== undefined && draft.ncpDisabled) {
    draft.refuse(cipher, 'is the only cipher that ncp-disable leaves, and is not supported yet');
  } else if (cipher !== undefined && single !== '') {
    draft.ignore(cipher, 'warn', whyNotOffered(single));
  }
}

function listedCiphers(draft: ProfileDraft, directive: Directive): readonly string[] {
  const names = (directive.args[0] ?? '')
    .toUpperCase()
    .split(':')
    .map((name) => (name.startsWith('?') ? name.slice(1) : name))
    .flatMap((name) => (name === 'DEFAULT' ? DEFAULT_DATA_CIPHERS : [name]));
  if (names.includes('NONE')) {
    draft.refuse(directive, 'none would send data in the clear');
    return [];
  }
  const offered = new Set<string>();
  for (const name of names) {
    if (DATA_CIPHERS.has(name)) offered.add(name);
    else if (isCipherName(name)) draft.ignore(directive, 'quiet', whyNotOffered(name));
    else draft.invalid(directive, 'expected names of ciphers, separated by colons');
  }
  if (offered.size === 0) draft.refuse(directive, 'none of these ciphers is supported yet');
  return [...offered];
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

function whyNotOffered(name: string): string {
  if (name === 'NONE') return 'data is never sent in the clear';
  if (SHORT_BLOCKS.test(name)) return `${name} has 64-bit blocks and is never offered`;
  return isCipherName(name) ? `${name} is not supported yet` : 'is not the name of a cipher';
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
  if (DIGESTS.has(name)) draft.profile.auth = name;
  else draft.refuse(directive, 'expected a digest such as SHA256');
}

/** `none` is harmless here: with the ciphers that we have no packet depends on the digest. */
const DIGESTS: ReadonlySet<string> = new Set([
  'BLAKE2B512',
  'BLAKE2S256',
  'MD5',
  'NONE',
  'RIPEMD160',
  'RSA-MD5',
  'RSA-SHA1',
  'RSA-SHA256',
  'RSA-SHA512',
  'SHA1',
  'SHA224',
  'SHA256',
  'SHA384',
  'SHA512',
  'SHA512-256',
  'SHA3-256',
  'SHA3-384',
  'SHA3-512',
]);

function readTunMtu(draft: ProfileDraft, directive: Directive): void {
  draft.profile.tunMtu = draft.numberOf(directive, 0, 576, 9000) ?? draft.profile.tunMtu;
}

/** `mssfix max mtu` counts IP and UDP headers, `mssfix max` does not, `fixed` is the inner packet. */
function readMssfix(draft: ProfileDraft, directive: Directive): void {
  const [, mode] = directive.args;
  if (directive.args.length === 0) return;
  const max = draft.numberOf(directive, 0, 0, 65_535);
  if (max === undefined) return;
  if (max === 0 || mode === 'mtu') draft.profile.mssfix = max;
  else if (mode === undefined) draft.profile.mssfix = max + IP_AND_UDP_HEADER;
  else if (mode === 'fixed') draft.profile.mssfix = max + IP_AND_UDP_HEADER + AEAD_OVERHEAD;
  else draft.invalid(directive, 'expected mtu or fixed after the size');
}

const IP_AND_UDP_HEADER = 28;
/** Opcode and peer id, packet id, tag. */
const AEAD_OVERHEAD = 24;

function readReplayWindow(draft: ProfileDraft, directive: Directive): void {
  const packets = draft.numberOf(directive, 0, 0, 65_536);
  const seconds = directive.args.length < 2 ? 15 : draft.numberOf(directive, 1, 0, 600);
  if (packets === undefined || seconds === undefined) return;
  draft.profile.replayWindow = Object.freeze({ packets, ms: seconds * 1000 });
}
