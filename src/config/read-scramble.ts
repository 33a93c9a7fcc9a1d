import { Secret } from '../core/secret.ts';
import type { Scramble } from '../model/profile.ts';
import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';

/** Longest key of `scramble`. Unit: bytes. */
export const MAX_SCRAMBLE_KEY_BYTES = 256;

/** Tunnelblick's disguise of outer packets. */
export const SCRAMBLE_READERS: DirectiveReaders = [['scramble', readScramble]];

/** `scramble xormask|obfuscate KEY`, `scramble xorptrpos|reverse`; a key alone is for `xormask`. */
function readScramble(draft: ProfileDraft, directive: Directive): void {
  const [mode = '', key = ''] = directive.args;
  if (mode === 'xorptrpos' || mode === 'reverse') setScramble(draft, directive, mode, undefined);
  else if (mode === 'xormask' || mode === 'obfuscate') setScramble(draft, directive, mode, key);
  else setScramble(draft, directive, 'xormask', mode);
}

function setScramble(
  draft: ProfileDraft,
  directive: Directive,
  mode: Scramble['mode'],
  text: string | undefined,
): void {
  const key = text === undefined ? undefined : Buffer.from(text);
  if (key !== undefined && (key.length === 0 || key.length > MAX_SCRAMBLE_KEY_BYTES)) {
    draft.invalid(directive, `expected a key of 1 to ${MAX_SCRAMBLE_KEY_BYTES} bytes`);
    return;
  }
  draft.profile.scramble = Object.freeze({ mode, key: key && new Secret(key) });
}
