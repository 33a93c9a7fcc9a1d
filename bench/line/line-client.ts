// A tunnel by tundial, iperf3 through it in both directions; one JSON line of `Goodput`.
//   node line-client.js PROFILE HOST DOWNLOAD_PORT UPLOAD_PORT SECONDS
import { startNewTunDialer } from '../../src/dialer/start-new-tun-dialer.ts';
import { iperf3 } from '../../test/kernel/iperf3-client.ts';
import { CONGESTION } from './setting.ts';

const [profile = '', host = '', ...numbers] = process.argv.slice(2);
const [downloadPort = 0, uploadPort = 0, seconds = 0] = numbers.map(Number);
const durationMs = seconds * 1000;

const dialer = await startNewTunDialer({ profile });
// iperf3 resets at the end of a test what it has not read; whoever waits for a socket hears of it.
const connect = (port: number) => () => dialer.connect({ host, port }).on('error', () => {});
const test = { durationMs, congestion: CONGESTION };
const download = await iperf3(connect(downloadPort), { ...test, reverse: true });
const upload = await iperf3(connect(uploadPort), test);
console.log(
  JSON.stringify({ download: download.megabitsPerSecond, upload: upload.megabitsPerSecond }),
);
await dialer.close();
