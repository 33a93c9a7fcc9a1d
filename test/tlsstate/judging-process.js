// Meets a server of node:tls with the built client, and tells what came of it. Both are in this
// process, which has been started with an environment that would widen what node:tls trusts.
import tls from 'node:tls';
import { Secret } from '../../dist/core/secret.js';
import { TlsBio } from '../../dist/tlsstate/tls-bio.js';
import { TlsEngine } from '../../dist/tlsstate/tls-engine.js';

const MAX_TURNS = 2000;

/** @type {{ server: { cert: string, key: string }, client: Record<string, unknown>, clientKey: string }} */
const { server, client, clientKey } = JSON.parse(process.argv[2] ?? '');
let receivedBytes = 0;
const bio = new TlsBio(() => {});
const listener = tls.createServer(server);
listener.on('secureConnection', (socket) => {
  socket.on('data', (bytes) => {
    receivedBytes += bytes.length;
  });
  socket.on('error', () => {});
});
listener.on('tlsClientError', () => {});
bio.on('error', () => {});
listener.emit('connection', bio);

const engine = new TlsEngine('client', { ...client, key: new Secret(clientKey) }, () => {});
let event;
for (let turn = 0; turn < MAX_TURNS && event === undefined; turn += 1) {
  for (let bytes = engine.takeOutput(1000); bytes !== undefined; bytes = engine.takeOutput(1000)) {
    bio.feed(bytes);
  }
  for (let bytes = bio.takeOutput(1000); bytes !== undefined; bytes = bio.takeOutput(1000)) {
    engine.feed(bytes);
  }
  event = engine.takeEvent();
  await new Promise((resolve) => setImmediate(resolve));
}
// What node:tls alone makes of it with its defaults: the environment does count there.
const naive = await new Promise((resolve) => {
  const other = tls.createServer(server).listen(0, '127.0.0.1', () => {
    const socket = tls.connect({
      port: other.address().port,
      checkServerIdentity: () => undefined,
    });
    socket.once('secureConnect', () => resolve('connected'));
    socket.once('error', (error) => resolve(error.code));
  });
  other.on('tlsClientError', () => {});
});
process.stdout.write(
  JSON.stringify({ kind: event?.kind, code: event?.error?.code, receivedBytes, naive }),
);
process.exit(0);
