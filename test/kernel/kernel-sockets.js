// The kernel's end of the socket tests: node kernel-sockets.js WHAT ARGUMENTS…
//   hash PORT PAUSE_MS             hears until FIN, reading nothing at first, and answers `BYTES SHA256`
//   reset PORT                     resets every connection after its first bytes
//   clients HOST PORT COUNT BYTES  COUNT connections at once that each send BYTES and hear an answer
// Prints `ready` when it listens; `clients` prints its result as JSON.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';

const [what, ...args] = process.argv.slice(2);

const servers = {
  async hash(socket, pauseMs) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const hash = createHash('sha256');
    let bytes = 0;
    socket.on('data', (chunk) => {
      hash.update(chunk);
      bytes += chunk.length;
    });
    await once(socket.resume(), 'end');
    socket.end(`${bytes} ${hash.digest('hex')}`);
  },
  reset(socket) {
    socket.once('data', () => socket.resetAndDestroy());
  },
};

async function client(host, port, bytes) {
  const socket = net.connect({ host, port, allowHalfOpen: true });
  try {
    await once(socket, 'connect');
    socket.end(Buffer.alloc(bytes, 'kernel'));
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    return { answer };
  } catch (error) {
    return { answer: error.code };
  }
}

if (what === 'clients') {
  const [host, port, count, bytes] = [args[0], ...args.slice(1).map(Number)];
  const clients = Array.from({ length: count }, () => client(host, port, bytes));
  process.stdout.write(`${JSON.stringify(await Promise.all(clients))}\n`);
} else {
  const [port, option = 0] = args.map(Number);
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: what === 'hash' });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    void servers[what](socket, option);
  });
  server.listen(port, '::', 511, () => process.stdout.write('ready\n'));
}
