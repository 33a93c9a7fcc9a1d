import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Secret } from '../core/secret.ts';
import type { Directive } from './ovpn-tokens.ts';
import { pemBlocks } from './pem.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';

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
  ['crl-verify', readCrl],
];

/** Looks whether certificate, key and authority fit together, once everything has been read. */
export function finishCertificates(draft: ProfileDraft): void {
  const { profile, seen } = draft;
  const { cert, key } = profile;
  if (!seen.has('ca') && !seen.has('peer-fingerprint')) {
    draft.missing('neither ca nor peer-fingerprint: the server could not be recognised');
  }
  if (seen.has('cert') !== seen.has('key')) {
    draft.missing(seen.has('key') ? 'key without cert' : 'cert without key');
  }
  if (!seen.has('cert') && !seen.has('key') && !hasOtherIdentity(draft)) {
    draft.missing(
      'neither cert and key nor auth-user-pass: add what the server asks for, or ' +
        'setenv CLIENT_CERT 0 where it asks for nothing',
    );
  }
  if (cert !== undefined && key !== undefined && !belongTogether(cert, key)) {
    draft.missing('the key does not belong to the certificate');
  }
  if (cert !== undefined && draft.extraCerts !== undefined) profile.cert = cert + draft.extraCerts;
}

/** A password is one; `setenv CLIENT_CERT 0` says that the server asks for none. */
function hasOtherIdentity({ seen, certificateless }: ProfileDraft): boolean {
  return certificateless || seen.has('auth-user-pass') || seen.has('pkcs12');
}

function belongTogether(cert: string, key: Secret): boolean {
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key.reveal()));
}

function certificatesOf(draft: ProfileDraft, directive: Directive): string | undefined {
  const text = draft.textOf(directive);
  if (text === undefined) return undefined;
  const blocks = pemBlocks(text).filter(({ label }) => CERTIFICATE_LABELS.has(label));
  if (blocks.length === 0) {
    draft.invalid(directive, 'there is no PEM certificate in it');
    return undefined;
  }
  for (const [index, block] of blocks.entries()) {
    try {
      new X509Certificate(block.text);
    } catch {
      draft.invalid(directive, `certificate ${index + 1} cannot be read`);
      return undefined;
    }
  }
  return blocks.map((block) => block.text).join('');
}

const CERTIFICATE_LABELS: ReadonlySet<string> = new Set([
  'CERTIFICATE',
  'TRUSTED CERTIFICATE',
  'X509 CERTIFICATE',
]);

function readCrl(draft: ProfileDraft, directive: Directive): void {
  if (directive.args[1] === 'dir') {
    draft.refuse(directive, 'a directory of serial numbers is not supported: name a file of CRLs');
    return;
  }
  const text = draft.textOf(directive);
  if (text === undefined) return;
  const lists = pemBlocks(text).filter(({ label }) => label === 'X509 CRL');
  if (lists.length === 0) draft.invalid(directive, 'there is no PEM revocation list in it');
  else draft.profile.crl = lists.map((list) => list.text).join('');
}

function readKey(draft: ProfileDraft, directive: Directive): void {
  const text = draft.textOf(directive);
  if (text === undefined) return;
  const block = pemBlocks(text).find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) {
    draft.invalid(directive, 'there is no PEM private key in it');
    return;
  }
  if (block.label === 'ENCRYPTED PRIVATE KEY' || block.text.includes('\nProc-Type: 4,ENCRYPTED')) {
    draft.refuse(directive, 'an encrypted private key is not supported yet');
    return;
  }
  try {
    createPrivateKey(block.text);
    draft.profile.key = new Secret(block.text);
  } catch {
    draft.invalid(directive, 'the private key cannot be read');
  }
}
