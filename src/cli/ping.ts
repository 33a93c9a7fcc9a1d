import type { Command } from 'commander';
import type { PingReply } from '../dialer/ping.ts';
import type { TunDialer } from '../dialer/tun-dialer.ts';
import { command, integer, type Run, runCommand, secondsOption } from './command.ts';
import { type ConnectFlags, connect, withConnectOptions, withDnsServer } from './connect.ts';
import { ExitStatus } from './exit-status.ts';
import { summary } from './ping-summary.ts';

interface PingFlags extends ConnectFlags {
  readonly count: number;
  readonly interval: number;
  readonly size: number;
  readonly wait: number;
}

/** `tundial ping PROFILE HOST` */
export function pingCommand(): Command {
  return withDnsServer(withConnectOptions(command('ping', 'ICMP echo through the tunnel')))
    .argument('<profile>', 'an .ovpn file')
    .argument('<host>', 'a name, resolved inside the tunnel, or an address')
    .option('-c, --count <n>', 'how many requests', integer(1, 1_000_000), 4)
    .addOption(secondsOption('-i, --interval <seconds>', 'time between two requests', 1000))
    .option('-s, --size <bytes>', 'bytes of payload', integer(0, 65_000), 56)
    .addOption(secondsOption('-W, --wait <seconds>', 'time to wait for each reply', 2000))
    .addHelpText('after', '\nExample:\n  tundial ping office.ovpn 10.8.0.1 -c 10 -i 0.2')
    .action((profile: string, host: string, flags: PingFlags) =>
      runCommand(flags, async (run) => {
        const dialer = await connect(profile, flags, run);
        try {
          return await pings(dialer, host, flags, run);
        } finally {
          await dialer.close();
        }
      }),
    );
}

async function pings(
  dialer: TunDialer,
  host: string,
  { count, interval, size, wait }: PingFlags,
  { output, signal }: Run,
): Promise<ExitStatus> {
  const times: number[] = [];
  let sent = 0;
  output.line(`PING ${host}: ${size} bytes of payload`);
  const options = { count, intervalMs: interval, timeoutMs: wait, payloadBytes: size, signal };
  try {
    for await (const reply of dialer.ping(host, options)) {
      sent += 1;
      if (reply.timeMs !== undefined) times.push(reply.timeMs);
      output.record(reply);
      output.line(replyLine(reply));
    }
  } catch (error) {
    // Whoever interrupts a ping wants to see how it went.
    if (!signal.aborted) throw error;
  }
  for (const line of summary(host, sent, times)) output.line(line);
  return times.length > 0 ? ExitStatus.DONE : ExitStatus.NO;
}

function replyLine({ sequence, bytes, from, ttl, timeMs, error }: PingReply): string {
  if (timeMs !== undefined) {
    return `${bytes} bytes from ${from}: seq=${sequence} ttl=${ttl} time=${timeMs.toFixed(2)} ms`;
  }
  const teller = from === undefined ? '' : `, says ${from}`;
  return `no reply: seq=${sequence} ${error ?? 'timed-out'}${teller}`;
}
