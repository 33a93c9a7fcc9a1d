import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Site } from './site.ts';

const CLIENT = fileURLToPath(new URL('../../dist/vpnclient/vpn-client.js', import.meta.url));

/** A process of its own with a client; `up` once the tunnel is there, and how it ends. */
function clientProcess(
  profile: string,
  script: string,
): { ended: Promise<string>; kill: () => void } {
  const head = `
    import { VpnClient } from '${CLIENT}';
    const client = new VpnClient({ profile: ${JSON.stringify(profile)} });
    process.on('exit', () => console.log('exit', client.state));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', head + script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(output)));
  return { ended, kill: () => void child.kill('SIGKILL') };
}

describe.each(['udp', 'tcp'] as const)('the process of a client over %s', (protocol) => {
  test('ends although the tunnel is up, after unref()', async () => {
    await using site = await Site.open({ protocol });
    const { ended } = clientProcess(site.profile(), 'await client.start(); client.unref();');
    expect(await ended).toBe('exit up\n');
  });

  test('ends in the middle of start(), after unref()', async () => {
    await using site = await Site.open({ protocol });
    const script = `
      client.unref();
      client.on('state', ({ negotiation }) => console.log(negotiation ?? 'none'));
      client.start();
    `;
    const { ended } = clientProcess(site.profile(), script);
    expect(await ended).toMatch(/exit (connecting|negotiating)\n$/);
  });

  test('ends with close() in the middle of a reconnect, although nothing was unrefed', async () => {
    await using site = await Site.open({ protocol });
    const script = `
      client.on('reconnecting', ({ attempt }) => { console.log(attempt); client.close(); });
      await client.start();
      client.reconnect();
    `;
    const { ended } = clientProcess(site.profile(), script);
    expect(await ended).toBe('1\nexit down\n');
  });

  test('stays in a rest, and ends with close()', async () => {
    await using site = await Site.open({ protocol });
    const script = `
      await client.start();
      await client.suspend();
      setTimeout(() => { console.log(client.state); client.close(); }, 300).unref();
    `;
    const { ended } = clientProcess(site.profile(), script);
    expect(await ended).toBe('suspended\nexit down\n');
  });

  test('stays while the tunnel is up, also after ref() again, and ends with close()', async () => {
    await using site = await Site.open({ protocol });
    const script = `
      await client.start();
      client.unref();
      client.ref();
      setTimeout(() => { console.log('later'); client.close(); }, 300).unref();
    `;
    const { ended } = clientProcess(site.profile(), script);
    expect(await ended).toBe('later\nexit down\n');
  });
});
