import { Command } from 'commander';
import { VERSION } from '../core/version.ts';
import { checkCommand } from './check.ts';
import { demoCommand } from './demo.ts';
import { dnsCommand } from './dns.ts';
import { fetchCommand } from './fetch.ts';
import { pingCommand } from './ping.ts';
import { serveCommand } from './serve.ts';
import { traceCommand } from './trace.ts';

/** `tundial` with all its commands. What is wrongly used throws commander's `CommanderError`. */
export function createProgram(): Command {
  const program = new Command('tundial')
    .description(
      'OpenVPN in one process: dial, fetch, resolve and ping inside the tunnel.\nNo root, no TUN device; the routes and DNS of this machine are never touched.',
    )
    .version(VERSION)
    .showHelpAfterError('(tundial --help, or tundial COMMAND --help, shows how)')
    .exitOverride()
    .addHelpText('after', EPILOGUE);
  const commands = [
    demoCommand(),
    fetchCommand(),
    pingCommand(),
    dnsCommand(),
    traceCommand(),
    checkCommand(),
    serveCommand(),
  ];
  for (const command of commands) program.addCommand(command.copyInheritedSettings(program));
  return program;
}

const EPILOGUE = `
Try it without a VPN:
  tundial demo

Exit status:
  0 done                     1 no reply to ping, HTTP 400 or more in fetch
  64 wrong use               66 a file that cannot be read or written
  68 name not found          69 server not reachable or silent
  70 a bug of tundial        75 temporary refusal
  76 TLS or protocol failed  77 credentials or certificate refused
  78 profile refused         124 out of time
  130 interrupted            143 terminated`;
