import { compressionChoice } from './compression.ts';
import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';

/** The framing of compression, and whether a compressor may be named. */
export const COMPRESSION_READERS: DirectiveReaders = [
  [
    'compress',
    (draft, directive) => {
      const choice = compressionChoice('compress', directive.args[0]);
      if (choice !== undefined) draft.compression = { directive, choice };
      else draft.invalid(directive, 'expected stub, stub-v2, lz4, lz4-v2, lzo, migrate or nothing');
    },
  ],
  [
    'comp-lzo',
    (draft, directive) => {
      const choice = compressionChoice('comp-lzo', directive.args[0]);
      if (choice !== undefined) draft.compression = { directive, choice };
      else draft.invalid(directive, 'expected yes, no, adaptive or nothing');
    },
  ],
  ['allow-compression', readAllowCompression],
];

/** Takes the framing, and tells of a compressor that will not be used. */
export function finishCompression(draft: ProfileDraft): void {
  const { compressionPolicy: policy, compatMode } = draft;
  const { directive, choice } = draft.compression ?? {};
  const names = choice?.compresses === true;
  draft.profile.compression = choice?.framing ?? draft.profile.compression;
  draft.profile.allowDecompression =
    policy === undefined
      ? names || (compatMode !== undefined && compatMode < 2_06_00)
      : policy !== 'no';
  if (directive === undefined) return;
  if (choice?.framing === 'none') {
    draft.ignore(directive, 'quiet', 'is for a server: a client frames nothing for it');
  } else if (names && policy === 'no') {
    draft.refuse(directive, 'allow-compression no forbids it');
  } else if (names) {
    draft.ignore(directive, 'warn', ONE_WAY);
  }
}

function readAllowCompression(draft: ProfileDraft, directive: Directive): void {
  const [policy] = directive.args;
  if (policy !== 'no' && policy !== 'asym' && policy !== 'yes') {
    draft.invalid(directive, 'expected no, asym or yes');
    return;
  }
  draft.compressionPolicy = policy;
  if (policy === 'yes') draft.ignore(directive, 'warn', ONE_WAY);
}

const ONE_WAY = 'nothing is ever compressed; what comes compressed is opened';
