import { expect, test } from 'vitest';
import { plainWrap } from '../../src/packetmuxer/control-wrap.ts';
import { controlWrapContract } from '../contract/control-wrap.ts';

controlWrapContract('none', 0, () => ({ client: plainWrap, server: plainWrap }));

test('the plain wrap hands the same buffer through', () => {
  const packet = Buffer.from('2001', 'hex');
  expect(plainWrap.wrap(packet)).toBe(packet);
  expect(plainWrap.unwrap(packet)).toBe(packet);
});
