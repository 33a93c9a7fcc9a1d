import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OvpnProtocolError } from '../../src/core/errors.ts';
import {
  MAX_PUSH_BYTES,
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

  test.each(['PUSH_REPLY', 'PUSH_UPDATE'] as const)('%s is named in the error', (name) => {
    const error = new PushAssembly(name).add(['x'.repeat(MAX_PUSH_BYTES + 1)], 0);
    expect(error).toMatchObject({ message: expect.stringMatching(new RegExp(`^${name}: `)) });
  });

  test('any cut into parts gives the same options', () => {
    const parts = fc.array(fc.array(fc.stringMatching(/^[a-z ]{1,8}$/), { maxLength: 5 }), {
      minLength: 1,
      maxLength: MAX_PUSH_PARTS,
    });
    fc.assert(
      fc.property(parts, (lists) => {
        const assembly = new PushAssembly();
        for (const list of lists.slice(0, -1)) {
          expect(assembly.add([...list, MORE], 0)).toBeUndefined();
        }
        expect(assembly.add([...(lists.at(-1) ?? []), LAST], 0)).toEqual(lists.flat());
        expect(assembly.deadline).toBe(Number.POSITIVE_INFINITY);
      }),
    );
  });

  test('any parts give options within the bounds, nothing yet, or a typed error', () => {
    const option = fc.oneof(
      fc.constantFrom(MORE, LAST, 'push-continuation 99999999999', 'push-continuation', ''),
      fc.nat(5_000).map((length) => 'x'.repeat(length)),
    );
    const step = fc.tuple(fc.array(option, { maxLength: 4 }), fc.nat(5_000));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const assembly = new PushAssembly();
        let now = 0;
        for (const [options, later] of steps) {
          now += later;
          const result = assembly.add(options, now);
          if (result === undefined) continue;
          if (result instanceof OvpnProtocolError) {
            expect(result.code).toBe('OVPN_PUSH_INVALID');
            return;
          }
          expect(result.length).toBeLessThanOrEqual(MAX_PUSH_OPTIONS);
          expect(result.join('').length).toBeLessThanOrEqual(MAX_PUSH_BYTES);
        }
      }),
    );
  });
});
