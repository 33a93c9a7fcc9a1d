import type { ConfigProblem } from '../core/errors.ts';
import { splitLine } from './line-words.ts';

/** Largest profile and largest file that a profile names. Unit: bytes. */
export const MAX_PROFILE_BYTES = 1_048_576;

/** Most directives of one profile. */
export const MAX_DIRECTIVES = 10_000;

/** Most problems that are told of one profile. */
export const MAX_PROBLEMS = 100;

/** One line of a profile, or one inline block. */
export interface Directive {
  /** As written, without a leading `--`. Not necessarily a name that exists. */
  readonly name: string;
  readonly args: readonly string[];
  /** 1-based; a block's is that of its opening tag. */
  readonly line: number;
  /** What stands between `<name>` and `</name>`, lines joined by `\n`; undefined for a line. */
  readonly block: string | undefined;
}

export interface TokenisedProfile {
  readonly directives: readonly Directive[];
  readonly problems: readonly ConfigProblem[];
}

/** Names that OpenVPN takes as `<name>` … `</name>`. */
export const BLOCK_NAMES: ReadonlySet<string> = new Set([
  'auth-gen-token-secret',
  'auth-user-pass',
  'ca',
  'cert',
  'connection',
  'crl-verify',
  'dh',
  'extra-certs',
  'http-proxy-user-pass',
  'key',
  'peer-fingerprint',
  'pkcs12',
  'secret',
  'tls-auth',
  'tls-crypt',
  'tls-crypt-v2',
  'verify-hash',
]);

/**
 * Cuts the text of a profile into directives: in time linear in its length, whatever it holds.
 * Line ends may be LF or CRLF, a byte order mark is skipped.
 *
 * @param firstLine the number of the text's first line, for a block inside a profile
 */
export function tokeniseProfile(text: string, firstLine = 1): TokenisedProfile {
  if (Buffer.byteLength(text) > MAX_PROFILE_BYTES) {
    return { directives: [], problems: [invalid(undefined, 'longer than 1 MiB')] };
  }
  const lines = (text.startsWith('\ufeff') ? text.slice(1) : text).split('\n');
  const directives: Directive[] = [];
  const problems: ConfigProblem[] = [];
  for (let index = 0; index < lines.length && problems.length < MAX_PROBLEMS; index += 1) {
    const line = withoutReturn(lines[index]);
    const number = firstLine + index;
    if (directives.length === MAX_DIRECTIVES) {
      problems.push(invalid(number, `more than ${MAX_DIRECTIVES} directives`));
      break;
    }
    const tag = tagOf(line);
    if (tag === undefined) {
      const directive = directiveOf(line, number);
      if (typeof directive === 'string') problems.push(invalid(number, directive));
      else if (directive !== undefined) directives.push(directive);
    } else if (tag.closes) {
      problems.push(invalid(number, 'a closing tag without its opening one'));
    } else {
      const end = endOfBlock(lines, index + 1, tag.name);
      const block = lines
        .slice(index + 1, end)
        .map(withoutReturn)
        .join('\n');
      directives.push({ name: tag.name, args: [], line: number, block });
      const close = tagOf(lines[end]);
      index = end;
      if (close?.closes !== true || close.name !== tag.name) {
        problems.push(invalid(number, 'the block is not closed'));
        index -= 1;
      }
    }
  }
  return { directives, problems };
}

function directiveOf(line: string, number: number): Directive | string | undefined {
  const { words, problem } = splitLine(line);
  if (problem !== undefined) return problem;
  const [first, ...args] = words;
  if (first === undefined) return undefined;
  if (hasControlCharacter(line)) return 'a control character';
  const name = first.startsWith('--') ? first.slice(2) : first;
  return { name, args, line: number, block: undefined };
}

/**
 * Where the block ends: its closing tag, the tag of another block, or the end of the text. Only a
 * `<connection>` may hold blocks; where its closing tag is missing, it ends like the others.
 */
function endOfBlock(lines: readonly string[], from: number, name: string): number {
  let end = lines.length;
  for (let index = from; index < lines.length; index += 1) {
    const tag = tagOf(lines[index]);
    if (tag === undefined) continue;
    if (tag.name === name) return tag.closes || end === lines.length ? index : end;
    if (!BLOCK_NAMES.has(tag.name)) continue;
    if (name !== 'connection') return index;
    if (end === lines.length) end = index;
  }
  return end;
}

interface Tag {
  readonly name: string;
  readonly closes: boolean;
}

/** `<name>` or `</name>` alone on its line; blanks around it and a comment do not count. */
function tagOf(line: string | undefined): Tag | undefined {
  if (line === undefined || !line.includes('<')) return undefined;
  const [, slash, name] = TAG.exec(line) ?? [];
  return name === undefined ? undefined : { name, closes: slash === '/' };
}

const TAG = /^\s{0,64}<(\/?)([a-z0-9-]{1,64})>(?:\s{0,64}|\s[ \t]{0,64}[#;].*)$/;

function withoutReturn(line: string | undefined): string {
  if (line === undefined) return '';
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function hasControlCharacter(line: string): boolean {
  for (let at = 0; at < line.length; at += 1) {
    const code = line.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}

function invalid(line: number | undefined, message: string): ConfigProblem {
  return { code: 'OVPN_CONFIG_INVALID', message, ...(line === undefined ? {} : { line }) };
}
