import { describe, expect, test } from 'vitest';
import { ownPeerInfo } from '../../src/vpnclient/own-peer-info.ts';
import { read } from '../config/sample-profile.ts';

const FACTS = { platformVersion: '6.1.0', opensslVersion: '3.0.19', canAnswer: false };
const SETS = [
  'setenv UV_SITE lab',
  'setenv IV_GUI_VER "gui 2"',
  'setenv IV_HWADDR 02:00:00:00:00:01',
];

describe('ownPeerInfo', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'nothing',                            lines: [] as string[],                                      canAnswer: false, says: [] as string[] },
    { name: 'only the interface’s name of a profile', lines: SETS,                                            canAnswer: false, says: ['IV_GUI_VER=gui 2'] },
    { name: 'versions with push-peer-info, never a hardware address', lines: ['push-peer-info'],              canAnswer: false, says: ['IV_SSL=OpenSSL 3.0.19', 'IV_PLAT_VER=6.1.0'] },
    { name: 'all that the profile sets with push-peer-info', lines: ['push-peer-info', ...SETS],              canAnswer: false, says: ['IV_SSL=OpenSSL 3.0.19', 'IV_PLAT_VER=6.1.0', 'UV_SITE=lab', 'IV_GUI_VER=gui 2', 'IV_HWADDR=02:00:00:00:00:01'] },
    { name: 'the version of the profile first',   lines: ['push-peer-info', 'setenv IV_PLAT_VER 9'],          canAnswer: false, says: ['IV_SSL=OpenSSL 3.0.19', 'IV_PLAT_VER=9'] },
    { name: 'what somebody can answer',           lines: [],                                                  canAnswer: true,  says: ['IV_SSO=webauth,crtext'] },
  ])('says $name', ({ lines, canAnswer, says }) => {
    const own = ownPeerInfo(read(...lines), { ...FACTS, canAnswer });
    expect(own.map((line) => line.join('='))).toEqual(says);
  });
});
