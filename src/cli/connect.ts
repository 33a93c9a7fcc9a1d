import { type Command, InvalidArgumentError } from 'commander';
import { readPrivateFile } from '../config/profile-files.ts';
import { parseUserPassword } from '../config/user-password.ts';
import { OvpnConfigError } from '../core/errors.ts';
import { parseDnsServer } from '../dialer/dns-server.ts';
import { startNewTunDialer } from '../dialer/start-new-tun-dialer.ts';
import type { TunDialer } from '../dialer/tun-dialer.ts';
import type { UserPassword } from '../model/credentials.ts';
import type { Tracer } from '../model/tracer.ts';
import type { VpnClientOptions } from '../vpnclient/options.ts';
import { type CommonFlags, type Run, secondsOption } from './command.ts';

/** Options of the commands that connect to a server. */
export interface ConnectFlags extends CommonFlags {
  /** Unit: milliseconds. */
  readonly timeout: number;
  readonly authUserPass?: string;
  readonly dnsServer?: readonly string[];
}

/** Adds the options of {@link ConnectFlags} that say how to connect. */
export function withConnectOptions(command: Command): Command {
  return command
    .addOption(secondsOption('--timeout <seconds>', 'give up connecting after', 30_000))
    .option(
      '--auth-user-pass <file>',
      'user name and password, a line each, for a profile that asks for them; readable by you alone (chmod 600)',
    );
}

/** Adds `--dns-server`, for commands that resolve names inside the tunnel. */
export function withDnsServer(command: Command): Command {
  return command.option(
    '--dns-server <address>',
    'ask this DNS server inside the tunnel, not those that the VPN server pushes; more than once for several (10.8.0.1, 10.8.0.1:5353, tls://10.8.0.1#name, https://10.8.0.1#name)',
    dnsServer,
  );
}

/** Collects the servers of a repeated option. */
function dnsServer(text: string, earlier: readonly string[] = []): readonly string[] {
  if (parseDnsServer(text) !== undefined) return [...earlier, text];
  throw new InvalidArgumentError('expected an address, such as 10.8.0.1 or tls://10.8.0.1#name');
}

/** The client options that the command line asks for. */
export function clientOptions(
  profile: string,
  flags: ConnectFlags,
  { output }: Run,
  tracer?: Tracer,
): VpnClientOptions {
  return {
    profile,
    connectTimeoutMs: flags.timeout,
    ...(flags.authUserPass === undefined
      ? {}
      : { credentials: readUserPassword(flags.authUserPass) }),
    ...(tracer === undefined ? {} : { tracer }),
    logger: output.logger,
  };
}

/** Brings the tunnel up, with progress on a terminal, and gives its dialer. */
export async function connect(profile: string, flags: ConnectFlags, run: Run): Promise<TunDialer> {
  run.output.progress(`connecting by ${profile} …`);
  const started = performance.now();
  const dialer = await startNewTunDialer(clientOptions(profile, flags, run), {
    signal: run.signal,
    dnsServers: flags.dnsServer,
  });
  const { remoteAddress, remotePort, protocol, cipher, ipv4, ipv6 } = dialer.info;
  run.output.detail(
    `up in ${(performance.now() - started).toFixed(0)} ms: ${protocol} ${remoteAddress} port ${remotePort}, ${cipher}, ${[ipv4?.address, ipv6?.address].filter(Boolean).join(' ')}`,
  );
  return dialer;
}

/** Reads a private file of two lines. @throws OvpnConfigError when it cannot be used */
function readUserPassword(path: string): UserPassword {
  const file = readPrivateFile(path);
  const directive = '--auth-user-pass';
  if (!('text' in file)) throw new OvpnConfigError([{ ...file, directive }], 'command line');
  const { username, password } = parseUserPassword(file.text) ?? {};
  if (username !== undefined && password !== undefined) {
    return { username, password: password.reveal() };
  }
  const message = 'expected the user name and the password, a line each';
  throw new OvpnConfigError([{ code: 'OVPN_CONFIG_INVALID', directive, message }], 'command line');
}
