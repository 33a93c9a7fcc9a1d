import { expect } from 'vitest';
import type { Fragmenter } from '../../src/datachannel/fragmenter.ts';

/** All that `fragmenter` makes of a payload. */
export function partsOf(fragmenter: Fragmenter, payload: Buffer): Buffer[] {
  const first = fragmenter.begin(payload);
  if (typeof first === 'number') return expect.fail(`dropped: ${first}`);
  const parts = [first];
  while (fragmenter.pending) parts.push(fragmenter.next());
  return parts;
}
