import { fileURLToPath } from 'node:url';
import { type Lab, unprivileged } from '../../test/lab/lab.ts';
import { processCpuMs } from '../tunnel/process-cpu.ts';
import { ENDLESS_BYTES } from './endless.ts';
import type { JunkResult } from './junk-kinds.ts';

/** A download that goes on for a fixed time. */
export interface JunkDownload {
  readonly lab: Lab;
  /** `host:port` inside the tunnel. */
  readonly target: string;
  readonly seconds: number;
  /** Starts the junk for the client's port, once it is known; gives what ends it. */
  readonly junk: (port: string) => Promise<() => Promise<unknown>>;
}

export type JunkClient = (download: JunkDownload) => Promise<JunkResult>;

const DOWNLOAD = fileURLToPath(new URL('junk-download.js', import.meta.url));
/** Status of curl when its time is over. */
const CURL_TIMED_OUT = 28;

/** By tundial, as a user who owns nothing. */
export const downloadByTundial: JunkClient = async ({ lab, target, seconds, junk }) => {
  const args = [lab.profile(), target, String(seconds * 1000)];
  const client = lab.background(lab.inClient(unprivileged([process.execPath, DOWNLOAD, ...args])));
  await client.until('port ');
  const end = await junk(/port (\d+)/.exec(client.stdout)?.[1] ?? '');
  const { status, stdout, stderr } = await client.finished();
  await end();
  if (status !== 0) throw new Error(`tundial: status ${status}\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as JunkResult;
};

/** By Debian's openvpn, the kernel's TCP and curl. */
export const downloadByOpenvpn: JunkClient = async ({ lab, target, seconds, junk }) => {
  const client = lab.background(
    lab.inClient(['openvpn', '--config', lab.profile(), '--dev', 'tun0', '--verb', '3']),
  );
  await client.until('Initialization Sequence Completed');
  const end = await junk(await udpPort(lab));
  const before = processCpuMs(client.pid ?? 0);
  const curl = await lab.background(lab.inClient(curlCommand(target, seconds))).finished();
  const cpuMs = processCpuMs(client.pid ?? 0) - before;
  await end();
  await client.stop();
  if (curl.status !== CURL_TIMED_OUT) throw new Error(`curl: ${curl.status}\n${curl.stderr}`);
  const mbitPerSecond = (Number(curl.stdout) * 8) / 1e6;
  return { mbitPerSecond, load: cpuMs / 1000 / seconds, refusedPerSecond: Number.NaN };
};

function curlCommand(target: string, seconds: number): string[] {
  const report = ['-sS', '-o', '/dev/null', '-w', '%{speed_download}', '-m', String(seconds)];
  return ['curl', ...report, `http://${target}/${ENDLESS_BYTES}`];
}

/** The local port of the one UDP socket in the client's namespace. */
async function udpPort(lab: Lab): Promise<string> {
  const sockets = lab.background(lab.inClient(['ss', '-uanH']));
  const { stdout } = await sockets.finished();
  const port = /:(\d+)\s+\S+:\S+\s*$/m.exec(stdout)?.[1];
  if (port === undefined) throw new Error(`expected a UDP socket, got:\n${stdout}`);
  return port;
}
