import type { Profile } from '../model/profile.ts';
import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';

/** Digests of certificates: the peer's own, and that of its authority. */
export const FINGERPRINT_READERS: DirectiveReaders = [
  ['peer-fingerprint', readFingerprints],
  ['verify-hash', readVerifyHash],
];

type CertificateDigest = Profile['verifyHashes'][number];

/** One fingerprint as an argument, or one a line in a block; later ones add to earlier ones. */
function readFingerprints(draft: ProfileDraft, directive: Directive): void {
  const digests = digestsOf(directive)?.filter(({ algorithm }) => algorithm === 'sha256');
  if (digests === undefined || digests.length < textsOf(directive).length) {
    draft.invalid(directive, 'expected SHA-256 fingerprints: 32 pairs of hex digits with colons');
    return;
  }
  const added = digests.map(({ digest }) => digest);
  draft.profile.peerFingerprints = [...draft.profile.peerFingerprints, ...added];
}

/** `verify-hash DIGEST [SHA1|SHA256]` or a block; without a name, the length tells which it is. */
function readVerifyHash(draft: ProfileDraft, directive: Directive): void {
  const [, name] = directive.args;
  const algorithm = name?.toLowerCase();
  if (name !== undefined && algorithm !== 'sha1' && algorithm !== 'sha256') {
    draft.refuse(directive, 'expected SHA1 or SHA256 after the digest');
    return;
  }
  const digests = digestsOf(directive);
  if (digests?.every((own) => name === undefined || own.algorithm === algorithm) !== true) {
    draft.invalid(
      directive,
      'expected SHA-1 or SHA-256 digests: 20 or 32 pairs of hex digits with colons',
    );
    return;
  }
  draft.profile.verifyHashes = Object.freeze([...draft.profile.verifyHashes, ...digests]);
}

/** undefined when one of them is none, or there is none at all. */
function digestsOf(directive: Directive): readonly CertificateDigest[] | undefined {
  const texts = textsOf(directive);
  const digests = texts.map(digestOf).filter((digest) => digest !== undefined);
  return digests.length < texts.length || digests.length === 0 ? undefined : digests;
}

function textsOf({ block, args }: Directive): readonly string[] {
  const lines = block?.split('\n') ?? [args[0] ?? ''];
  return lines.map((line) => line.trim()).filter((line) => !isCommentOrBlank(line));
}

function isCommentOrBlank(line: string): boolean {
  return line === '' || line.startsWith('#') || line.startsWith(';');
}

function digestOf(text: string): CertificateDigest | undefined {
  if (!/^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){19,31}$/.test(text)) return undefined;
  const digest = Buffer.from(text.replaceAll(':', ''), 'hex');
  if (digest.length === 20) return Object.freeze({ algorithm: 'sha1', digest });
  return digest.length === 32 ? Object.freeze({ algorithm: 'sha256', digest }) : undefined;
}
