import { afterAll, beforeAll, describe, test } from 'vitest';
import { Lab, whyNoLab } from './lab.ts';

/**
 * A `describe` with a lab of its own, up before its tests and down after them. Where there can be
 * none, or one of `commands` is not installed, one skipped test tells why; with `CI` set it fails.
 */
export function describeInLab(
  name: string,
  body: (lab: Lab) => void,
  commands: readonly string[] = [],
): void {
  const reason = whyNoLab(commands);
  describe(name, async () => {
    if (reason !== undefined) {
      test(`needs what is not here: ${reason}`, ({ skip }) => skip(reason));
      return;
    }
    const lab = await Lab.create();
    beforeAll(() => lab.up());
    afterAll(() => lab.down());
    body(lab);
  });
}
