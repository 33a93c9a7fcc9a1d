import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage, type RequestListener } from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TunSocket } from '../../src/dialer/tun-socket.ts';
import { a, dnsServer, response } from './dns-server.ts';
import { CLIENT, SERVER, type TunnelPair, tunnelPair } from './tunnel-pair.ts';

const pki = (name: string) => readFileSync(new URL(`../vectors/pki/${name}`, import.meta.url));
const CA = pki('ca.crt');
const HOST = 'vector-server';

const echo: RequestListener = (request, response) => {
  response.setHeader('x-peer', `${request.socket.remoteAddress}`);
  response.setHeader('x-host', `${request.headers.host}`);
  request.pipe(response);
};

let pair: TunnelPair;
let sockets: TunSocket[];
let web: http.Server;
let secureWeb: https.Server;

beforeEach(() => {
  pair = tunnelPair();
  sockets = [];
  web = http.createServer(echo);
  secureWeb = https.createServer({ key: pki('server.key'), cert: pki('server.crt') }, echo);
  pair.server.listen({ port: 80 }, (socket) => {
    sockets.push(socket);
    web.emit('connection', socket);
  });
  pair.server.listen({ port: 443 }, (socket) => secureWeb.emit('connection', socket));
  dnsServer(pair.server, (asked) => {
    const { name, type } = asked.question;
    return [response(asked, type === 'A' ? { answers: [a(name, SERVER)] } : {})];
  });
});

afterEach(async () => {
  await pair[Symbol.asyncDispose]();
  web.close();
  secureWeb.close();
});

async function body(response: IncomingMessage): Promise<string> {
  return Buffer.concat(await response.toArray()).toString();
}

async function post(
  url: string,
  agent: http.Agent,
  text: string,
  options: https.RequestOptions = {},
) {
  const client = url.startsWith('https') ? https : http;
  const request = client.request(url, { method: 'POST', agent, ...options });
  request.end(text);
  const [response] = await once(request, 'response');
  return { response: response as IncomingMessage, text: await body(response) };
}

describe('agent', () => {
  test('carries requests of node:http, and keeps the connection', async () => {
    const agent = pair.client.agent();
    for (const text of ['one', 'two', 'three']) {
      const reply = await post(`http://${HOST}/`, agent, text);
      expect(reply.text).toBe(text);
      expect(reply.response.headers).toMatchObject({ 'x-peer': CLIENT, 'x-host': HOST });
    }
    expect(sockets).toHaveLength(1);
  });

  test('carries requests of node:https, checking the certificate', async () => {
    const agent = pair.client.agent({ tls: true });
    expect((await post(`https://${HOST}/`, agent, 'x', { ca: CA })).text).toBe('x');
    await expect(post(`https://other.test/`, agent, 'x', { ca: CA })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    await expect(post(`https://${HOST}/`, agent, 'x')).rejects.toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
  });

  test('passes the error of the socket on', async () => {
    for (const agent of [pair.client.agent(), pair.client.agent({ tls: true })]) {
      const scheme = agent instanceof https.Agent ? 'https' : 'http';
      await expect(post(`${scheme}://${SERVER}:99/`, agent, '')).rejects.toMatchObject({
        code: 'ECONNREFUSED',
        port: 99,
      });
    }
  });

  test('carries a large body both ways at once', async () => {
    const text = 'tundial '.repeat(400_000);
    const reply = await post(`http://${SERVER}/`, pair.client.agent(), text);
    expect(reply.text.length).toBe(text.length);
    expect(reply.text === text).toBe(true);
  });

  test('carries an upgraded connection', async () => {
    web.on('upgrade', (_request, socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n',
      );
      socket.pipe(socket);
    });
    const headers = { connection: 'upgrade', upgrade: 'echo' };
    const request = http.get(`http://${HOST}/`, { agent: pair.client.agent(), headers });
    const [, socket] = await once(request, 'upgrade');
    socket.write('ping');
    expect(`${(await once(socket, 'data'))[0]}`).toBe('ping');
    socket.destroy();
  });
});

describe('fetch', () => {
  test('resolves and connects inside the tunnel', async () => {
    const reply = await pair.client.fetch(`http://${HOST}/x`, { method: 'POST', body: 'hello' });
    expect(await reply.text()).toBe('hello');
    expect(reply.headers.get('x-peer')).toBe(CLIENT);
  });

  test('checks certificates by the dispatcher it is given', async () => {
    const init = { method: 'POST', body: 'secret' };
    const dispatcher = pair.client.dispatcher({ tls: { ca: CA } });
    const reply = await pair.client.fetch(`https://${HOST}/`, { ...init, dispatcher });
    expect(await reply.text()).toBe('secret');
    await expect(pair.client.fetch(`https://${HOST}/`, init)).rejects.toMatchObject({
      cause: { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
    });
  });

  test.each(['http', 'https'])('fails over %s with the cause of the socket', async (scheme) => {
    await expect(pair.client.fetch(`${scheme}://${SERVER}:99/`)).rejects.toMatchObject({
      cause: { code: 'ECONNREFUSED', syscall: 'connect', address: SERVER, port: 99 },
    });
  });

  test('can be aborted while it connects', async () => {
    const abort = new AbortController();
    const pending = pair.client.fetch('http://10.8.0.99/', { signal: abort.signal });
    setImmediate(() => abort.abort());
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('node:tls', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('runs %s over a TunSocket', async (version) => {
    const socket = tls.connect({
      socket: pair.client.connect({ host: SERVER, port: 443 }),
      servername: HOST,
      ca: CA,
      minVersion: version,
      maxVersion: version,
    });
    await once(socket, 'secureConnect');
    expect(socket.authorized).toBe(true);
    expect(socket.getProtocol()).toBe(version);
    socket.write('GET / HTTP/1.0\r\n\r\n');
    expect(`${(await once(socket, 'data'))[0]}`).toMatch(/^HTTP\/1\.1 200/);
    socket.destroy();
  });
});
