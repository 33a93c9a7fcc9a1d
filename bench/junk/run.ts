// A download through the tunnel while junk arrives at the client's socket: tundial beside Debian's
// openvpn with the kernel's TCP. Prints the rates; all of it goes to bench/results/junk.json.
//   node run.js [PACKETS_PER_SECOND [SECONDS [RUNS]]]
import { fileURLToPath } from 'node:url';
import { run as execute } from '../../test/lab/commands.ts';
import { Lab, whyNoLab } from '../../test/lab/lab.ts';
import { LAB } from '../../test/lab/openvpn-config.ts';
import { saveResult } from '../result-file.ts';
import { downloadByOpenvpn, downloadByTundial, type JunkClient } from './junk-clients.ts';
import { JUNK_KINDS, type JunkKind, type JunkResult } from './junk-kinds.ts';

const PORT = 8080;
/** Where the sender's socket is; the packet filter makes the server's port of it. */
const SENDER_PORT = 9_999;

const CLIENTS = { openvpn: downloadByOpenvpn, tundial: downloadByTundial } as const;
type ClientName = keyof typeof CLIENTS;
const CLIENT_NAMES: readonly ClientName[] = ['openvpn', 'tundial'];

interface Line extends JunkResult {
  readonly client: ClientName;
  readonly kind: JunkKind;
  /** What was really sent. */
  readonly packetsPerSecond: number;
}

const [rate = 50_000, seconds = 5, runs = 3] = process.argv.slice(2).map(Number);
const reason = whyNoLab(['nft', 'ss', 'curl']);
if (reason === undefined) await bench();
else console.log(`bench:junk is skipped: ${reason}`);

async function bench(): Promise<void> {
  const lab = await Lab.create();
  process.once('SIGINT', () => void lab.down().then(() => process.exit(130)));
  const lines: Line[] = [];
  try {
    lab.up();
    forgeSource(lab);
    await lab.startServer({}, { lines: ['verb 3'] });
    const web = [process.execPath, script('../tunnel/source-sink.js'), String(PORT)];
    await lab.background(lab.inServer(web)).until('listening');
    for (let round = 1; round <= runs; round += 1) {
      for (const kind of JUNK_KINDS) {
        for (const client of CLIENT_NAMES) {
          process.stderr.write(`${kind}, ${client}, run ${round} of ${runs} …\n`);
          lines.push({ client, kind, ...(await download(lab, kind, CLIENTS[client])) });
        }
      }
    }
  } finally {
    await lab.down();
  }
  for (const text of table(lines)) console.log(text);
  saveResult('junk.json', { packetsPerSecond: rate, seconds, lines });
}

/** Junk then leaves with the server's own address and port. */
function forgeSource(lab: Lab): void {
  const rules = [
    'table ip junk {',
    'chain out {',
    'type filter hook output priority 0;',
    `udp sport ${SENDER_PORT} udp sport set ${LAB.port}`,
    '}',
    '}',
  ];
  execute(lab.inServer(['nft', '-f', lab.write('forge.nft', rules.join('\n'))]));
}

async function download(
  lab: Lab,
  kind: JunkKind,
  client: JunkClient,
): Promise<JunkResult & { packetsPerSecond: number }> {
  let packetsPerSecond = 0;
  const junk = async (port: string) => {
    if (kind === 'none') return async () => {};
    const sender = await startSender(lab, kind, port);
    return async () => {
      packetsPerSecond = sentBy(sender.stdout);
      await sender.stop();
    };
  };
  const result = await client({ lab, target: `${LAB.tunnelServer}:${PORT}`, seconds, junk });
  return { ...result, packetsPerSecond };
}

async function startSender(lab: Lab, kind: JunkKind, port: string) {
  const source = kind === 'stranger' ? [] : [String(SENDER_PORT)];
  const args = [script('junk-sender.js'), kind, LAB.client, port, String(rate), ...source];
  const sender = lab.background(lab.inServer([process.execPath, ...args]));
  await sender.until('sending');
  return sender;
}

/** The median of what the sender wrote for each second. */
function sentBy(output: string): number {
  return median(output.trim().split('\n').slice(1).map(Number));
}

function table(lines: readonly Line[]): string[] {
  const rows = CLIENT_NAMES.flatMap((client) => {
    const own = lines.filter((line) => line.client === client);
    const of = (kind: JunkKind, value: (line: Line) => number) =>
      median(own.filter((line) => line.kind === kind).map(value));
    const clean = of('none', ({ mbitPerSecond }) => mbitPerSecond);
    return JUNK_KINDS.map((kind) => {
      const goodput = of(kind, ({ mbitPerSecond }) => mbitPerSecond);
      const refused = of(kind, ({ refusedPerSecond }) => refusedPerSecond);
      return [
        client,
        kind,
        of(kind, ({ packetsPerSecond }) => packetsPerSecond).toFixed(0),
        goodput.toFixed(0),
        `× ${(goodput / clean).toFixed(2)}`,
        `${(of(kind, ({ load }) => load) * 100).toFixed(0)} %`,
        Number.isNaN(refused) ? '' : refused.toFixed(0),
      ];
    });
  });
  const heads = ['', 'junk', 'packets/s', 'Mbit/s', 'of clean', 'client busy', 'refused/s'];
  return [heads, ...rows].map((row) => row.map((text) => text.padStart(12)).join(''));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function script(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
