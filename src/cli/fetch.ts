import { createWriteStream } from 'node:fs';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { type Dispatcher, request } from 'undici';
import { printable } from '../core/log.ts';
import type { TunDialer } from '../dialer/tun-dialer.ts';
import { command, type Run, runCommand } from './command.ts';
import { type ConnectFlags, connect, withConnectOptions, withDnsServer } from './connect.ts';
import { ExitStatus } from './exit-status.ts';
import { bytesText, type Output } from './output.ts';

interface FetchFlags extends ConnectFlags {
  readonly output?: string;
}

/** How often progress is redrawn. */
const PROGRESS_INTERVAL_MS = 200;

/** `tundial fetch PROFILE URL` */
export function fetchCommand(): Command {
  return withDnsServer(withConnectOptions(command('fetch', 'GET a URL through the tunnel')))
    .argument('<profile>', 'an .ovpn file')
    .argument('<url>', 'http or https; the name is resolved inside the tunnel', webAddress)
    .option('-o, --output <file>', 'where the page goes (default: standard output)')
    .addHelpText(
      'after',
      '\nRedirections are told, not followed. With --json alone the page is counted and dropped.\n\nExample:\n  tundial fetch office.ovpn https://intranet.example/ -o page.html',
    )
    .action((profile: string, url: URL, flags: FetchFlags) =>
      runCommand(flags, async (run) => {
        const dialer = await connect(profile, flags, run);
        try {
          return await fetchPage(dialer, url, flags, run);
        } finally {
          await dialer.close();
        }
      }),
    );
}

async function fetchPage(
  dialer: TunDialer,
  url: URL,
  flags: FetchFlags,
  { output, signal }: Run,
): Promise<ExitStatus> {
  const started = performance.now();
  const response = await request(url, { dispatcher: dialer.dispatcher(), signal });
  const status = response.statusCode;
  const counter = new ByteCounter(output);
  const sink = pageSink(flags);
  await pipeline(response.body, counter.stream, sink, { end: sink !== process.stdout });
  const elapsedMs = performance.now() - started;
  const { bytes } = counter;
  output.record({ url: url.href, status, bytes, elapsedMs });
  output.detail(
    `HTTP ${status}, ${bytesText(bytes)} in ${(elapsedMs / 1000).toFixed(2)} s, ${((bytes * 8) / elapsedMs / 1000).toFixed(0)} Mbit/s`,
  );
  if (status >= 300) output.note(`${url.href} answered HTTP ${status}${locationOf(response)}`);
  return status >= 400 ? ExitStatus.NO : ExitStatus.DONE;
}

function webAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new InvalidArgumentError('expected a URL such as https://example.com/');
  }
  return url;
}

function pageSink({ output, json }: FetchFlags): NodeJS.WritableStream {
  if (output !== undefined) return createWriteStream(output);
  return json ? new Writable({ write: (_chunk, _encoding, done) => done() }) : process.stdout;
}

function locationOf({ headers: { location } }: Dispatcher.ResponseData): string {
  return typeof location === 'string' ? `, see ${printable(location)}` : '';
}

/** Passes a page on and shows how much of it there is. */
class ByteCounter {
  bytes = 0;
  readonly stream: Transform;
  #shownAt = 0;

  constructor(output: Output) {
    this.stream = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.bytes += chunk.length;
        const now = performance.now();
        if (now - this.#shownAt > PROGRESS_INTERVAL_MS) {
          this.#shownAt = now;
          output.progress(`${bytesText(this.bytes)} …`);
        }
        done(null, chunk);
      },
    });
  }
}
