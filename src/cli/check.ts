import type { Command } from 'commander';
import { readProfile } from '../config/read-profile.ts';
import { OvpnConfigError } from '../core/errors.ts';
import { acceptedReport, type CheckReport, refusedReport, reportLines } from './check-report.ts';
import { type CommonFlags, command, runCommand } from './command.ts';
import { ExitStatus, exitStatusOf } from './exit-status.ts';

/** `tundial check PROFILE` */
export function checkCommand(): Command {
  return command('check', 'what a profile asks for, what is ignored, or why it is refused')
    .argument('<profile>', 'an .ovpn file')
    .addHelpText('after', HELP)
    .action((profile: string, flags: CommonFlags) =>
      runCommand(flags, async ({ output }) => {
        const { report, status } = checked(profile);
        output.record(report);
        for (const line of reportLines(report)) output.line(line);
        return status;
      }),
    );
}

const HELP = `
Reads the profile and the files that it names, and connects to nobody. Of what is ignored, "!" marks
what is told to whoever connects too; the rest changes nothing.

With --json, one object:
  profile       its path
  accepted      true or false
  problems      [{code, message, directive?, line?}]
  remotes       [{host, port, protocol, family}]; family 0 is either
  remoteRandom  whether they are tried in random order
  proxy         "http HOST:PORT", "socks5 HOST:PORT" or null
  wrap          none, tls-auth, tls-crypt or tls-crypt-v2; null when refused
  ciphers       those that are offered, best first
  needs         [{kind, text?}]; kind is user-password, username, password, key-passphrase,
                static-challenge or proxy
  ignored       [{directive, line, reason, level}]; level is quiet or warn, line 0 what is missing

Exit status: 0 accepted, 78 refused, 66 a file that cannot be read.

Example:
  tundial check office.ovpn`;

function checked(path: string): { report: CheckReport; status: ExitStatus } {
  try {
    return { report: acceptedReport(path, readProfile(path)), status: ExitStatus.DONE };
  } catch (error) {
    if (!(error instanceof OvpnConfigError)) throw error;
    return { report: refusedReport(path, error.problems), status: exitStatusOf(error) };
  }
}
