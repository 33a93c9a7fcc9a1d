import { describe, expect, test, vi } from 'vitest';
import type { Remote } from '../../src/model/profile.ts';
import { type LookupAll, resolveRemote } from '../../src/networkio/remote.ts';

function remote(host: string, family: 0 | 4 | 6 = 0): Remote {
  return { host, port: 1194, protocol: 'udp', family };
}

const both: LookupAll = async () => [
  { address: '2001:db8::1', family: 6 },
  { address: '192.0.2.1', family: 4 },
  { address: '192.0.2.1', family: 4 },
];

describe('resolveRemote', () => {
  test.each([
    { host: '192.0.2.7', family: 4 },
    { host: '2001:db8::7', family: 6 },
  ])('takes $host without a look-up', async ({ host, family }) => {
    const lookup = vi.fn<LookupAll>();
    expect(await resolveRemote(remote(host), { lookup })).toEqual([
      { protocol: 'udp', address: host, port: 1194, family, host },
    ]);
    expect(lookup).not.toHaveBeenCalled();
  });

  test.each([
    { family: 0, addresses: ['2001:db8::1', '192.0.2.1'] },
    { family: 4, addresses: ['192.0.2.1'] },
    { family: 6, addresses: ['2001:db8::1'] },
  ] as const)('family $family gives $addresses, each once', async ({ family, addresses }) => {
    const lookup = vi.fn(both);
    const found = await resolveRemote(remote('vpn.example', family), { lookup });
    expect(found.map(({ address }) => address)).toEqual(addresses);
    expect(found.every(({ host }) => host === 'vpn.example')).toBe(true);
    expect(lookup).toHaveBeenCalledWith('vpn.example', family);
  });

  test.each([
    { name: 'a literal of the other family', host: '192.0.2.7', family: 6, lookup: both },
    { name: 'an empty answer', host: 'vpn.example', family: 0, lookup: async () => [] },
    {
      name: 'an answer of the other family',
      host: 'vpn.example',
      family: 4,
      lookup: async () => [{ address: '::1', family: 6 }],
    },
  ] as const)('$name is OVPN_NAME_NOT_FOUND', async ({ host, family, lookup }) => {
    await expect(resolveRemote(remote(host, family), { lookup })).rejects.toMatchObject({
      name: 'OvpnNetworkError',
      code: 'OVPN_NAME_NOT_FOUND',
    });
  });

  test('a look-up that fails is OVPN_NAME_NOT_FOUND with its cause', async () => {
    const cause = Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });
    const lookup: LookupAll = () => Promise.reject(cause);
    const failed = resolveRemote(remote('vpn.example'), { lookup });
    await expect(failed).rejects.toMatchObject({
      code: 'OVPN_NAME_NOT_FOUND',
      message: 'vpn.example: no address found (ENOTFOUND)',
      cause,
    });
  });

  test('stops waiting when it is aborted', async () => {
    const controller = new AbortController();
    const never: LookupAll = () => new Promise(() => {});
    const { signal } = controller;
    const waiting = resolveRemote(remote('vpn.example'), { lookup: never, signal });
    controller.abort('enough');
    await expect(waiting).rejects.toMatchObject({ code: 'OVPN_ABORTED', cause: 'enough' });
    const late = resolveRemote(remote('vpn.example'), { lookup: never, signal });
    await expect(late).rejects.toMatchObject({ code: 'OVPN_ABORTED' });
  });

  test('asks the operating system by itself', async () => {
    const found = await resolveRemote(remote('localhost', 4));
    expect(found.map(({ address }) => address)).toContain('127.0.0.1');
  });
});
