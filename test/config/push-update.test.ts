import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DIRECTIVES } from '../../src/config/directives.ts';
import { PULL_ALL } from '../../src/config/pull-policy.ts';
import { PulledOptions } from '../../src/config/pulled-options.ts';
import { MAX_PUSH_BYTES, MAX_PUSH_OPTIONS, NO_POLICY } from '../../src/config/push-reply.ts';
import { applyPushUpdate, UPDATABLE } from '../../src/config/push-update.ts';
import { OvpnProtocolError } from '../../src/core/errors.ts';

const BEFORE = [
  'topology subnet',
  'ifconfig 10.8.0.2 255.255.255.0',
  'route 10.1.0.0 255.255.0.0',
  '"route" 10.2.0.0 255.255.0.0',
  'dhcp-option DNS 10.8.0.1',
  'block-ipv6',
  'ping 10',
  'ping-restart 60',
  'cipher AES-256-GCM',
];

function without(...names: readonly string[]): string[] {
  return BEFORE.filter(
    (option) => !names.some((name) => new RegExp(`^"?${name}"?( |$)`).test(option)),
  );
}

describe('applyPushUpdate', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'nothing',                        update: [],                                        after: BEFORE },
    { name: 'a name that was not there',      update: ['tun-mtu 1400'],                          after: [...BEFORE, 'tun-mtu 1400'] },
    { name: 'all values of a name go',        update: ['route 10.7.0.0 255.255.0.0'],            after: [...without('route'), 'route 10.7.0.0 255.255.0.0'] },
    { name: 'values of one update add up',    update: ['route 10.7.0.0', 'route 10.8.0.0'],      after: [...without('route'), 'route 10.7.0.0', 'route 10.8.0.0'] },
    { name: 'taken back',                     update: ['-block-ipv6'],                           after: without('block-ipv6') },
    { name: 'taken back, then given',         update: ['-route', 'route 10.7.0.0'],              after: [...without('route'), 'route 10.7.0.0'] },
    { name: 'what was not there, taken back', update: ['-?redirect-gateway'],                    after: BEFORE },
    { name: 'optional and known',             update: ['?tun-mtu 1400'],                         after: [...BEFORE, 'tun-mtu 1400'] },
    { name: 'optional and unknown',           update: ['?future 1', '-?future'],                 after: BEFORE },
    { name: 'optional and not updatable',     update: ['?cipher AES-128-GCM'],                   after: BEFORE },
    { name: 'keepalive and what it means',    update: ['keepalive 5 30'],                        after: [...without('ping', 'ping-restart'), 'keepalive 5 30'] },
    { name: 'blanks before the marks',        update: ['  -block-ipv6'],                         after: without('block-ipv6') },
  ])('$name', ({ update, after }) => {
    expect(applyPushUpdate(BEFORE, update, PULL_ALL)).toEqual(after);
  });

  test.each([
    'cipher AES-128-GCM',
    'peer-id 3',
    'auth-token x',
    'future 1',
    '-cipher',
    '?-block-ipv6',
    '--block-ipv6',
    '-route 10.1.0.0 255.255.0.0',
    '',
    '-',
    '"route',
  ])('%j leads to a new connection, and changes nothing', (option) => {
    try {
      applyPushUpdate(BEFORE, ['tun-mtu 1400', option], PULL_ALL);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(OvpnProtocolError);
      expect(error).toMatchObject({ code: 'OVPN_PUSH_INVALID' });
    }
  });

  test('no other directive of a profile can be updated', () => {
    const others = [...DIRECTIVES.keys()].filter((name) => !UPDATABLE.has(name));
    expect(others.length).toBeGreaterThan(200);
    for (const name of others) {
      expect(() => applyPushUpdate(BEFORE, [`${name} 1`], PULL_ALL)).toThrow(OvpnProtocolError);
      expect(applyPushUpdate(BEFORE, [`?${name} 1`], PULL_ALL)).toEqual(BEFORE);
    }
  });

  test('filters hold for updates too', () => {
    const filtered = {
      ...PULL_ALL,
      pullFilters: [
        { action: 'ignore', text: 'route 10.7' },
        { action: 'reject', text: 'dns' },
      ] as const,
    };
    expect(applyPushUpdate(BEFORE, ['route 10.7.0.0', 'tun-mtu 1400'], filtered)).toEqual([
      ...BEFORE,
      'tun-mtu 1400',
    ]);
    expect(() => applyPushUpdate(BEFORE, ['dns search-domains a'], filtered)).toThrow(/reject/);
    expect(applyPushUpdate(BEFORE, ['-route'], { ...PULL_ALL, routeNopull: true })).toEqual(BEFORE);
  });

  test('equals a list by names, whatever is updated', () => {
    const name = fc.constantFrom('route', 'dns', 'tun-mtu', 'block-ipv6');
    const option = fc.record({ name, removes: fc.boolean(), value: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(fc.array(option, { maxLength: 5 }), { maxLength: 5 }), (updates) => {
        let real: readonly string[] = [];
        let model: { name: string; text: string }[] = [];
        for (const update of updates) {
          const texts = update.map((one) =>
            one.removes ? `-${one.name}` : `${one.name} ${one.value}`,
          );
          real = applyPushUpdate(real, texts, PULL_ALL);
          const named = new Set<string>(update.map((one) => one.name));
          const given = update
            .filter(({ removes }) => !removes)
            .map((one) => ({ name: one.name, text: `${one.name} ${one.value}` }));
          model = [...model.filter((one) => !named.has(one.name)), ...given];
        }
        expect(real).toEqual(model.map(({ text }) => text));
      }),
    );
  });
});

describe('PulledOptions', () => {
  function pulled(): PulledOptions {
    const options = new PulledOptions({
      ...NO_POLICY,
      localOptions: ['route 10.9.0.0 255.255.0.0'],
    });
    options.reply(BEFORE);
    return options;
  }

  test('one update builds on the other', () => {
    const options = pulled();
    options.update(['tun-mtu 1400']);
    expect(options.update(['-block-ipv6'])).toMatchObject({ tunMtu: 1400, blockIpv6: false });
  });

  test("the profile's own options stay when all pushed ones of their name go", () => {
    const { routes } = pulled().update(['-route']);
    expect(routes.map(({ address }) => address)).toEqual(['10.9.0.0']);
  });

  test('a reply that only brings a token changes nothing', () => {
    const options = pulled();
    expect(options.reply(['auth-token new']).authToken?.reveal()).toBe('new');
    expect(options.update([])).toMatchObject({ blockIpv6: true, pingMs: 10_000 });
  });

  test('keepalive by an update takes the place of what was pushed', () => {
    expect(pulled().update(['keepalive 3 9'])).toMatchObject({ pingMs: 3000, pingRestartMs: 9000 });
    const off = pulled().update(['-keepalive']);
    expect([off.pingMs, off.pingRestartMs]).toEqual([undefined, undefined]);
  });

  test('an update that cannot be read leaves all as it was', () => {
    const options = pulled();
    for (const wrong of ['ifconfig 10.8.0.9', 'cipher AES-128-GCM', 'topology ring']) {
      try {
        options.update(['tun-mtu 1300', wrong]);
        expect.unreachable();
      } catch (error) {
        expect(error).toMatchObject({ code: 'OVPN_PUSH_INVALID', retryable: true });
      }
    }
    expect(options.update([]).tunMtu).toBeUndefined();
    expect(options.update([]).ipv4?.address).toBe('10.8.0.2');
  });

  test('what updates bring together is bounded', () => {
    const options = pulled();
    const many = Array.from({ length: MAX_PUSH_OPTIONS - 100 }, () => 'route 10.1.0.0');
    options.update(many);
    expect(() => options.update(many.map(() => 'dhcp-option DNS 1.1.1.1'))).toThrow(/at most/);
    const long = [`dns search-domains ${'x'.repeat(MAX_PUSH_BYTES)}`];
    expect(() => options.update(long)).toThrow(/at most/);
  });
});
