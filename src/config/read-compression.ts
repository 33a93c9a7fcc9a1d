import { compressionChoice, FRAMING_ONLY } from './compression.ts';
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
  if (draft.compression === undefined) return;
  const { directive, choice } = draft.compression;
  draft.profile.compression = choice.framing;
  if (choice.framing === 'none') {
    draft.ignore(directive, 'quiet', 'is for a server: a client frames nothing for it');
  } else if (choice.compresses && draft.compressionForbidden) {
    draft.refuse(directive, 'allow-compression no forbids it');
  } else if (choice.compresses) {
    draft.ignore(directive, 'warn', FRAMING_ONLY);
  }
}

function readAllowCompression(draft: ProfileDraft, directive: Directive): void {
  const [policy] = directive.args;
  if (policy !== 'no' && policy !== 'asym' && policy !== 'yes') {
    draft.invalid(directive, 'expected no, asym or yes');
    return;
  }
  draft.compressionForbidden = policy === 'no';
  draft.ignore(directive, policy === 'no' ? 'quiet' : 'warn', 'nothing is ever compressed');
}
