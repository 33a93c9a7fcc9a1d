// Opens one tunnel and uses well-known clients of npm through it, against real servers; one JSON
// line a client, with what it saw.
//   node real-clients.js FILE
// FILE: JSON, what `RealClientsPlan` (real-clients.ts) describes.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { PassThrough } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import tls from 'node:tls';
import { AbstractConnector, Redis } from 'ioredis';
import ssh2 from 'ssh2';
import { request, stream } from 'undici';
import { WebSocket } from 'ws';
import { startNewTunDialer } from '../../dist/index.js';

const plan = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const trust = { ca: plan.caPem, servername: plan.serverName };
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const { host, ports } = plan;
const web = `http://${host}:${ports.web}`;
const secureWeb = `https://${host}:${ports.secureWeb}`;

/** A connector of ioredis: where its connections come from. */
class TunnelConnector extends AbstractConnector {
  async connect() {
    this.connecting = true;
    this.stream = dialer.connect({ host, port: ports.redis, noDelay: true });
    return this.stream;
  }
}

const dialer = await startNewTunDialer({ profile: plan.profile });
const clients = {
  http: byHttp,
  https: byHttps,
  http2: byHttp2,
  undici,
  undiciH2,
  ws,
  ioredis,
  ssh2: ssh,
};
for (const [name, use] of Object.entries(clients)) {
  const startedAt = performance.now();
  let seen;
  try {
    seen = await use();
  } catch (error) {
    seen = { error: { code: `${error.code}`, message: `${error.stack}` } };
  }
  const elapsedMs = Math.round(performance.now() - startedAt);
  console.log(JSON.stringify({ event: 'row', name, ...seen, elapsedMs }));
}
await dialer.close();

async function byHttp() {
  return await pages(http, web, dialer.agent({ maxSockets: 2 }));
}

async function byHttps() {
  return await pages(https, secureWeb, dialer.agent({ tls: true, maxSockets: 2 }));
}

/** Two requests at once, then two in turn; how many connections that took. */
async function pages(client, origin, agent) {
  const sockets = new Set();
  const get = async () => {
    const asked = client.get(`${origin}${plan.path}`, { agent, ...trust });
    asked.on('socket', (socket) => sockets.add(socket));
    const [response] = await once(asked, 'response');
    return sha256(await buffer(response));
  };
  const hashes = await Promise.all(Array.from({ length: 2 }, get));
  for (let count = 0; count < 2; count += 1) hashes.push(await get());
  return { hashes: [...new Set(hashes)], sockets: sockets.size };
}

async function byHttp2() {
  const session = http2.connect(secureWeb, {
    createConnection: () => {
      const socket = dialer.connect({ host, port: ports.secureWeb, noDelay: true });
      return tls.connect({ ...trust, socket, ALPNProtocols: ['h2'] });
    },
  });
  const get = () => buffer(session.request({ ':path': plan.path }));
  const bodies = await Promise.all(Array.from({ length: 2 }, get));
  session.close();
  await once(session, 'close');
  return { hashes: [...new Set(bodies.map(sha256))] };
}

async function undici() {
  return await byUndici(web, dialer.dispatcher({ connections: 2 }));
}

async function undiciH2() {
  return await byUndici(
    secureWeb,
    dialer.dispatcher({ tls: trust, allowH2: true, connections: 2 }),
  );
}

async function byUndici(origin, dispatcher) {
  const url = `${origin}${plan.path}`;
  const requested = await request(url, { dispatcher });
  const through = new PassThrough();
  const streamed = buffer(through);
  await stream(url, { dispatcher, method: 'GET' }, () => through);
  const fetched = await Promise.all(
    Array.from({ length: 2 }, async () => (await dialer.fetch(url, { dispatcher })).arrayBuffer()),
  );
  const bodies = [await requested.body.arrayBuffer(), await streamed, ...fetched];
  return { hashes: [...new Set(bodies.map((body) => sha256(Buffer.from(body))))] };
}

async function ws() {
  const socket = new WebSocket(`ws://${host}:${plan.webSocketPort}/`, { agent: dialer.agent() });
  await once(socket, 'open');
  let isSame = true;
  for (let count = 0; count < 10; count += 1) {
    const message = randomBytes(1 << 20);
    socket.send(message);
    const [echo] = await once(socket, 'message');
    isSame &&= message.equals(echo);
  }
  socket.close();
  const [code] = await once(socket, 'close');
  return { isSame, code };
}

async function ioredis() {
  const [redis, subscriber] = [0, 1].map(() => new Redis({ Connector: TunnelConnector }));
  const pipeline = redis.pipeline();
  for (let index = 0; index < 10_000; index += 1) pipeline.set(`key ${index}`, `value ${index}`);
  const results = await pipeline.exec();
  const values = await redis.mget(['key 0', 'key 9999', 'absent']);
  const large = randomBytes(4 << 20);
  await redis.set('large', large);
  const isSame = large.equals(await redis.getBuffer('large'));
  await subscriber.subscribe('news');
  const heard = once(subscriber, 'message');
  await redis.publish('news', 'hello');
  const message = await heard;
  await Promise.all([redis.quit(), subscriber.quit()]);
  return { done: results.filter(([, reply]) => reply === 'OK').length, values, isSame, message };
}

async function ssh() {
  const client = new ssh2.Client();
  const sock = dialer.connect({ host, port: ports.ssh });
  client.connect({ sock, username: 'root', privateKey: readFileSync(plan.sshKeyFile) });
  await once(client, 'ready');
  const content = randomBytes(10_000_000);
  const channel = await called((done) => client.exec('sha256sum', done));
  channel.end(content);
  const [summed] = (await text(channel)).split(' ');
  const sftp = await called((done) => client.sftp(done));
  const stored = `${plan.folder}/by-sftp`;
  await called((done) => sftp.writeFile(stored, content, done));
  const read = await called((done) => sftp.readFile(stored, done));
  client.end();
  await once(client, 'close');
  return { isSame: summed === sha256(content), isSameBySftp: content.equals(read) };
}

/** What a call with a callback gives. */
function called(call) {
  return new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value)));
  });
}
