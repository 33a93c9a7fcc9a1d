import { expect, test } from 'vitest';
import { pemBlocks } from '../../src/config/pem.ts';

test('pemBlocks finds blocks of any label and leaves out what is around them', () => {
  const text =
    'subject: x\r\n-----BEGIN A B-----\r\nZm9v\r\n-----END A B-----\r\n-----BEGIN C-----\n-----END C-----';
  expect(pemBlocks(text)).toEqual([
    { label: 'A B', text: '-----BEGIN A B-----\nZm9v\n-----END A B-----\n' },
    { label: 'C', text: '-----BEGIN C-----\n-----END C-----\n' },
  ]);
});

test('pemBlocks leaves out a block without its end, or with the end of another', () => {
  expect(pemBlocks('-----BEGIN A-----\nx\n-----END B-----\n')).toEqual([]);
  expect(pemBlocks('-----BEGIN A-----\nx\n-----BEGIN B-----\n-----END B-----\n')).toEqual([
    { label: 'B', text: '-----BEGIN B-----\n-----END B-----\n' },
  ]);
});
