// One tunnel and one download through it for a fixed time; writes the local port of the tunnel's
// socket, then, when the download is over, a `JunkResult` as JSON.
//   node junk-download.js PROFILE HOST:PORT MILLISECONDS
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startNewTunDialer } from '../../src/dialer/start-new-tun-dialer.ts';
import { ENDLESS_BYTES } from './endless.ts';
import type { JunkResult } from './junk-kinds.ts';

const [profile = '', target = '', milliseconds] = process.argv.slice(2);

/** Of the transfer before the one that counts: by then the hot code is compiled. */
const WARM_UP_BYTES = 40e6;

const dialer = await startNewTunDialer({ profile });
await (await dialer.fetch(`http://${target}/${WARM_UP_BYTES}`)).arrayBuffer();
console.log(`port ${dialer.client.localPort}`);
const socket = await dialer.dial('tcp', target);
let received = 0;
socket.on('data', (chunk: Buffer) => {
  received += chunk.length;
});
const cpuBefore = process.cpuUsage();
const refusedBefore = refused();
const startedAt = performance.now();
socket.write(`GET /${ENDLESS_BYTES} HTTP/1.1\r\nHost: bench\r\n\r\n`);
await once(socket, 'data');
await sleep(Number(milliseconds));
const seconds = (performance.now() - startedAt) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
const result: JunkResult = {
  mbitPerSecond: (received * 8) / seconds / 1e6,
  load: (user + system) / 1e6 / seconds,
  refusedPerSecond: (refused() - refusedBefore) / seconds,
};
console.log(JSON.stringify(result));
socket.destroy();
await dialer.close();

function refused(): number {
  const layers = Object.values(dialer.client.stats.drops);
  return layers.flatMap((reasons) => Object.values(reasons)).reduce((sum, n) => sum + n, 0);
}
