import { afterEach, describe, expect, test } from 'vitest';
import { readProfile } from '../../src/config/read-profile.ts';
import type { OuterProxy } from '../../src/model/profile.ts';
import { VpnClient } from '../../src/vpnclient/vpn-client.ts';
import { honestHttpProxy, proxyAt, SocksProxy, user } from '../networkio/fake-proxy.ts';
import { Site } from './site.ts';

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const open of closing.splice(0).reverse()) await open.close();
});

/** A client whose way leads through `proxy`, closed after the test. */
function clientBy(site: Site, proxy: OuterProxy): VpnClient {
  const profile = { ...readProfile(site.profile({ lines: ['connect-retry 1 1'] })), proxy };
  const client = new VpnClient({ profile });
  client.on('error', () => {});
  closing.push(client);
  return client;
}

function upAgain(client: VpnClient): Promise<void> {
  return new Promise((resolve) => client.once('up', () => resolve()));
}

describe('a tunnel', () => {
  test('by an HTTP proxy that asks for a password, and by it again after the connection broke', async () => {
    await using site = await Site.open({ protocol: 'tcp' });
    const challenge =
      'HTTP/1.1 407 x\r\nProxy-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\n\r\n';
    const http = await honestHttpProxy(({ fields }) =>
      fields.has('proxy-authorization') ? undefined : challenge,
    );
    closing.push(http);
    const credentials = user('u', 'p');
    const client = clientBy(site, proxyAt(http, { kind: 'http', auth: 'auto', credentials }));
    await client.start();
    expect(http.asked).toHaveLength(2);
    const again = upAgain(client);
    for (const socket of http.sockets) socket.destroy();
    await again;
    expect(http.asked).toHaveLength(4);
  });

  test('by UDP of a SOCKS5 proxy, and by it again after the association ended', async () => {
    await using site = await Site.open();
    const socks = await SocksProxy.open();
    closing.push(socks);
    const client = clientBy(site, proxyAt(socks, { kind: 'socks5' }));
    await client.start();
    expect(socks.asked.map(({ command }) => command)).toEqual([3]);
    const again = upAgain(client);
    for (const socket of socks.listener?.sockets ?? []) socket.destroy();
    await again;
    expect(socks.asked.map(({ command }) => command)).toEqual([3, 3]);
  });
});
