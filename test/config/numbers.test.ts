import { expect, test } from 'vitest';
import { decimal } from '../../src/config/numbers.ts';

test.each([
  { text: '0', value: 0 },
  { text: '7', value: 7 },
  { text: '0007', value: 7 },
  { text: '86400', value: 86_400 },
  { text: '86401', value: undefined },
  { text: '2147484', value: undefined },
  { text: '4294967296', value: undefined },
  { text: '00000000001', value: undefined },
  { text: '-1', value: undefined },
  { text: '+1', value: undefined },
  { text: '1e3', value: undefined },
  { text: '0x10', value: undefined },
  { text: '1.5', value: undefined },
  { text: ' 1', value: undefined },
  { text: 'NaN', value: undefined },
  { text: '٣', value: undefined },
  { text: '', value: undefined },
  { text: undefined, value: undefined },
])('decimal reads $text as $value', ({ text, value }) => {
  expect(decimal(text, 0, 86_400)).toBe(value);
});

test('decimal keeps to its lower end', () => {
  expect(decimal('575', 576, 9000)).toBeUndefined();
  expect(decimal('576', 576, 9000)).toBe(576);
});
