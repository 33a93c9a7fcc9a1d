import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Site } from './site.ts';

const INDEX = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

/** What a process of its own says that has a dialer which was `unref`ed; it is killed after ten seconds. */
async function said(profile: string, script: string): Promise<string> {
  const head = `
    import { startNewTunDialer } from '${INDEX}';
    const dialer = await startNewTunDialer({ profile: ${JSON.stringify(profile)} });
    const host = dialer.info.gateway;
    process.on('exit', () => console.log('exit', dialer.client.state));
    dialer.unref();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', head + script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 10_000,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return output;
}

const UP = 'exit up\n';
const LATER_MS = 300;

// biome-ignore format: a table, one row a line
const ROWS = [
  { name: 'ends with nothing open',                         script: '',                                                                                    output: UP },
  { name: 'stays for a socket that is open',                script: `dialer.connect({ host, port: 7 }).on('data', (text) => console.log(\`\${text}\`));`, output: `later\n${UP}` },
  { name: 'ends with a socket that was unrefed',            script: 'await dialer.dial("tcp", host + ":7").then((socket) => socket.unref());',             output: UP },
  { name: 'ends with a socket unrefed before it connects',  script: 'dialer.connect({ host, port: 7 }).unref();',                                          output: UP },
  { name: 'stays for a socket that was refed again',        script: `dialer.connect({ host, port: 7 }).unref().ref().on('data', (text) => console.log(\`\${text}\`));`, output: `later\n${UP}` },
  { name: 'ends with a server that was unrefed',            script: 'dialer.listen(80).unref();',                                                          output: UP },
  { name: 'ends with a UDP socket that was unrefed',        script: 'dialer.createSocket("udp4").bind(9).unref();',                                      output: UP },
  { name: 'stays for a server until it is closed',          script: `const server = dialer.listen(80, () => {}); setTimeout(() => { console.log('later'); server.close(); }, ${LATER_MS}).unref();`, output: `later\n${UP}` },
  { name: 'stays for the tunnel after ref()',               script: `dialer.ref(); setTimeout(() => { console.log('later'); void dialer.close(); }, ${LATER_MS}).unref();`, output: 'later\nexit down\n' },
];

describe('a process whose dialer is unrefed', () => {
  test.each(ROWS)('$name', async ({ script, output }) => {
    await using site = await Site.open();
    site.serverDialer().listen(7, (socket) => {
      socket.on('error', () => {});
      setTimeout(() => socket.end('later'), LATER_MS);
    });
    expect(await said(site.profile(), script)).toBe(output);
  });
});
