import { fileURLToPath } from 'node:url';
import { type Lab, unprivileged } from '../../test/lab/lab.ts';
import type { Course } from './course.ts';
import type { Transfer } from './transfer.ts';

const CLIENT = fileURLToPath(new URL('tundial-client.js', import.meta.url));

/** The course by tundial, in a process of its own, as a user who owns nothing. */
export async function tundialTransfers(lab: Lab, course: Course): Promise<Transfer[]> {
  const { profile, target, bytes, warmUpBytes, serverPid } = course;
  const args = [profile, target, ...[bytes, warmUpBytes, serverPid].map(String)];
  const command = lab.inClient(unprivileged([process.execPath, CLIENT, ...args]));
  const { status, stdout, stderr } = await lab.background(command).finished();
  if (status !== 0) throw new Error(`tundial: status ${status}\n${stderr}`);
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Transfer);
}
