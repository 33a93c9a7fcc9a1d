import { type Command, InvalidArgumentError } from 'commander';
import { readPrivateFile } from '../config/profile-files.ts';
import { parseUserPassword } from '../config/user-password.ts';
import { OvpnConfigError } from '../core/errors.ts';
import { parseDnsServer } from '../dialer/dns-server.ts';
import { startNewTunDialer } from '../dialer/start-new-tun-dialer.ts';
import type { TunDialer } from '../dialer/tun-dialer.ts';
import type { Tracer } from '../model/tracer.ts';
import type { VpnClientOptions } from '../vpnclient/options.ts';
import { askedCredentials, Terminal } from './ask.ts';
import { type CommonFlags, type Run, secondsOption } from './command.ts';
import type { Output } from './output.ts';

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
      'user name and password, a line each, for a profile that asks for them; readable by you alone (chmod 600). What is missing is asked for on a terminal',
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
    // A command does one thing, which a lost tunnel ends.
    reconnect: false,
    ...credentialsFor(flags, output),
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

/** Those of the file; where somebody sits at a terminal, what is missing is asked for there. */
function credentialsFor(
  { authUserPass }: ConnectFlags,
  output: Output,
): Pick<VpnClientOptions, 'credentials'> {
  const terminal = Terminal.ofProcess();
  const file = authUserPass === undefined ? undefined : readUserPassword(authUserPass);
  if (terminal !== undefined) return { credentials: askedCredentials(terminal, output, file) };
  if (file === undefined) return {};
  const { username, password } = file;
  if (password !== undefined) return { credentials: { username, password } };
  throw unusable('expected the user name and the password, a line each, or a terminal to ask on');
}

/** Reads a private file of one or two lines. @throws OvpnConfigError when it cannot be used */
function readUserPassword(path: string): { username: string; password?: string } {
  const file = readPrivateFile(path);
  if (!('text' in file)) {
    throw new OvpnConfigError([{ ...file, directive: AUTH_USER_PASS }], 'command line');
  }
  const { username, password } = parseUserPassword(file.text) ?? {};
  if (username === undefined) {
    throw unusable('expected the user name and the password, a line each');
  }
  return password === undefined ? { username } : { username, password: password.reveal() };
}

function unusable(message: string): OvpnConfigError {
  return new OvpnConfigError(
    [{ code: 'OVPN_CONFIG_INVALID', directive: AUTH_USER_PASS, message }],
    'command line',
  );
}

const AUTH_USER_PASS = '--auth-user-pass';
