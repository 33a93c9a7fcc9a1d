import { createHook } from 'node:async_hooks';
import dns from 'node:dns/promises';
import { expect, test } from 'vitest';
import { createAuthority } from '../../src/server/pki.ts';
import { a, type DnsScript, dnsServer, NXDOMAIN, response, TRUNCATED } from './dns-server.ts';
import { SNI, secureDnsServer } from './secure-dns-server.ts';
import { SERVER, tunnelPair } from './tunnel-pair.ts';

/** What Node calls its ways to the network: look-ups by the system and by c-ares, and sockets. */
const OUTSIDE = /^(GETADDRINFO|GETNAMEINFO|QUERY|DNSCHANNEL|UDP|TCP)/;

/** What of {@link OUTSIDE} is made while `run` runs. */
async function outside(run: () => Promise<unknown>): Promise<string[]> {
  const made: string[] = [];
  const hook = createHook({
    init: (_id, type) => {
      if (OUTSIDE.test(type)) made.push(type);
    },
  }).enable();
  try {
    await run();
  } finally {
    hook.disable();
  }
  return made;
}

test('the check sees a look-up by the system', async () => {
  expect(await outside(() => dns.lookup('localhost'))).not.toEqual([]);
});

test('no name leaves the tunnel: UDP, TCP, DoT, DoH, unknown names, no server', async () => {
  const authority = await createAuthority();
  const script: DnsScript = (asked) => {
    if (asked.question.name.toLowerCase().startsWith('none')) {
      return [response(asked, { flags: NXDOMAIN })];
    }
    if (asked.question.name.toLowerCase().startsWith('tcp') && asked.transport === 'udp') {
      return [response(asked, { flags: TRUNCATED })];
    }
    return [response(asked, { answers: [a(asked.question.name, '192.0.2.1')] })];
  };
  const nameServers = [
    { address: SERVER },
    { address: SERVER, transport: 'DoT' as const, sni: SNI, resolveDomains: ['dot.test'] },
    { address: SERVER, transport: 'DoH' as const, sni: SNI, resolveDomains: ['doh.test'] },
  ];
  await using pair = tunnelPair({ info: { nameServers }, client: { dnsCa: authority.certPem } });
  await using bare = tunnelPair({ info: { nameServers: [] } });
  dnsServer(pair.server, script);
  const secure = await secureDnsServer(pair.server, authority, script);
  const { resolver, lookup } = pair.client;

  const made = await outside(async () => {
    for (const name of ['udp.test', 'tcp.test', 'a.dot.test', 'a.doh.test']) {
      expect(await resolver.resolve4(name)).toEqual(['192.0.2.1']);
    }
    await lookup('localhost');
    await lookup('192.0.2.7');
    for (const dialer of [pair.client, bare.client]) {
      await expect(dialer.lookup('none.test')).rejects.toMatchObject({ code: 'ENOTFOUND' });
      await expect(dialer.dial('tcp', 'none.test:80')).rejects.toMatchObject({ code: 'ENOTFOUND' });
      await expect(dialer.fetch('http://none.test/')).rejects.toThrow('fetch failed');
      await expect(dialer.dial('udp', 'none.test:53')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    }
  });

  expect(new Set(secure.connections)).toEqual(new Set(['dot', 'http/1.1']));
  expect(made).toEqual([]);
}, 30_000);
