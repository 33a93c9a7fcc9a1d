import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Lab, unprivileged } from '../../test/lab/lab.ts';
import { LAB } from '../../test/lab/openvpn-config.ts';
import { median } from './transfer.ts';

/** How soon a client answers. Unit: milliseconds. */
export interface Answers {
  /** From the start, of the process or inside one that runs, to the first reply to a ping. */
  readonly firstReplyMs: number;
  /** A ping of 56 bytes through the tunnel, and beside it. */
  readonly pingMs: number;
  readonly directPingMs: number;
}

const PINGS = 300;
const PING_INTERVAL_MS = 10;
const STARTS = 9;
const CLIENT = fileURLToPath(new URL('answers-client.js', import.meta.url));

/** Debian's openvpn, from the start of its process, and the kernel's ping. */
export async function openvpnAnswers(lab: Lab, profile: string): Promise<Answers> {
  const firstReplies: number[] = [];
  let pingMs = Number.NaN;
  for (let start = 0; start < STARTS; start += 1) {
    const [file = '', ...args] = lab.inClient(['openvpn', '--config', profile, '--dev', 'tun0']);
    const startedAt = performance.now();
    const client = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const exited = new Promise((resolve) => client.once('exit', resolve));
    await new Promise<void>((resolve, reject) => {
      client.stdout.on('data', (text) => {
        if (`${text}`.includes('Initialization Sequence Completed')) resolve();
      });
      client.once('exit', () => reject(new Error('openvpn ended before it had a tunnel')));
    });
    const upAfterMs = performance.now() - startedAt;
    const [first = Number.NaN] = await kernelPings(lab, LAB.tunnelServer, 1);
    firstReplies.push(upAfterMs + first);
    if (start === STARTS - 1) pingMs = median(await kernelPings(lab, LAB.tunnelServer, PINGS));
    client.kill();
    await exited;
  }
  return { firstReplyMs: median(firstReplies), pingMs, directPingMs: await directPing(lab) };
}

/** tundial, several times in one process, of which the first does not count. */
export async function tundialAnswers(lab: Lab, profile: string): Promise<Answers> {
  const args = [profile, LAB.tunnelServer, STARTS, PINGS, PING_INTERVAL_MS].map(String);
  const command = lab.inClient(unprivileged([process.execPath, CLIENT, ...args]));
  const { status, stdout, stderr } = await lab.background(command).finished();
  if (status !== 0) throw new Error(`tundial: status ${status}\n${stderr}`);
  const { firstReplies, pings } = JSON.parse(stdout) as Record<'firstReplies' | 'pings', number[]>;
  return {
    firstReplyMs: median(firstReplies),
    pingMs: median(pings),
    directPingMs: await directPing(lab),
  };
}

async function directPing(lab: Lab): Promise<number> {
  return median(await kernelPings(lab, LAB.server, PINGS));
}

/** Round trips by the kernel. Unit: milliseconds. */
async function kernelPings(lab: Lab, host: string, count: number): Promise<number[]> {
  const pace = ['-c', `${count}`, '-i', `${PING_INTERVAL_MS / 1000}`, '-s', '56'];
  const { stdout } = await lab.background(lab.inClient(['ping', '-n', ...pace, host])).finished();
  return [...stdout.matchAll(/time=([\d.]+) ms/g)].map(([, time]) => Number(time));
}
