import { createHash } from 'node:crypto';
import type { Command } from 'commander';
import { TunDialer } from '../dialer/tun-dialer.ts';
import { VpnClient } from '../vpnclient/vpn-client.ts';
import { type CommonFlags, command, type Run, runCommand } from './command.ts';
import { DEMO_HOST, DEMO_PAGE, DemoServer } from './demo-server.ts';
import { ExitStatus } from './exit-status.ts';
import { bytesText, type Output } from './output.ts';
import { summary } from './ping-summary.ts';

const PINGS = 4;

/** `tundial demo` */
export function demoCommand(): Command {
  return command(
    'demo',
    'a server and a client in this process: what a tunnel does, step by step; needs no network',
  ).action((flags: CommonFlags) => runCommand(flags, demo));
}

async function demo(run: Run): Promise<ExitStatus> {
  const { output, signal } = run;
  const steps = new Steps(output);
  await using server = await DemoServer.start();
  steps.say(`server on ${server.address}: web page, UDP echo and DNS behind it`);

  const client = new VpnClient({ profile: server.profile });
  client.on('state', ({ state, negotiation }) => {
    steps.say(negotiation === undefined ? state : `${state.padEnd(12)} ${negotiation}`);
  });
  const info = await client.start({ signal });
  await using dialer = TunDialer.over(client);
  steps.say(
    `tunnel up: ${info.ipv4?.address} and ${info.ipv6?.address}, ${info.cipher}, ${info.tlsVersion}`,
  );
  output.record({ event: 'up', ...info });

  const [address] = await dialer.resolver.resolve(DEMO_HOST, 'A');
  steps.say(`${DEMO_HOST} is ${address?.text}, asked inside the tunnel`);

  const page = Buffer.from(
    await (await dialer.fetch(`http://${DEMO_HOST}/`, { signal })).arrayBuffer(),
  );
  const digest = createHash('sha256').update(page).digest('hex');
  steps.say(`page fetched, ${bytesText(page.length)}, SHA-256 ${digest}`);
  output.record({ event: 'page', bytes: page.length, sha256: digest });
  output.line();
  for (const line of page.toString().trimEnd().split('\n')) output.line(`    ${line}`);
  output.line();
  const pageEqual = digest === createHash('sha256').update(DEMO_PAGE).digest('hex');
  if (!pageEqual) output.note('the page is not the one that was served');

  const echoed = await server.echo(dialer, 'hello through the tunnel');
  steps.say(`UDP echo: ${JSON.stringify(echoed)}`);
  output.line();

  const times = await pings(dialer, server.tunnelAddress, run);
  const { packetsIn, bytesIn, packetsOut, bytesOut } = client.stats;
  output.line();
  output.line(
    `through the tunnel: ${packetsOut} packets, ${bytesText(bytesOut)} up; ${packetsIn} packets, ${bytesText(bytesIn)} down`,
  );
  output.record({ event: 'traffic', packetsIn, bytesIn, packetsOut, bytesOut });
  return pageEqual && times.length === PINGS ? ExitStatus.DONE : ExitStatus.OUR_BUG;
}

async function pings(dialer: TunDialer, host: string, { output, signal }: Run): Promise<number[]> {
  const times: number[] = [];
  output.line('  seq  bytes  ttl      time');
  for await (const reply of dialer.ping(host, { count: PINGS, intervalMs: 100, signal })) {
    output.record({ event: 'ping', ...reply });
    if (reply.timeMs === undefined) continue;
    times.push(reply.timeMs);
    output.line(
      `  ${String(reply.sequence).padStart(3)}  ${String(reply.bytes).padStart(5)}  ${String(reply.ttl).padStart(3)}  ${reply.timeMs.toFixed(2).padStart(5)} ms`,
    );
  }
  for (const line of summary(host, PINGS, times)) output.line(line);
  return times;
}

/** Lines with the time since the start. */
class Steps {
  readonly #output: Output;
  readonly #started = performance.now();

  constructor(output: Output) {
    this.#output = output;
  }

  say(text: string): void {
    const elapsedMs = performance.now() - this.#started;
    this.#output.line(`${elapsedMs.toFixed(1).padStart(8)} ms  ${text}`);
    this.#output.record({ event: 'step', elapsedMs: Number(elapsedMs.toFixed(3)), text });
  }
}
