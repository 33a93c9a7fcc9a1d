import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
} from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { ConfigProblem } from '../core/errors.ts';
import { printable } from '../core/log.ts';
import { MAX_PROFILE_BYTES } from './ovpn-tokens.ts';

/** Why a file is not read. */
export type FileProblem = Pick<ConfigProblem, 'code' | 'message'>;

/** The text of a file, or why it is not read. */
export type FileText = { readonly text: string } | FileProblem;

/** The bytes of a file, or why it is not read. */
export type FileBytes = { readonly bytes: Buffer } | FileProblem;

/** Most names that are read from one directory. */
export const MAX_DIRECTORY_NAMES = 100_000;

/**
 * The files that a profile may name: regular ones of at most 1 MiB. A relative name is looked for
 * in the profile's directory and may not lead out of it, by `..` or by a symbolic link; an absolute
 * one is the user's own choice. A profile given as text has no directory and names no files.
 */
export class ProfileFiles {
  readonly #directory: string | undefined;

  /** @param directory the profile's; undefined for a profile given as text */
  constructor(directory: string | undefined) {
    this.#directory = directory;
  }

  read(name: string): FileText {
    const path = this.#locate(name);
    return typeof path === 'string' ? readRegularFile(path, name) : path;
  }

  /** As `read`, for a file that holds a password: see {@link readPrivateFile}. */
  readPrivate(name: string): FileText {
    const located = this.#locate(name);
    if (typeof located !== 'string') return located;
    return readPrivateFile(resolve(this.#directory ?? '', name), name);
  }

  /** As `read`, for a file that is no text. */
  readBytes(name: string): FileBytes {
    const path = this.#locate(name);
    if (typeof path !== 'string') return path;
    return readOpened(path, name, constants.O_RDONLY | constants.O_NONBLOCK, false);
  }

  /** What lies in a directory, by name. */
  list(name: string): { readonly names: readonly string[] } | FileProblem {
    const path = this.#locate(name);
    if (typeof path !== 'string') return path;
    try {
      const names = readdirSync(path);
      if (names.length <= MAX_DIRECTORY_NAMES) return { names };
      return unreadable(name, `has more than ${MAX_DIRECTORY_NAMES} names`);
    } catch (error) {
      return unreadable(name, error);
    }
  }

  #locate(name: string): string | FileProblem {
    if (this.#directory === undefined) {
      return refused('a profile given as text cannot name files: put the content inline');
    }
    try {
      const path = realpathSync(resolve(this.#directory, name));
      if (isAbsolute(name) || isInside(path, realpathSync(this.#directory))) return path;
      return refused(`${shown(name)} lies outside the profile's directory`);
    } catch (error) {
      return unreadable(name, error);
    }
  }
}

/** Reads a regular file of at most 1 MiB. @param shownAs how messages name it */
export function readRegularFile(path: string, shownAs: string = path): FileText {
  return textOf(readOpened(path, shownAs, constants.O_RDONLY | constants.O_NONBLOCK, false));
}

/**
 * Reads a file that holds a password: as {@link readRegularFile}, and it must be no symbolic link,
 * belong to this user or root, and be closed to group and others (not checked on Windows).
 */
export function readPrivateFile(path: string, shownAs: string = path): FileText {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  return textOf(readOpened(path, shownAs, flags, true));
}

function textOf(read: FileBytes): FileText {
  return 'bytes' in read ? { text: read.bytes.toString('utf8') } : read;
}

function readOpened(path: string, name: string, flags: number, isPrivate: boolean): FileBytes {
  let file: number | undefined;
  try {
    file = openSync(path, flags);
    const stat = fstatSync(file);
    if (!stat.isFile()) return unreadable(name, 'is not a regular file');
    if (stat.size > MAX_PROFILE_BYTES) return unreadable(name, 'is larger than 1 MiB');
    const owner = process.getuid?.();
    if (isPrivate && owner !== undefined) {
      if (stat.uid !== owner && stat.uid !== 0) return refused(`${shown(name)} is not yours`);
      if ((stat.mode & OTHERS) !== 0) {
        return refused(`${shown(name)} can be read by others: chmod 600`);
      }
    }
    return { bytes: readUpTo(file, MAX_PROFILE_BYTES) };
  } catch (error) {
    return unreadable(name, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

const OTHERS = 0o077;

/** Reads on to the end or the limit: a file may grow after its size was looked at. */
function readUpTo(file: number, limit: number): Buffer {
  const bytes = Buffer.alloc(limit);
  let length = 0;
  while (length < limit) {
    const read = readSync(file, bytes, length, limit - length, null);
    if (read === 0) break;
    length += read;
  }
  return bytes.subarray(0, length);
}

function isInside(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function shown(name: string): string {
  return `"${printable(name)}"`;
}

function refused(message: string): FileProblem {
  return { code: 'OVPN_CONFIG_REFUSED', message };
}

function unreadable(name: string, cause: unknown): FileProblem {
  const why = typeof cause === 'string' ? cause : `cannot be read (${systemCode(cause)})`;
  return { code: 'OVPN_FILE_UNREADABLE', message: `${shown(name)} ${why}` };
}

function systemCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return 'unknown cause';
}
