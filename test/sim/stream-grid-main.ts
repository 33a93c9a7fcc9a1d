// Runs the stream grid over many seeds: node stream-grid-main.js [COUNT [FIRST]]
// Prints a line for each seed that fails, and how far it is where somebody watches.
import { runSeed } from './stream-grid-run.ts';

const [count = 10_000, first = 1] = process.argv.slice(2).map(Number);
if (!(count > 0) || !Number.isInteger(first))
  throw new Error('expected COUNT and FIRST as numbers');

const { stdout, stderr } = process;
const startedAt = performance.now();
let failed = 0;
for (let done = 0; done < count; done += 1) {
  const { fault } = runSeed(first + done);
  if (fault !== undefined) {
    failed += 1;
    stdout.write(`${fault}\n`);
  }
  if (stderr.isTTY && done % 100 === 0)
    stderr.write(`\r${done} of ${count} seeds, ${failed} failed`);
}
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
if (stderr.isTTY) stderr.write('\r\x1b[K');
stdout.write(`${count} seeds from ${first}: ${failed} failed, ${seconds} s\n`);
process.exitCode = failed === 0 ? 0 : 1;
