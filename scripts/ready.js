// Installs what the lock file says when it is not there, and builds: so that `npm start` and
// `npm test` work on a fresh clone with nothing but Node and npm.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const newer = (a, b) => !existsSync(b) || statSync(a).mtimeMs > statSync(b).mtimeMs;

const run = (command, args) => {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error !== undefined) console.error(`tundial: ${command} did not start: ${error.message}`);
  if (status !== 0) process.exit(status ?? 70);
};

if (newer(`${root}package-lock.json`, `${root}node_modules/.package-lock.json`)) {
  console.error('tundial: installing the packages that package-lock.json names …');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}
console.error('tundial: building …');
run(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', 'tsconfig.build.json']);
