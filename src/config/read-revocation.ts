import type { Directive } from './ovpn-tokens.ts';
import { pemBlocks } from './pem.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';

/** `crl-verify`: which certificates are revoked, as of now. */
export const REVOCATION_READERS: DirectiveReaders = [['crl-verify', readCrlVerify]];

function readCrlVerify(draft: ProfileDraft, directive: Directive): void {
  const [, kind] = directive.args;
  if (kind === 'dir') readDirectory(draft, directive);
  else if (kind === undefined) readLists(draft, directive);
  else draft.invalid(directive, 'expected dir or nothing after the name');
}

/** A file's name is the decimal serial number of a certificate that is revoked; others do not count. */
function readDirectory(draft: ProfileDraft, directive: Directive): void {
  const names = draft.namesIn(directive)?.filter((name) => /^-?[0-9]+$/.test(name));
  if (names !== undefined) draft.profile.revokedSerials = Object.freeze(names);
}

function readLists(draft: ProfileDraft, directive: Directive): void {
  const text = draft.textOf(directive);
  if (text === undefined) return;
  const lists = pemBlocks(text).filter(({ label }) => label === 'X509 CRL');
  if (lists.length === 0) draft.invalid(directive, 'there is no PEM revocation list in it');
  else draft.profile.crl = lists.map((list) => list.text).join('');
}
