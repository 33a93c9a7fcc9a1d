import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Command } from 'commander';
import { HandshakeTrace, type TraceEvent } from '../trace/handshake-trace.ts';
import { joinTracers } from '../trace/join-tracers.ts';
import { PcapngTrace } from '../trace/pcapng-trace.ts';
import { VpnClient } from '../vpnclient/vpn-client.ts';
import { command, type Run, runCommand } from './command.ts';
import { type ConnectFlags, clientOptions, withConnectOptions } from './connect.ts';
import { ExitStatus } from './exit-status.ts';

interface TraceFlags extends ConnectFlags {
  readonly pcapng?: string;
}

/** `tundial trace PROFILE` */
export function traceCommand(): Command {
  return withConnectOptions(
    command('trace', 'the handshake alone: every packet and state, with times'),
  )
    .argument('<profile>', 'an .ovpn file')
    .option('--pcapng <file>', 'write the outer packets to a capture file, for Wireshark')
    .addHelpText(
      'after',
      '\nConnects, shows how that went, and leaves. -> is sent, <- received.\n\nExample:\n  tundial trace office.ovpn --pcapng handshake.pcapng',
    )
    .action((profile: string, flags: TraceFlags) =>
      runCommand(flags, async (run) => {
        const file = await captureFile(flags);
        try {
          return await trace(profile, flags, run, file);
        } finally {
          if (file !== undefined) await finished(file.end());
        }
      }),
    );
}

/** An open file, so that one that cannot be written is told before the handshake. */
async function captureFile({ pcapng }: TraceFlags): Promise<WriteStream | undefined> {
  if (pcapng === undefined) return undefined;
  const file = createWriteStream(pcapng);
  await once(file, 'open');
  return file;
}

async function trace(
  profile: string,
  flags: TraceFlags,
  run: Run,
  file: WriteStream | undefined,
): Promise<ExitStatus> {
  const { output, signal } = run;
  const capture = file === undefined ? [] : [new PcapngTrace({ sink: file })];
  const handshake = new HandshakeTrace({
    onEvent: (event) => {
      output.record(event);
      output.line(traceLine(event));
    },
  });
  const tracer = joinTracers(handshake, ...capture);
  const client = new VpnClient(clientOptions(profile, flags, run, tracer));
  const info = await client.start({ signal });
  output.line(
    `up: ${info.protocol} ${info.remoteAddress} port ${info.remotePort}, ${info.tlsVersion}, ${info.cipher}`,
  );
  await client.close();
  return ExitStatus.DONE;
}

/** `   1.234 ms  S_START          <- P_CONTROL_V1 id 1 ack 0, 1100 bytes` */
export function traceLine({ operation, stage, t, tags, packet }: TraceEvent): string {
  const head = `${(t * 1000).toFixed(3).padStart(10)} ms  ${stage.padEnd(16)}`;
  const tail = tags.length === 0 ? '' : `  [${tags.join(', ')}]`;
  if (packet === null) return `${head} ${operation}${tail}`;
  const arrow = packet.operation === 'read' ? '<-' : '->';
  const id = packet.id === null ? '' : ` id ${packet.id}`;
  const acks = packet.acks.length === 0 ? '' : ` ack ${packet.acks.join(',')}`;
  const again = packet.send_attempts > 1 ? ` attempt ${packet.send_attempts}` : '';
  return `${head} ${arrow} ${packet.opcode}${id}${acks}, ${packet.payload_size} bytes${again}${tail}`;
}
