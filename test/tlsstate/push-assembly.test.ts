import { describe, expect, test } from 'vitest';
import { OvpnProtocolError } from '../../src/core/errors.ts';
import {
  MAX_PUSH_MS,
  MAX_PUSH_OPTIONS,
  MAX_PUSH_PARTS,
  PushAssembly,
} from '../../src/tlsstate/push-assembly.ts';

const MORE = 'push-continuation 2';
const LAST = 'push-continuation 1';

describe('PushAssembly', () => {
  test('a single message is complete', () => {
    const assembly = new PushAssembly();
    expect(assembly.add(['a', 'b'], 0)).toEqual(['a', 'b']);
    expect(assembly.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  test('parts are joined in order, and the next set starts empty', () => {
    const assembly = new PushAssembly();
    expect(assembly.add(['a', MORE], 0)).toBeUndefined();
    expect(assembly.add(['b', MORE], 5)).toBeUndefined();
    expect(assembly.deadline).toBe(MAX_PUSH_MS);
    expect(assembly.add(['c', LAST], 9)).toEqual(['a', 'b', 'c']);
    expect(assembly.add(['d'], 9)).toEqual(['d']);
  });

  test.each([
    { name: 'parts', part: [MORE], times: MAX_PUSH_PARTS, step: 0 },
    {
      name: 'options',
      part: [...new Array<string>(512).fill('o'), MORE],
      times: MAX_PUSH_OPTIONS / 512,
      step: 0,
    },
    { name: 'bytes', part: ['x'.repeat(32 * 1024), MORE], times: 2, step: 0 },
    { name: 'time', part: [MORE], times: 2, step: MAX_PUSH_MS },
  ])('the most $name are taken, one more is an error', ({ part, times, step }) => {
    const assembly = new PushAssembly();
    for (let count = 0; count < times; count += 1) {
      expect(assembly.add(part, count * step)).toBeUndefined();
    }
    const excess = assembly.add(part, times * step);
    expect(excess).toBeInstanceOf(OvpnProtocolError);
    expect(excess).toMatchObject({ code: 'OVPN_PUSH_INVALID' });
  });
});
