import { type Command, InvalidArgumentError } from 'commander';
import { DNS_TYPES, type DnsType } from '../dialer/dns-record.ts';
import { command, runCommand } from './command.ts';
import { type ConnectFlags, connect, withConnectOptions, withDnsServer } from './connect.ts';
import { ExitStatus } from './exit-status.ts';

/** `tundial dns PROFILE NAME [TYPE]` */
export function dnsCommand(): Command {
  return withDnsServer(withConnectOptions(command('dns', 'one DNS query inside the tunnel')))
    .argument('<profile>', 'an .ovpn file')
    .argument('<name>', 'what to ask for')
    .argument('[type]', DNS_TYPES.join(', '), recordType, 'A')
    .addHelpText(
      'after',
      '\nThe servers that the VPN pushes are asked, for a domain of theirs (resolve-domains) only those.\nEach record is a line: name, TTL, type, value. For PTR the name may be an address.\n\nExample:\n  tundial dns office.ovpn intranet.example AAAA\n  tundial dns office.ovpn 10.8.0.7 PTR',
    )
    .action((profile: string, name: string, type: DnsType, flags: ConnectFlags) =>
      runCommand(flags, async (run) => {
        const dialer = await connect(profile, flags, run);
        try {
          const { records, server } = await dialer.resolver.query(name, type, run);
          run.output.detail(`answered by ${server}`);
          for (const record of records.filter((found) => found.type === type)) {
            run.output.record({ ...record, server });
            run.output.line(`${record.name}\t${record.ttl}\t${record.type}\t${record.text}`);
          }
          return ExitStatus.DONE;
        } finally {
          await dialer.close();
        }
      }),
    );
}

function recordType(text: string): DnsType {
  const type = DNS_TYPES.find((known) => known === text.toUpperCase());
  if (type === undefined) throw new InvalidArgumentError(`expected one of ${DNS_TYPES.join(', ')}`);
  return type;
}
