import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findConditions } from './find-conditions.ts';
import type { Mutant } from './mutant.ts';

/** Where the comparisons are on which security rests: files, and folders with all their files. */
const TARGETS = [
  'src/packetmuxer',
  'src/tlsstate/verify-peer.ts',
  'src/tlsstate/certificate.ts',
  'src/tlsstate/certificate-digest.ts',
  'src/tlsstate/certificate-name.ts',
  'src/tlsstate/certificate-purpose.ts',
  'src/tlsstate/issuers.ts',
  'src/tlsstate/der.ts',
  'src/tlsstate/peer-verdict.ts',
  'src/datachannel',
] as const;

/** Tests of a file that do not lie where its name says. */
const FURTHER_TESTS: Readonly<Record<string, readonly string[]>> = {
  'src/tlsstate/certificate.ts': [
    'test/tlsstate/verify-peer.test.ts',
    'test/tlsstate/certificate-purpose.test.ts',
  ],
  'src/tlsstate/certificate-digest.ts': [
    'test/tlsstate/verify-peer.test.ts',
    'test/tlsstate/issuers.test.ts',
  ],
  'src/tlsstate/certificate-name.ts': ['test/tlsstate/verify-peer.test.ts'],
  'src/tlsstate/certificate-purpose.ts': ['test/tlsstate/verify-peer.test.ts'],
  'src/tlsstate/der.ts': ['test/tlsstate/verify-peer.test.ts'],
  'src/tlsstate/verify-peer.ts': [
    'test/tlsstate/certificate-purpose.test.ts',
    'test/tlsstate/issuers.test.ts',
  ],
  'src/datachannel/data-channel.ts': ['test/datachannel/data-channel-life.test.ts'],
};

/** A source file and the tests that should notice when it is changed. */
export interface Target {
  readonly file: string;
  /** Its own tests, which are quick; none when it has no test of its own. */
  readonly own: readonly string[];
  /** The tests of its layer, for what its own did not notice. */
  readonly layer: readonly string[];
  /** Of all kinds. */
  readonly mutants: readonly Mutant[];
}

/**
 * The files to change, or those of them whose path contains `part`.
 * @param root the project's folder
 */
export function findTargets(root: string, part = ''): Target[] {
  return TARGETS.flatMap((target) => filesIn(root, target, '.ts'))
    .filter((file) => file.includes(part))
    .map((file) => {
      const mirrored = file.replace(/^src/, 'test').replace(/\.ts$/, '.test.ts');
      const own = [mirrored, ...(FURTHER_TESTS[file] ?? [])];
      const layer = filesIn(root, mirrored.replace(/\/[^/]*$/, ''), '.test.ts');
      const mutants = findConditions(readFileSync(join(root, file), 'utf8'), file);
      return { file, own: own.filter((test) => existsSync(join(root, test))), layer, mutants };
    });
}

function filesIn(root: string, path: string, ending: string): string[] {
  if (path.endsWith('.ts')) return [path];
  return readdirSync(join(root, path))
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => `${path}/${name}`);
}
