import { fileURLToPath } from 'node:url';
import { type Lab, unprivileged } from '../../test/lab/lab.ts';
import { LAB } from '../../test/lab/openvpn-config.ts';
import { CONGESTION, DIRECTIONS, type Direction, type Goodput } from './setting.ts';

const CLIENT = fileURLToPath(new URL('line-client.js', import.meta.url));
/** iperf3 connects and counts beside the transfer itself; bad lines are slow at that. */
const GRACE_MS = 60_000;

/** What both clients get. */
export interface Course {
  readonly profile: string;
  /** iperf3's servers inside the tunnel: each serves one test at a time. */
  readonly ports: Readonly<Record<Direction, number>>;
  readonly seconds: number;
}

/** Debian's openvpn with the kernel's TCP. */
export async function openvpnGoodput(lab: Lab, course: Course): Promise<Goodput> {
  const client = lab.background(
    lab.inClient(['openvpn', '--config', course.profile, '--dev', 'tun0', '--verb', '3']),
  );
  await client.until('Initialization Sequence Completed', GRACE_MS);
  const goodput = { download: 0, upload: 0 };
  for (const direction of DIRECTIONS) goodput[direction] = await kernel(lab, course, direction);
  await client.stop();
  return goodput;
}

/** tundial in a process of its own, as a user who owns nothing. */
export async function tundialGoodput(lab: Lab, course: Course): Promise<Goodput> {
  const { profile, ports, seconds } = course;
  const args = [profile, LAB.tunnelServer, ...[ports.download, ports.upload, seconds].map(String)];
  const command = lab.inClient(unprivileged([process.execPath, CLIENT, ...args]));
  const { status, stdout, stderr } = await lab
    .background(command)
    .finished(2 * seconds * 1000 + GRACE_MS);
  if (status !== 0) throw new Error(`tundial: status ${status}\n${stdout}${stderr}`);
  return JSON.parse(stdout) as Goodput;
}

async function kernel(lab: Lab, course: Course, direction: Direction): Promise<number> {
  const { ports, seconds } = course;
  const target = [
    '-c',
    LAB.tunnelServer,
    '-p',
    `${ports[direction]}`,
    '-t',
    `${seconds}`,
    '-C',
    CONGESTION,
  ];
  const reverse = direction === 'download' ? ['-R'] : [];
  const { status, stdout, stderr } = await lab
    .background(lab.inClient(['iperf3', '-J', ...target, ...reverse]))
    .finished(seconds * 1000 + GRACE_MS);
  if (status !== 0) throw new Error(`iperf3: status ${status}\n${stdout}${stderr}`);
  const report = JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } };
  return report.end.sum_received.bits_per_second / 1e6;
}
