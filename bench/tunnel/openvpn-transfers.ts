import { truncateSync } from 'node:fs';
import type { Background } from '../../test/lab/commands.ts';
import type { Lab } from '../../test/lab/lab.ts';
import type { Course } from './course.ts';
import { processCpuMs } from './process-cpu.ts';
import { DIRECTIONS, type Direction, type Transfer } from './transfer.ts';

/** The course by Debian's openvpn, the kernel's TCP and curl. */
export async function openvpnTransfers(lab: Lab, course: Course): Promise<Transfer[]> {
  const client = lab.background(
    lab.inClient(['openvpn', '--config', course.profile, '--dev', 'tun0', '--verb', '3']),
  );
  await client.until('Initialization Sequence Completed');
  const transfers: Transfer[] = [];
  for (const direction of DIRECTIONS) {
    await measure(lab, client, { ...course, bytes: course.warmUpBytes }, direction);
    transfers.push(await measure(lab, client, course, direction));
  }
  await client.stop();
  return transfers;
}

async function measure(
  lab: Lab,
  client: Background,
  { target, bytes, serverPid }: Course,
  direction: Direction,
): Promise<Transfer> {
  const { pid = 0 } = client;
  const [clientBefore, serverBefore] = [processCpuMs(pid), processCpuMs(serverPid)];
  const curl = lab.inClient(timed(curlCommand(lab, target, bytes, direction)));
  const { status, stdout, stderr } = await lab.background(curl).finished();
  if (status !== 0) throw new Error(`curl: status ${status}\n${stderr}`);
  const [sentAt = 0, doneAt = 0] = stdout.split(' ').map(Number);
  const [user = 0, system = 0] = stderr.split(' ').map(Number);
  return {
    direction,
    bytes,
    seconds: doneAt - sentAt,
    tunnelCpuMs: processCpuMs(pid) - clientBefore,
    programCpuMs: (user + system) * 1000,
    serverCpuMs: processCpuMs(serverPid) - serverBefore,
  };
}

/** Writes when the request began and when all was done, in seconds from its start. */
function curlCommand(lab: Lab, target: string, bytes: number, direction: Direction): string[] {
  const report = ['-sS', '--fail', '-o', '/dev/null', '-w', '%{time_pretransfer} %{time_total}'];
  if (direction === 'download') return ['curl', ...report, `http://${target}/${bytes}`];
  const zeros = lab.write('zeros', '');
  truncateSync(zeros, bytes);
  return ['curl', ...report, '-H', 'Expect:', '-T', zeros, `http://${target}/`];
}

/** Writes user and system time to standard error, in seconds. */
function timed(command: readonly string[]): string[] {
  return ['bash', '-c', 'TIMEFORMAT="%U %S"; time "$@"', 'bash', ...command];
}
