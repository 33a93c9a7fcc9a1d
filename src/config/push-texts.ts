import { printable } from '../core/log.ts';
import type { PushDraft, PushReaders } from './push-draft.ts';

/** Most texts of one push that the program is told. */
export const MAX_ECHOES = 64;

/** Texts that mean something to the program only. */
export const PUSH_TEXTS: PushReaders = [
  ['echo', readEcho],
  ['parameter', readEcho],
];

/** A comma would end the option, so servers write it as `%2C`. What is told has at most 256 characters. */
function readEcho(draft: PushDraft, words: readonly string[]): void {
  if (draft.echoes.length >= MAX_ECHOES) draft.ignore(`at most ${MAX_ECHOES} texts are told`);
  else draft.echoes.push(printable(words.join(' ').replaceAll(/%2c/gi, ',')).slice(0, MAX_TEXT));
}

/** Longest text that is told. Unit: characters. */
const MAX_TEXT = 256;
