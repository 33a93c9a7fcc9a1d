import { readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second for everything in /proc (`sysconf(_SC_CLK_TCK)`). */
const TICK_MS = 10;

/** User and system time of a running process so far. Unit: milliseconds, in steps of ten. */
export function processCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field, the name in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [fields[11], fields[12]];
  return (Number(user) + Number(system)) * TICK_MS;
}
