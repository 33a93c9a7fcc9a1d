import { describe, expect, test } from 'vitest';
import { OTHER_FAMILY_GRACE_MS } from '../../src/dialer/dns-lookup.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import {
  a,
  cname,
  type DnsAsked,
  type DnsScript,
  dnsServer,
  NXDOMAIN,
  response,
  soa,
  TRUNCATED,
} from './dns-server.ts';
import { SERVER, SERVER6, settled, type TunnelPair, tunnelPair } from './tunnel-pair.ts';

const RECORDS: Readonly<Record<string, string>> = {
  'www.test': '192.0.2.1',
  'db.corp.test': '192.0.2.2',
};

/** Answers A questions from {@link RECORDS}; nothing else exists. */
const honest: DnsScript = (asked) => {
  const address = RECORDS[asked.question.name.toLowerCase()];
  if (address === undefined) {
    return [response(asked, { flags: NXDOMAIN, authorities: [soa('test', 30)] })];
  }
  if (asked.question.type !== 'A') return [response(asked, { authorities: [soa('test', 30)] })];
  return [response(asked, { answers: [a(asked.question.name, address)] })];
};

function pairWith(script: DnsScript, options: Parameters<typeof tunnelPair>[0] = {}) {
  const clock = new VirtualClock();
  const pair: TunnelPair = tunnelPair({ clock, ...options });
  const { asked } = dnsServer(pair.server, script);
  return { clock, pair, asked, resolver: pair.client.resolver };
}

function names(asked: readonly DnsAsked[]): string[] {
  return asked.map(({ question }) => `${question.type} ${question.name.toLowerCase()}`);
}

describe('DnsResolver', () => {
  test('looks up both families at once and keeps what it learned', async () => {
    const { clock, asked, resolver } = pairWith(honest);
    const lookup = () => settled(resolver.lookup('www.test'), clock);
    expect(await lookup()).toEqual([{ address: '192.0.2.1', family: 4 }]);
    expect(names(asked).sort()).toEqual(['A www.test', 'AAAA www.test']);
    await lookup();
    expect(asked).toHaveLength(2);
    clock.advance(61_000);
    await lookup();
    expect(asked).toHaveLength(4);
  });

  test('puts IPv6 first where the tunnel has it', async () => {
    const { clock, resolver } = pairWith((asked) => {
      const { name, type } = asked.question;
      const six = { type: 'AAAA' as const, class: 'IN' as const, name, ttl: 9, data: SERVER6 };
      return [response(asked, { answers: [type === 'A' ? a(name, SERVER) : six] })];
    });
    const found = await settled(resolver.lookup('both.test'), clock);
    expect(found.map(({ family }) => family)).toEqual([6, 4]);
  });

  test('asks only for families that the tunnel has', async () => {
    const { clock, asked, resolver } = pairWith(honest, { info: { ipv6: undefined } });
    await settled(resolver.lookup('www.test'), clock);
    expect(names(asked)).toEqual(['A www.test']);
  });

  test('waits only a little for the other family', async () => {
    const { clock, resolver } = pairWith((asked) =>
      asked.question.type === 'A' ? honest(asked) : [],
    );
    await settled(resolver.lookup('www.test'), clock);
    expect(clock.now()).toBeLessThan(OTHER_FAMILY_GRACE_MS + 100);
  });

  test('shares one question among those who ask at the same time', async () => {
    const { clock, asked, resolver } = pairWith(honest);
    const many = Array.from({ length: 50 }, () => resolver.resolve('www.test', 'A'));
    await settled(Promise.all(many), clock);
    expect(asked).toHaveLength(1);
  });

  test('asks from a fresh port, in a fresh case, every time', async () => {
    const { clock, asked, resolver } = pairWith((query) => [response(query, {})]);
    const many = Array.from({ length: 40 }, (_, index) =>
      resolver.resolve(`name${index}.a-longer-name.test`, 'A').catch(() => {}),
    );
    await settled(Promise.all(many), clock);
    expect(new Set(asked.map(({ port }) => port)).size).toBeGreaterThan(38);
    const cases = asked.map(({ question }) => question.name.replace(/^name\d+/i, ''));
    expect(new Set(cases).size).toBeGreaterThan(38);
  });

  test('asks nothing for literals and localhost', async () => {
    const { clock, asked, resolver } = pairWith(honest);
    const lookup = (name: string) => settled(resolver.lookup(name), clock);
    expect(await lookup('192.0.2.9')).toEqual([{ address: '192.0.2.9', family: 4 }]);
    expect(await lookup('FD00::0:9')).toEqual([{ address: 'fd00::9', family: 6 }]);
    for (const name of ['localhost', 'LocalHost.', 'www.localhost']) {
      const found = await lookup(name);
      expect(found.map(({ address }) => address)).toEqual(['::1', '127.0.0.1']);
    }
    const records = await settled(resolver.resolve('localhost', 'A'), clock);
    expect(records.map(({ text }) => text)).toEqual(['127.0.0.1']);
    await expect(settled(resolver.resolve('192.0.2.9', 'MX'), clock)).rejects.toMatchObject({
      code: 'ENODATA',
    });
    expect(asked).toHaveLength(0);
  });

  test('fetches a truncated answer over TCP', async () => {
    const { clock, asked, resolver } = pairWith((query) =>
      query.transport === 'tcp' ? honest(query) : [response(query, { flags: TRUNCATED })],
    );
    const records = await settled(resolver.resolve('www.test', 'A'), clock);
    expect(records).toMatchObject([{ text: '192.0.2.1', ttl: 60, type: 'A' }]);
    expect(asked.map(({ transport }) => transport)).toEqual(['udp', 'tcp']);
  });

  test('does not believe an answer from another address', async () => {
    const { clock, pair, resolver } = pairWith((query) => {
      const forged = response(query, { answers: [a(query.question.name, '6.6.6.6')] });
      stranger.send(forged, query.port, '10.8.0.2');
      return honest(query);
    });
    const stranger = pair.server.createSocket('udp4');
    stranger.bind(5353);
    const records = await settled(resolver.resolve('www.test', 'A'), clock);
    expect(records.map(({ text }) => text)).toEqual(['192.0.2.1']);
  });

  test('tries the search domains, in order, for a name without a dot', async () => {
    const searchDomains = ['none.test', 'corp.test'];
    const { clock, asked, resolver } = pairWith(honest, { client: { searchDomains } });
    const reply = await settled(resolver.query('db', 'A'), clock);
    expect(reply).toMatchObject({ name: 'db.corp.test', server: `${SERVER}:53` });
    expect(names(asked)).toEqual(['A db.none.test', 'A db.corp.test']);
  });

  test('gives aliases to query and leaves them out of resolve', async () => {
    const { clock, resolver } = pairWith((query) => [
      response(query, {
        answers: [cname(query.question.name, 'b.test'), a('b.test', '192.0.2.3')],
      }),
    ]);
    const reply = await settled(resolver.query('alias.test', 'A'), clock);
    expect(reply.records.map(({ type }) => type)).toEqual(['CNAME', 'A']);
    const records = await settled(resolver.resolve('alias.test', 'A'), clock);
    expect(records.map(({ value }) => value)).toEqual(['192.0.2.3']);
  });

  test.each([
    {
      type: 'MX' as const,
      data: { preference: 10, exchange: 'mx.test' },
      value: { priority: 10, exchange: 'mx.test' },
      text: '10 mx.test',
    },
    {
      type: 'TXT' as const,
      data: ['a b', '\u001b[2J'],
      value: ['a b', '\u001b[2J'],
      text: '"a b" "\\x1b[2J"',
    },
    {
      type: 'SRV' as const,
      data: { priority: 1, weight: 2, port: 3, target: 's.test' },
      value: { priority: 1, weight: 2, port: 3, name: 's.test' },
      text: '1 2 3 s.test',
    },
    { type: 'NS' as const, data: 'ns.test', value: 'ns.test', text: 'ns.test' },
  ])('reads $type records', async ({ type, data, value, text }) => {
    const { clock, resolver } = pairWith((query) => {
      const record = { type, name: query.question.name, class: 'IN', ttl: 5, data };
      return [response(query, { answers: [record as ReturnType<typeof a>] })];
    });
    const records = await settled(resolver.resolve('x.test', type), clock);
    expect(records).toEqual([{ name: expect.any(String), type, ttl: 5, value, text }]);
  });

  describe('speaks as node:dns/promises', () => {
    const mx = { preference: 10, exchange: 'mx.test' };
    const caa = { tag: 'issue', value: 'ca.test' };
    const srv = { priority: 1, weight: 2, port: 3, target: 's.test' };
    const soaData = soa('x.test', 6);

    test.each([
      { call: 'resolve4', data: '192.0.2.1', value: ['192.0.2.1'] },
      { call: 'resolve6', data: 'fd00::1', value: ['fd00::1'] },
      { call: 'resolveCname', data: 'b.test', value: ['b.test'] },
      { call: 'resolveNs', data: 'ns.test', value: ['ns.test'] },
      { call: 'resolvePtr', data: 'h.test', value: ['h.test'] },
      { call: 'resolveTxt', data: ['a', 'b'], value: [['a', 'b']] },
      { call: 'resolveMx', data: mx, value: [{ priority: 10, exchange: 'mx.test' }] },
      {
        call: 'resolveSrv',
        data: srv,
        value: [{ priority: 1, weight: 2, port: 3, name: 's.test' }],
      },
      { call: 'resolveCaa', data: caa, value: [{ critical: 0, issue: 'ca.test' }] },
      {
        call: 'resolveSoa',
        data: 'data' in soaData ? soaData.data : {},
        value: {
          nsname: 'ns.test',
          hostmaster: 'root.test',
          serial: 1,
          refresh: 1,
          retry: 1,
          expire: 1,
          minttl: 6,
        },
      },
    ] as const)('$call', async ({ call, data, value }) => {
      const { clock, resolver } = pairWith((query) => {
        const { name, type } = query.question;
        const record = { type, name, class: 'IN', ttl: 5, data };
        return [response(query, { answers: [record as ReturnType<typeof a>] })];
      });
      const asked: Promise<unknown> = resolver[call]('x.test');
      expect(await settled(asked, clock)).toEqual(value);
    });

    test('resolve4 with times to live', async () => {
      const { clock, resolver } = pairWith(honest);
      const found = await settled(resolver.resolve4('www.test', { ttl: true }), clock);
      expect(found).toEqual([{ address: '192.0.2.1', ttl: 60 }]);
    });

    test('reverse', async () => {
      const { clock, asked, resolver } = pairWith((query) => [
        response(query, {
          answers: [{ type: 'PTR', name: query.question.name, class: 'IN', data: 'h.test' }],
        }),
      ]);
      expect(await settled(resolver.reverse('fd00::1'), clock)).toEqual(['h.test']);
      expect(names(asked)[0]).toMatch(/^PTR 1\.0\.0\..*\.0\.0\.d\.f\.ip6\.arpa$/);
      await expect(resolver.reverse('h.test')).rejects.toMatchObject({
        code: 'EINVAL',
        syscall: 'getHostByAddr',
        hostname: 'h.test',
      });
    });
  });

  describe('split DNS', () => {
    const nameServers = [
      { address: SERVER6, resolveDomains: ['test'] },
      { address: SERVER, resolveDomains: ['corp.test', 'www.test'] },
    ];

    test('asks the server of the longest domain alone', async () => {
      const { clock, asked, resolver } = pairWith(honest, { info: { nameServers } });
      expect(await settled(resolver.resolve4('db.corp.test'), clock)).toEqual(['192.0.2.2']);
      expect(names(asked)).toEqual(['A db.corp.test']);
      await expect(settled(resolver.resolve4('other.test'), clock)).rejects.toMatchObject({
        code: 'ECONNREFUSED',
      });
      expect(asked).toHaveLength(1);
    });

    test('asks nobody where no server is meant for the name, and says what to do', async () => {
      const { clock, asked, resolver } = pairWith(honest, { info: { nameServers } });
      await expect(settled(resolver.resolve4('example.com'), clock)).rejects.toMatchObject({
        code: 'ENOTFOUND',
        message: expect.stringMatching(/other domains.*`dnsServers`.*`--dns-server`/),
      });
      expect(asked).toHaveLength(0);
    });
  });

  test('does not go on with the search domains for a family that a name lacks', async () => {
    const { clock, asked, resolver } = pairWith(honest, {
      client: { searchDomains: ['corp.test'] },
    });
    await settled(resolver.lookup('www.test'), clock);
    expect(names(asked).sort()).toEqual(['A www.test', 'AAAA www.test']);
  });

  test('asks for the reverse name of an address', async () => {
    const { clock, asked, resolver } = pairWith((query) => [
      response(query, {
        answers: [{ type: 'PTR', name: query.question.name, class: 'IN', data: 'h.test' }],
      }),
    ]);
    await settled(resolver.resolve('192.0.2.1', 'PTR'), clock);
    expect(names(asked)).toEqual(['PTR 1.2.0.192.in-addr.arpa']);
  });

  describe('fails', () => {
    test.each([
      { name: 'missing.test', code: 'ENOTFOUND', message: 'getaddrinfo ENOTFOUND missing.test' },
      { name: 'two..dots', code: 'EBADNAME', message: 'getaddrinfo EBADNAME two..dots' },
    ])('with $code for $name', async ({ name, code, message }) => {
      const { clock, resolver } = pairWith(honest);
      await expect(settled(resolver.lookup(name), clock)).rejects.toMatchObject({
        code,
        message,
        syscall: 'getaddrinfo',
        hostname: name,
      });
    });

    test('with ENODATA for a type that a name does not have, and remembers it', async () => {
      const { clock, asked, resolver } = pairWith(honest);
      for (let round = 0; round < 2; round += 1) {
        await expect(settled(resolver.resolve('www.test', 'MX'), clock)).rejects.toMatchObject({
          code: 'ENODATA',
          message: 'queryMx ENODATA www.test',
        });
      }
      expect(asked).toHaveLength(1);
    });

    test('with ETIMEOUT after two rounds of silence', async () => {
      const { clock, asked, resolver } = pairWith(() => []);
      await expect(settled(resolver.resolve('www.test', 'A'), clock)).rejects.toMatchObject({
        code: 'ETIMEOUT',
      });
      expect(asked).toHaveLength(2);
      expect(clock.now()).toBeCloseTo(4000, -2);
    });

    test('with ECONNREFUSED, at once, where a server is not there', async () => {
      const options = { client: { dnsServers: [`${SERVER}:5300`] } };
      const { clock, resolver } = pairWith(honest, options);
      await expect(settled(resolver.resolve('www.test', 'A'), clock)).rejects.toMatchObject({
        code: 'ECONNREFUSED',
      });
      expect(clock.now()).toBeLessThan(500);
    });

    test('with what to do about it when no server was pushed', async () => {
      const { clock, resolver } = pairWith(honest, { info: { dnsServers: [] } });
      await expect(settled(resolver.lookup('www.test'), clock)).rejects.toMatchObject({
        code: 'ENOTFOUND',
        message: expect.stringMatching(/`dnsServers`.*`--dns-server`/),
      });
    });

    test('with OVPN_ABORTED for the one who aborts, not for the others', async () => {
      const { clock, resolver } = pairWith((query) => (query.earlier === 0 ? [] : honest(query)));
      const abort = new AbortController();
      const one = resolver.resolve('www.test', 'A', { signal: abort.signal });
      const other = resolver.resolve('www.test', 'A');
      abort.abort(new Error('enough'));
      await expect(one).rejects.toMatchObject({
        code: 'OVPN_ABORTED',
        cause: { message: 'enough' },
      });
      expect(await settled(other, clock)).toHaveLength(1);
    });

    test('with ECANCELLED when the dialer is closed', async () => {
      const { clock, pair, resolver } = pairWith(() => []);
      const asked = Promise.allSettled(
        Array.from({ length: 100 }, (_, index) => resolver.resolve(`n${index}.test`, 'A')),
      );
      await settled(pair.client.close(), clock);
      const codes = (await settled(asked, clock)).map((result) =>
        result.status === 'rejected' ? result.reason.code : 'fulfilled',
      );
      expect(new Set(codes)).toEqual(new Set(['ECANCELLED']));
      await expect(resolver.lookup('x.test')).rejects.toMatchObject({ code: 'ECANCELLED' });
    });
  });
});
