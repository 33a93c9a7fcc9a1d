import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { TunDialer } from '../dialer/tun-dialer.ts';
import { createThrowAwayServer } from '../server/throw-away-server.ts';
import { WRAP_KINDS, type WrapKind } from '../server/throw-away-wrap.ts';
import type { VpnServer } from '../server/vpn-server.ts';
import { type CommonFlags, command, integer, type Run, runCommand } from './command.ts';
import { ExitStatus } from './exit-status.ts';
import type { Output } from './output.ts';

interface ServeFlags extends CommonFlags {
  readonly output?: string;
  readonly host: string;
  readonly port: number;
  readonly remote?: string;
  readonly proto: 'udp' | 'tcp';
  readonly wrap: WrapKind;
  readonly subnet: string;
  readonly push: string[];
}

/** Only the owner may read a profile: it holds a private key. */
const PROFILE_MODE = 0o600;

/** `tundial serve` */
export function serveCommand(): Command {
  return command('serve', 'an embedded server; writes a profile for its clients')
    .option('-o, --output <file>', 'where the profile goes (default: standard output)')
    .option('--host <address>', 'listen on this address of this machine', '127.0.0.1')
    .option('--port <n>', 'listen on this port; 0 takes a free one', integer(0, 65_535), 1194)
    .option('--remote <host>', 'how clients reach this machine (default: as --host)')
    .addOption(new Option('--proto <protocol>', 'transport').choices(['udp', 'tcp']).default('udp'))
    .addOption(
      new Option('--wrap <kind>', 'protection of the control channel')
        .choices(WRAP_KINDS)
        .default('tls-crypt'),
    )
    .option('--subnet <network>', 'IPv4 addresses of the tunnel', '10.8.0.0/24')
    .option('--push <option>', 'push a further option; repeatable', collect, [])
    .addHelpText(
      'after',
      '\nKeys and certificates are made anew at every start and live in memory only. Any number of\nclients may use the one profile. The server answers ping; nothing is forwarded outside.\nUnder tls-crypt-v2 over UDP, clients of OpenVPN before 2.6 are refused. Ctrl-C tells the\nclients to leave and ends it.\n\nExample:\n  tundial serve -o client.ovpn\n  tundial ping client.ovpn 10.8.0.1        (in another terminal)',
    )
    .action((flags: ServeFlags) => runCommand(flags, (run) => serve(flags, run)));
}

async function serve(flags: ServeFlags, { output, signal }: Run): Promise<ExitStatus> {
  const { server, profile } = await createThrowAwayServer({
    host: flags.host,
    port: flags.port,
    protocol: flags.proto,
    wrap: flags.wrap,
    subnet: flags.subnet,
    pushes: flags.push,
    logger: output.logger,
  });
  await server.listen();
  await using dialer = TunDialer.over(server);
  const { address, port } = server.address();
  const text = profile({ address: flags.remote ?? address, port });
  if (flags.output !== undefined) writeFileSync(flags.output, text, { mode: PROFILE_MODE });
  else if (!flags.json) process.stdout.write(text);
  output.record({
    event: 'listening',
    protocol: flags.proto,
    address,
    port,
    tunnel: dialer.info.ipv4,
    ...(flags.output === undefined && { profile: text }),
  });
  output.note(
    `listening on ${flags.proto} ${address} port ${port}, in the tunnel ${dialer.info.ipv4?.address}`,
  );
  tellOfClients(server, output);
  const error = await Promise.race([untilAborted(signal), server.ended]);
  if (error !== undefined) throw error;
  return ExitStatus.DONE;
}

function tellOfClients(server: VpnServer, output: Output): void {
  server.on('connect', (peer) => {
    output.record({ event: 'connect', ...peer });
    output.note(`${peer.remoteAddress} port ${peer.remotePort} joined as ${peer.ipv4}`);
  });
  server.on('disconnect', ({ peer, error }) => {
    output.record({ event: 'disconnect', peerId: peer.peerId, reason: error?.message });
    output.note(`${peer.ipv4} left${error === undefined ? '' : `: ${error.message}`}`);
  });
  server.on('refused', ({ remote, error }) => {
    output.record({ event: 'refused', remote, reason: error.message });
    output.note(`${remote} was refused: ${error.message}`);
  });
}

async function untilAborted(signal: AbortSignal): Promise<undefined> {
  if (!signal.aborted) await once(signal, 'abort');
}

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}
