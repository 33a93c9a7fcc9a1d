/** Most words that one line may hold. */
export const MAX_WORDS = 256;

/** The words of one line, or why it cannot be split. A problem never holds the line's content. */
export interface LineWords {
  readonly words: readonly string[];
  readonly problem: string | undefined;
}

/**
 * Splits one line as OpenVPN does, in a profile and in a pushed option alike:
 *
 *     blank            ends a word
 *     "…"              one word; a backslash escapes what follows
 *     '…'              one word, taken literally
 *     \\ \" \blank     outside '…': the character itself
 *     # or ;           where a word would begin: a comment to the end of the line
 */
export function splitLine(line: string): LineWords {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && isBlank(line.charCodeAt(at))) at += 1;
    const first = line[at];
    if (first === undefined || first === '#' || first === ';') break;
    if (words.length === MAX_WORDS) return failure(`more than ${MAX_WORDS} words`);
    const word = first === "'" ? literalWord(line, at) : escapedWord(line, at, first === '"');
    if (typeof word === 'string') return failure(word);
    words.push(word.text);
    at = word.end;
  }
  return { words, problem: undefined };
}

/** The words as one line that {@link splitLine} splits into the same words again. */
export function joinWords(words: readonly string[]): string {
  return words.map((word) => (PLAIN_WORD.test(word) ? word : quoted(word))).join(' ');
}

const PLAIN_WORD = /^[^\s"'\\#;][^\s"\\]*$/;

function quoted(word: string): string {
  return `"${word.replace(/[\\"]/g, '\\$&')}"`;
}

interface Word {
  readonly text: string;
  readonly end: number;
}

function literalWord(line: string, start: number): Word | string {
  const close = line.indexOf("'", start + 1);
  if (close < 0) return 'a quote is not closed';
  return { text: line.slice(start + 1, close), end: close + 1 };
}

function escapedWord(line: string, start: number, quoted: boolean): Word | string {
  let text = '';
  let at = quoted ? start + 1 : start;
  let copied = at;
  for (; at < line.length; at += 1) {
    const code = line.charCodeAt(at);
    if (code === BACKSLASH) {
      if (!isEscapable(line.charCodeAt(at + 1))) return 'a backslash must be doubled';
      text += line.slice(copied, at);
      at += 1;
      copied = at;
    } else if (quoted && code === QUOTE) {
      return { text: text + line.slice(copied, at), end: at + 1 };
    } else if (!quoted && isBlank(code)) {
      break;
    }
  }
  if (quoted) return 'a quote is not closed';
  return { text: text + line.slice(copied, at), end: at };
}

const BACKSLASH = 0x5c;
const QUOTE = 0x22;

/** Space, tab, vertical tab, form feed, carriage return. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || (code >= 0x0b && code <= 0x0d);
}

function isEscapable(code: number): boolean {
  return code === BACKSLASH || code === QUOTE || isBlank(code);
}

function failure(problem: string): LineWords {
  return { words: [], problem };
}
