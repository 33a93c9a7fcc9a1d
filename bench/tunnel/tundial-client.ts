// One tunnel by tundial, one TCP flow after the other through it; a JSON line for each `Transfer`.
//   node tundial-client.js PROFILE HOST:PORT BYTES WARM_UP_BYTES SERVER_PID
import { startNewTunDialer } from '../../src/dialer/start-new-tun-dialer.ts';
import type { TunSocket } from '../../src/dialer/tun-socket.ts';
import { processCpuMs } from './process-cpu.ts';
import { DIRECTIONS, type Direction, type Transfer } from './transfer.ts';

const [profile = '', target = '', ...numbers] = process.argv.slice(2);
const [bytes = 0, warmUpBytes = 0, serverPid = 0] = numbers.map(Number);
const END_OF_HEAD = '\r\n\r\n';
/** What curl writes at a time. */
const CHUNK = Buffer.alloc(64 * 1024);

const dialer = await startNewTunDialer({ profile });
for (const direction of DIRECTIONS) {
  await measure(direction, warmUpBytes);
  console.log(JSON.stringify(await measure(direction, bytes)));
}
await dialer.close();

async function measure(direction: Direction, size: number): Promise<Transfer> {
  const socket = await dialer.dial('tcp', target);
  const serverBefore = processCpuMs(serverPid);
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await (direction === 'download' ? download(socket, size) : upload(socket, size));
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const serverCpuMs = processCpuMs(serverPid) - serverBefore;
  socket.destroy();
  const tunnelCpuMs = (user + system) / 1000;
  return { direction, bytes: size, seconds, tunnelCpuMs, programCpuMs: 0, serverCpuMs };
}

/** Reads the body of the answer to its last byte. */
function download(socket: TunSocket, size: number): Promise<void> {
  socket.write(`GET /${size} HTTP/1.1\r\nHost: bench\r\n\r\n`);
  return new Promise((resolve, reject) => {
    let head = '';
    let body = -1;
    socket.once('error', reject);
    socket.on('data', (chunk: Buffer) => {
      if (body < 0) {
        head += chunk.toString('latin1');
        const end = head.indexOf(END_OF_HEAD);
        if (end >= 0) body = head.length - end - END_OF_HEAD.length;
      } else {
        body += chunk.length;
      }
      if (body >= size) resolve();
    });
  });
}

/** Writes as fast as the socket takes it, and waits for the answer. */
function upload(socket: TunSocket, size: number): Promise<void> {
  socket.write(`PUT / HTTP/1.1\r\nHost: bench\r\nContent-Length: ${size}\r\n\r\n`);
  return new Promise((resolve, reject) => {
    let left = size;
    const fill = () => {
      let hasRoom = true;
      while (left > 0 && hasRoom) {
        hasRoom = socket.write(left >= CHUNK.length ? CHUNK : CHUNK.subarray(0, left));
        left -= CHUNK.length;
      }
    };
    socket.once('error', reject);
    socket.once('data', () => resolve());
    socket.on('drain', fill);
    fill();
  });
}
