import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { ConfigProblem } from '../core/errors.ts';
import { printable } from '../core/log.ts';
import { MAX_PROFILE_BYTES } from './ovpn-tokens.ts';

/** The text of a file, or why it is not read. */
export type FileText =
  | { readonly text: string }
  | { readonly code: ConfigProblem['code']; readonly message: string };

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

  #locate(name: string): string | FileText {
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
  return readOpened(path, shownAs, constants.O_RDONLY | constants.O_NONBLOCK, false);
}

/**
 * Reads a file that holds a password: as {@link readRegularFile}, and it must be no symbolic link,
 * belong to this user or root, and be closed to group and others (not checked on Windows).
 */
export function readPrivateFile(path: string, shownAs: string = path): FileText {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  return readOpened(path, shownAs, flags, true);
}

function readOpened(path: string, name: string, flags: number, isPrivate: boolean): FileText {
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
    return { text: readUpTo(file, MAX_PROFILE_BYTES) };
  } catch (error) {
    return unreadable(name, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

const OTHERS = 0o077;

/** Reads on to the end or the limit: a file may grow after its size was looked at. */
function readUpTo(file: number, limit: number): string {
  const bytes = Buffer.alloc(limit);
  let length = 0;
  while (length < limit) {
    const read = readSync(file, bytes, length, limit - length, null);
    if (read === 0) break;
    length += read;
  }
  return bytes.toString('utf8', 0, length);
}

function isInside(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function shown(name: string): string {
  return `"${printable(name)}"`;
}

function refused(message: string): FileText {
  return { code: 'OVPN_CONFIG_REFUSED', message };
}

function unreadable(name: string, cause: unknown): FileText {
  const why = typeof cause === 'string' ? cause : `cannot be read (${systemCode(cause)})`;
  return { code: 'OVPN_FILE_UNREADABLE', message: `${shown(name)} ${why}` };
}

function systemCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return 'unknown cause';
}
