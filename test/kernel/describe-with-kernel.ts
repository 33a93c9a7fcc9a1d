import { existsSync } from 'node:fs';
import { describe, test } from 'vitest';
import { isInstalled } from '../lab/commands.ts';

/**
 * A `describe` of tests against the kernel's TCP. Where there can be none, or one of `commands` is
 * not installed, one skipped test tells why; with `CI` set it fails.
 */
export function describeWithKernel(
  name: string,
  body: () => void,
  commands: readonly string[] = [],
): void {
  describe(name, async () => {
    const reason = await whatIsMissing(['ip', 'sysctl', ...commands]);
    if (reason === undefined) {
      body();
      return;
    }
    test(`needs what is not here: ${reason}`, ({ skip }) => {
      const { CI } = process.env;
      if (CI === undefined) skip(reason);
      throw new Error(`these tests must not be skipped in CI, but ${reason}`);
    });
  });
}

async function whatIsMissing(commands: readonly string[]): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  if (!existsSync('/dev/net/tun')) return '/dev/net/tun is not there';
  const absent = commands.find((command) => !isInstalled(command));
  if (absent !== undefined) return `${absent} is not installed`;
  return import('koffi').then(
    () => undefined,
    () => 'the package koffi is not installed',
  );
}
