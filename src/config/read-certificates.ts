import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Secret } from '../core/secret.ts';
import type { Directive } from './ovpn-tokens.ts';
import { pemBlocks } from './pem.ts';
import { openPkcs12 } from './pkcs12.ts';
import { PKCS12_WITHOUT_CA, pkcs12Identity } from './pkcs12-identity.ts';
import { belongTogether, isEncryptedKey, privateKeyBlock, readableKey } from './private-key.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';
import { MAX_CREDENTIAL_BYTES } from './user-password.ts';

/** Certificates and keys, inline or by file. */
export const CERTIFICATE_READERS: DirectiveReaders = [
  [
    'ca',
    (draft, directive) => {
      draft.profile.ca = certificatesOf(draft, directive) ?? draft.profile.ca;
    },
  ],
  [
    'cert',
    (draft, directive) => {
      draft.profile.cert = certificatesOf(draft, directive) ?? draft.profile.cert;
    },
  ],
  [
    'extra-certs',
    (draft, directive) => {
      draft.extraCerts = certificatesOf(draft, directive) ?? draft.extraCerts;
    },
  ],
  ['key', readKey],
  ['pkcs12', readPkcs12],
  ['askpass', readAskpass],
];

/** Looks whether certificate, key and authority fit together, once everything has been read. */
export function finishCertificates(draft: ProfileDraft): void {
  const { profile, seen } = draft;
  if (seen.has('pkcs12')) finishPkcs12(draft);
  else if (seen.has('cert') !== seen.has('key')) {
    draft.missing(seen.has('key') ? 'key without cert' : 'cert without key');
  } else if (!seen.has('cert') && !hasOtherIdentity(draft)) {
    draft.missing(
      'neither cert and key nor auth-user-pass: add what the server asks for, or ' +
        'setenv CLIENT_CERT 0 where it asks for nothing',
    );
  }
  if (!['ca', 'peer-fingerprint', 'pkcs12'].some((name) => seen.has(name))) {
    draft.missing('neither ca nor peer-fingerprint: the server could not be recognised');
  }
  const { cert, key, pkcs12 } = profile;
  const opened = key && readableKey(key);
  if (cert !== undefined && opened !== undefined && !belongTogether(cert, opened)) {
    draft.missing('the key does not belong to the certificate');
  }
  if (cert !== undefined || pkcs12 !== undefined) {
    profile.cert = `${cert ?? ''}${draft.extraCerts ?? ''}` || undefined;
  }
  const isLocked = pkcs12 !== undefined || (key !== undefined && opened === undefined);
  profile.needsKeyPassphrase = isLocked && profile.keyPassphrase === undefined;
}

/** A password is one; `setenv CLIENT_CERT 0` says that the server asks for none. */
function hasOtherIdentity({ seen, certificateless }: ProfileDraft): boolean {
  return certificateless || seen.has('auth-user-pass');
}

function finishPkcs12(draft: ProfileDraft): void {
  const { profile, seen, pkcs12Authorities } = draft;
  for (const name of ['cert', 'key'].filter((own) => seen.has(own))) {
    draft.missing(`${name} beside pkcs12, which has its own`);
  }
  if (!seen.has('ca')) profile.ca = pkcs12Authorities;
  const isOpen = profile.cert !== undefined;
  if (isOpen && profile.ca === undefined && !seen.has('ca') && !seen.has('peer-fingerprint')) {
    draft.missing(PKCS12_WITHOUT_CA);
  }
}

function certificatesOf(draft: ProfileDraft, directive: Directive): string | undefined {
  const text = draft.textOf(directive);
  if (text === undefined) return undefined;
  const blocks = pemBlocks(text).filter(({ label }) => CERTIFICATE_LABELS.has(label));
  if (blocks.length === 0) {
    draft.invalid(directive, 'there is no PEM certificate in it');
    return undefined;
  }
  const certificates: string[] = [];
  for (const [index, block] of blocks.entries()) {
    try {
      certificates.push(new X509Certificate(block.text).toString());
    } catch {
      draft.invalid(directive, `certificate ${index + 1} cannot be read`);
      return undefined;
    }
  }
  return certificates.join('');
}

const CERTIFICATE_LABELS: ReadonlySet<string> = new Set([
  'CERTIFICATE',
  'TRUSTED CERTIFICATE',
  'X509 CERTIFICATE',
]);

function readKey(draft: ProfileDraft, directive: Directive): void {
  const text = draft.textOf(directive);
  if (text === undefined) return;
  const block = privateKeyBlock(text);
  if (block === undefined) {
    draft.invalid(directive, 'there is no PEM private key in it');
    return;
  }
  try {
    if (!isEncryptedKey(block)) createPrivateKey(block.text);
    draft.profile.key = new Secret(block.text);
  } catch {
    draft.invalid(directive, 'the private key cannot be read');
  }
}

/** Many files have no passphrase; the others stay as they are until one is there. */
function readPkcs12(draft: ProfileDraft, directive: Directive): void {
  const file = draft.bytesOf(directive);
  if (file === undefined) return;
  const contents = openPkcs12(file, '');
  if ('locked' in contents) {
    if (contents.locked === 'unreadable') draft.invalid(directive, contents.reason);
    else draft.profile.pkcs12 = new Secret(file);
    return;
  }
  const identity = pkcs12Identity(contents);
  if ('locked' in identity) draft.invalid(directive, identity.reason);
  else {
    const { cert, key, authorities } = identity;
    Object.assign(draft.profile, { cert, key });
    draft.pkcs12Authorities = authorities;
  }
}

/** The passphrase is the first line of a file; without a file, it is asked for. */
function readAskpass(draft: ProfileDraft, directive: Directive): void {
  const [name] = directive.args;
  if (name === undefined || name === 'stdin') return;
  const text = draft.privateTextOf(directive);
  if (text === undefined) return;
  const [passphrase = ''] = text.split(/\r?\n/, 1);
  if (passphrase === '' || Buffer.byteLength(passphrase) > MAX_CREDENTIAL_BYTES) {
    draft.invalid(directive, 'expected a passphrase in the first line of the file');
  } else draft.profile.keyPassphrase = new Secret(passphrase);
}
