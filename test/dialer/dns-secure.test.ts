import { once } from 'node:events';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DnsError } from '../../src/dialer/dns-error.ts';
import { SERVER_TIMEOUT_MS } from '../../src/dialer/dns-query.ts';
import { SESSION_IDLE_MS } from '../../src/dialer/dns-tls.ts';
import type { NameServer } from '../../src/model/name-server.ts';
import { type Authority, createAuthority } from '../../src/server/pki.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { a, type DnsScript, response, SERVFAIL } from './dns-server.ts';
import { type SecureDnsServer, SNI, secureDnsServer } from './secure-dns-server.ts';
import { SERVER, settled, type TunnelPair, tunnelPair } from './tunnel-pair.ts';

const ADDRESS = '192.0.2.1';

const honest: DnsScript = (asked) => [
  response(asked, { answers: [a(asked.question.name, ADDRESS)] }),
];

let authority: Authority;
let pair: TunnelPair;

beforeAll(async () => {
  authority = await createAuthority();
});

afterEach(() => pair[Symbol.asyncDispose]());

/** A tunnel whose server pushed such a name server, and that server behind it. */
async function tunnel(
  options: Partial<NameServer>,
  { script = honest, dnsCa }: { script?: DnsScript; dnsCa?: string | undefined } = {},
): Promise<SecureDnsServer> {
  const nameServers = [{ address: SERVER, ...options }];
  pair = tunnelPair({ client: { dnsCa: dnsCa ?? authority.certPem }, info: { nameServers } });
  return secureDnsServer(pair.server, authority, script);
}

describe.each([
  { transport: 'DoT' as const, protocol: 'dot' },
  { transport: 'DoH' as const, protocol: 'http/1.1' },
])('$transport', ({ transport, protocol }) => {
  test('is asked on connections that are kept', async () => {
    const { connections, names } = await tunnel({ transport, sni: SNI });
    const { resolver } = pair.client;
    const all = ['a.test', 'b.test', 'c.test', 'd.test', 'e.test'];
    for (const name of all) expect(await resolver.resolve4(name)).toEqual([ADDRESS]);
    expect(names).toEqual(all);
    expect(new Set(connections)).toEqual(new Set([protocol]));
    expect(connections.length).toBeLessThanOrEqual(2);
  });

  test('answers many questions at once', async () => {
    const { connections, names } = await tunnel({ transport, sni: SNI });
    const many = Array.from({ length: 40 }, (_, index) => `n${index}.test`);
    const found = await Promise.all(many.map((name) => pair.client.resolver.resolve4(name)));
    expect(found.flat()).toEqual(many.map(() => ADDRESS));
    expect(names.sort()).toEqual(many.sort());
    expect(connections.length).toBeLessThanOrEqual(4);
  });

  test.each([
    { name: 'another name', options: { sni: 'other.test' }, code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    { name: 'no name, only an address', options: {}, code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
  ])('is not believed with a certificate for $name', async ({ options, code }) => {
    const { names } = await tunnel({ transport, ...options });
    const error = await pair.client.resolver.resolve4('a.test').catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DnsError);
    expect(error).toMatchObject({ code: 'ECONNREFUSED', cause: { code } });
    expect(names).toEqual([]);
  });

  test('is not believed with a certificate of another authority', async () => {
    const { certPem: dnsCa } = await createAuthority();
    const { names } = await tunnel({ transport, sni: SNI }, { dnsCa });
    await expect(pair.client.resolver.resolve4('a.test')).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      cause: { code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET/) },
    });
    expect(names).toEqual([]);
  });

  test('is never asked in plain text instead', async () => {
    await tunnel({ transport, sni: SNI, port: 9999 });
    const heard: string[] = [];
    for (const port of [53, 9999]) {
      pair.server.createSocket('udp4', () => heard.push(`udp ${port}`)).bind(port);
    }
    pair.server.listen({ port: 53 }, () => heard.push('tcp 53'));
    await expect(pair.client.resolver.resolve4('a.test')).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    expect(heard).toEqual([]);
  });

  test('gets a fresh connection when the kept one was closed', async () => {
    const { sockets, connections } = await tunnel({ transport, sni: SNI });
    await pair.client.resolver.resolve4('a.test');
    const [first] = sockets;
    first?.end();
    if (first !== undefined) await once(first, 'close');
    expect(await pair.client.resolver.resolve4('b.test')).toEqual([ADDRESS]);
    expect(connections).toHaveLength(2);
  });

  test('folds the case of a question, and is asked again without', async () => {
    const script: DnsScript = (asked) => {
      const [plain = Buffer.alloc(0)] = honest(asked);
      const folded = Buffer.from(plain);
      const end = 12 + asked.question.name.length + 2;
      folded.write(folded.subarray(12, end).toString('latin1').toLowerCase(), 12, 'latin1');
      return [folded];
    };
    const { names } = await tunnel({ transport, sni: SNI }, { script });
    expect(await pair.client.resolver.resolve4('mixed-case-name.test')).toEqual([ADDRESS]);
    expect(names).toHaveLength(2);
  });

  test('has trouble of its own: ESERVFAIL', async () => {
    const script: DnsScript = (asked) => [response(asked, { flags: SERVFAIL })];
    await tunnel({ transport, sni: SNI }, { script });
    await expect(pair.client.resolver.resolve4('a.test')).rejects.toMatchObject({
      code: 'ESERVFAIL',
    });
  });
});

describe('a DoT connection', () => {
  test('that has gone silent is given up: the next round has another', async () => {
    const clock = new VirtualClock();
    const script: DnsScript = (asked) => (asked.earlier === 1 ? [] : honest(asked));
    const nameServers = [{ address: SERVER, transport: 'DoT' as const, sni: SNI }];
    const quiet = tunnelPair({
      clock,
      client: { dnsCa: authority.certPem },
      info: { nameServers },
    });
    const { connections } = await secureDnsServer(quiet.server, authority, script);
    const { resolver } = quiet.client;

    expect(await settled(resolver.resolve4('a.test'), clock)).toEqual([ADDRESS]);
    expect(await settled(resolver.resolve4('b.test'), clock)).toEqual([ADDRESS]);
    expect(clock.now()).toBeGreaterThanOrEqual(SERVER_TIMEOUT_MS);
    expect(connections).toHaveLength(2);
  });

  test('that nobody needs is closed after a while', async () => {
    const clock = new VirtualClock();
    const nameServers = [{ address: SERVER, transport: 'DoT' as const, sni: SNI }];
    const quiet = tunnelPair({
      clock,
      client: { dnsCa: authority.certPem },
      info: { nameServers },
    });
    const { sockets } = await secureDnsServer(quiet.server, authority, honest);

    await settled(quiet.client.resolver.resolve4('a.test'), clock);
    const [kept] = sockets;
    const started = clock.now();
    await settled(new Promise((resolve) => kept?.once('close', resolve)), clock);
    expect(clock.now() - started).toBeGreaterThanOrEqual(SESSION_IDLE_MS);
    expect(clock.now() - started).toBeLessThan(SESSION_IDLE_MS + 1000);
  });
});
