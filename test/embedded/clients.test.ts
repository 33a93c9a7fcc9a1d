import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { type Duplex, PassThrough, type Readable, type Writable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import tls from 'node:tls';
import ssh2 from 'ssh2';
import { request, stream } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { TunDialer } from '../../src/dialer/tun-dialer.ts';
import type { TunSocket } from '../../src/dialer/tun-socket.ts';
import { authority, SERVER_NAME, Site, serverIdentity } from './site.ts';

const BODY = randomBytes(8 << 20);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const BODY_SHA256 = sha256(BODY);
const IDENTITY = { key: serverIdentity.keyPem, cert: serverIdentity.certPem };
const TRUST = { ca: authority.certPem, servername: SERVER_NAME };

let site: Site;
let dialer: TunDialer;
let host: string;
/** The sockets that the servers were given, by port. */
const accepted = new Map<number, TunSocket[]>();

/** What is served on each port: Node's own servers, and those of `ws` and `ssh2`. */
const web = http.createServer(serve);
const secureWeb = https.createServer(IDENTITY, serve);
const web2 = http2.createServer(serve);
const secureWeb2 = http2.createSecureServer({ ...IDENTITY, allowHTTP1: true }, serve);
const webSockets = new WebSocketServer({ noServer: true });
const ssh = new ssh2.Server({ hostKeys: [ssh2.utils.generateKeyPairSync('ed25519').private] });

function serve(request: Readable & { method?: string | undefined }, response: Writable): void {
  if (request.method === 'GET') response.end(BODY);
  else request.pipe(response);
}

beforeAll(async () => {
  site = await Site.open();
  dialer = await site.dialer();
  host = `${dialer.info.gateway}`;
  web.on('upgrade', (request, socket, head) => {
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('message', (message, isBinary) => webSocket.send(message, { binary: isBinary }));
    });
  });
  ssh.on('connection', serveShell);
  const server = site.serverDialer();
  const take = (port: number, give: (socket: TunSocket) => unknown) =>
    server.listen(port, (socket) => {
      accepted.set(port, [...(accepted.get(port) ?? []), socket]);
      give(socket);
    });
  take(22, (socket) => ssh.injectSocket(socket));
  take(80, (socket) => web.emit('connection', socket));
  take(443, (socket) => secureWeb.emit('connection', socket));
  take(8080, (socket) => web2.emit('connection', socket));
  take(8443, (socket) => secureWeb2.emit('connection', socket));
});

afterAll(async () => {
  webSockets.close();
  await site[Symbol.asyncDispose]();
});

/** `cat` for everybody. */
function serveShell(connection: ssh2.Connection): void {
  connection
    .on('authentication', (context) => context.accept())
    .on('session', (accept) => {
      accept().on('exec', (acceptExec) => {
        const channel = acceptExec();
        channel.pipe(channel).on('finish', () => channel.exit(0));
      });
    })
    .on('error', () => {});
}

async function fetched(url: string, options: https.RequestOptions): Promise<string> {
  const client = url.startsWith('https') ? https : http;
  const [response] = await once(client.get(url, options), 'response');
  return sha256(await buffer(response));
}

describe('node:http and node:https', () => {
  test.each(['http', 'https'] as const)('%s keeps its connection', async (scheme) => {
    const port = scheme === 'http' ? 80 : 443;
    const before = accepted.get(port)?.length ?? 0;
    const agent = scheme === 'http' ? dialer.agent() : dialer.agent({ tls: true });
    for (let count = 0; count < 3; count += 1) {
      expect(await fetched(`${scheme}://${host}/`, { agent, ...TRUST })).toBe(BODY_SHA256);
    }
    expect(accepted.get(port)).toHaveLength(before + 1);
  });

  test('answers a bad request with 400 and lives', async () => {
    const socket = await dialer.dial('tcp', `${host}:80`);
    socket.end('this is not HTTP\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400/);
  });
});

describe('node:http2', () => {
  test.each([
    { name: 'in the clear', port: 8080, secure: false },
    { name: 'over TLS', port: 8443, secure: true },
  ])('$name: many streams at once', async ({ port, secure }) => {
    const session = http2.connect(`${secure ? 'https' : 'http'}://${host}:${port}`, {
      createConnection: () => connection(port, secure),
    });
    const bodies = Array.from({ length: 5 }, (_, index) => randomBytes(300_000 + index));
    const echoed = await Promise.all(
      bodies.map((body) => {
        const exchange = session.request({ ':method': 'POST', ':path': '/' });
        exchange.end(body);
        return buffer(exchange);
      }),
    );
    expect(echoed.map(sha256)).toEqual(bodies.map(sha256));
    session.close();
    await once(session, 'close');
  });

  function connection(port: number, secure: boolean): Duplex {
    const socket = dialer.connect({ host, port, noDelay: true });
    return secure ? tls.connect({ ...TRUST, socket, ALPNProtocols: ['h2'] }) : socket;
  }
});

describe('undici', () => {
  const origins = () => [
    { name: 'HTTP/1.1', origin: `http://${host}`, port: 80, allowH2: false },
    { name: 'HTTP/1.1 over TLS', origin: `https://${host}`, port: 443, allowH2: false },
    { name: 'HTTP/2', origin: `https://${host}:8443`, port: 8443, allowH2: true },
  ];

  test.each([0, 1, 2])('request, stream and fetch, row %i', async (row) => {
    const { origin, port, allowH2, name } = origins()[row] ?? { origin: '', port: 0, name: '' };
    const before = accepted.get(port)?.length ?? 0;
    const dispatcher = dialer.dispatcher({ tls: TRUST, allowH2: allowH2 ?? false, connections: 1 });

    const requested = await request(origin, { dispatcher });
    expect(sha256(Buffer.from(await requested.body.arrayBuffer())), name).toBe(BODY_SHA256);

    const through = new PassThrough();
    const [streamed] = await Promise.all([
      buffer(through),
      stream(origin, { dispatcher, method: 'GET' }, () => through),
    ]);
    expect(sha256(streamed)).toBe(BODY_SHA256);

    const fetchedBody = await dialer.fetch(origin, { dispatcher, method: 'POST', body: BODY });
    expect(sha256(Buffer.from(await fetchedBody.arrayBuffer()))).toBe(BODY_SHA256);
    expect(accepted.get(port)).toHaveLength(before + 1);
  });
});

describe('ws', () => {
  test('echoes messages of 1 MB, binary and text', async () => {
    const webSocket = new WebSocket(`ws://${host}/`, { agent: dialer.agent() });
    await once(webSocket, 'open');
    const message = BODY.subarray(0, 1 << 20);
    for (let count = 0; count < 4; count += 1) {
      webSocket.send(message);
      const [echo] = await once(webSocket, 'message');
      expect(sha256(echo)).toBe(sha256(message));
    }
    webSocket.send('héllo');
    expect(`${(await once(webSocket, 'message'))[0]}`).toBe('héllo');
    webSocket.close();
    await once(webSocket, 'close');
  });
});

describe('ssh2', () => {
  test('runs a command that is fed and read at once', async () => {
    const client = new ssh2.Client();
    client.connect({ sock: dialer.connect({ host, port: 22 }), username: 'anybody' });
    await once(client, 'ready');
    const channel = await new Promise<ssh2.ClientChannel>((resolve, reject) =>
      client.exec('cat', (error, opened) => (error ? reject(error) : resolve(opened))),
    );
    channel.end(BODY);
    expect(sha256(await buffer(channel))).toBe(BODY_SHA256);
    client.end();
    await once(client, 'close');
  });
});

describe('many tunnels in one process', () => {
  test('each has its own addresses, ports and failures', async () => {
    const sites = await Promise.all(Array.from({ length: 6 }, (_, index) => siteOf(index)));
    const dialers = await Promise.all(sites.map((one) => one.dialer()));
    try {
      const servers = sites.map((one, index) => {
        const server = one.serverDialer();
        server.listen(7, (socket) => void socket.end(`tunnel ${index}`));
        return server;
      });
      const say = async (one: TunDialer) => text(await one.dial('tcp', `${one.info.gateway}:7`));
      expect(await Promise.all(dialers.map(say))).toEqual(dialers.map((_, at) => `tunnel ${at}`));
      expect(new Set(dialers.map(({ info }) => info.ipv4?.address)).size).toBe(sites.length);
      await expect(
        dialers[0]?.dial('tcp', `${dialers[1]?.info.gateway}:7`, { timeoutMs: 300 }),
      ).rejects.toThrow();
      await servers[0]?.close();
      await dialers[0]?.close();
      const others = dialers.slice(1);
      expect(await Promise.all(others.map(say))).toEqual(others.map((_, at) => `tunnel ${at + 1}`));
    } finally {
      await Promise.all(sites.map((one) => one[Symbol.asyncDispose]()));
    }
  });
});

function siteOf(index: number): Promise<Site> {
  return Site.open({ server: { subnet: `10.${70 + index}.0.0/24` } });
}
