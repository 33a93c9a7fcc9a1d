// Goodput of one TCP flow through a tunnel over a bad line: tundial beside Debian's openvpn with the
// kernel's TCP, on the same seeds, in turn. The medians go to bench/results/line.json, where they
// replace those of the same lines.
//   node run.js [SECONDS [SEEDS [LOSS_PERCENT [ROUND_TRIP_MS]]]]
import { type Background, run } from '../../test/lab/commands.ts';
import { Lab, whyNoLab } from '../../test/lab/lab.ts';
import { LAB } from '../../test/lab/openvpn-config.ts';
import { loadResult, saveResult } from '../result-file.ts';
import { type Course, openvpnGoodput, tundialGoodput } from './contestants.ts';
import { DIRECTIONS, type Direction, type Goodput, SETTINGS, type Setting } from './setting.ts';

const RELAY_PORT = LAB.port + 1;
const PORTS = { download: 5201, upload: 5202 } as const;
/** Above whatever else computes: a line and a server far away do not share their processor with a client. */
const REAL_TIME = { line: 10, server: 5 } as const;

/** One setting and one seed, by both clients. */
interface Round extends Setting {
  readonly seed: number;
  readonly openvpn: Goodput;
  readonly tundial: Goodput;
}

const [seconds = 8, seeds = 3, onlyLoss, onlyRoundTrip] = process.argv.slice(2).map(Number);
const reason = whyNoLab(['iperf3']);
if (reason === undefined) await bench();
else console.log(`bench:line is skipped: ${reason}`);

async function bench(): Promise<void> {
  const lab = await Lab.create();
  process.once('SIGINT', () => void lab.down().then(() => process.exit(130)));
  const chosen = SETTINGS.filter(
    ({ lossPercent, roundTripMs }) =>
      (onlyLoss ?? lossPercent) === lossPercent && (onlyRoundTrip ?? roundTripMs) === roundTripMs,
  );
  const rounds: Round[] = [];
  try {
    lab.up();
    hurry(await lab.startServer(), REAL_TIME.server);
    const profile = lab.profile({ clientPort: RELAY_PORT });
    const course = { profile, ports: PORTS, seconds };
    for (const setting of chosen) {
      for (let seed = 1; seed <= seeds; seed += 1) {
        const round = await contest(lab, course, setting, seed);
        rounds.push(round);
        process.stderr.write(`${line(round)}\n`);
      }
    }
  } finally {
    await lab.down();
  }
  const table = chosen.map((setting) => cell(rounds.filter((round) => isOf(round, setting))));
  for (const found of table) console.log(line(found));
  saveResult('line.json', { cells: withOthers(table) });
}

/** The clients take turns at going first. */
async function contest(lab: Lab, course: Course, setting: Setting, seed: number): Promise<Round> {
  const openvpn = () => over(lab, setting, seed, () => openvpnGoodput(lab, course));
  const tundial = () => over(lab, setting, seed, () => tundialGoodput(lab, course));
  if (seed % 2 === 0)
    return { ...setting, seed, tundial: await tundial(), openvpn: await openvpn() };
  return { ...setting, seed, openvpn: await openvpn(), tundial: await tundial() };
}

/** Puts a fresh line between client and server, whose chances begin anew, and iperf3 behind it. */
async function over(
  lab: Lab,
  { lossPercent, roundTripMs }: Setting,
  seed: number,
  transfer: () => Promise<Goodput>,
): Promise<Goodput> {
  const settings = [`delay=${roundTripMs / 2}`, `loss=${lossPercent}`, `seed=${seed}`];
  const [relay, server] = [`${LAB.server}:${RELAY_PORT}`, `${LAB.server}:${LAB.port}`];
  const line = lab.script('server', 'test/lab/bad-line.js', [relay, server, ...settings]);
  await line.until('ready');
  hurry(line, REAL_TIME.line);
  const servers = await Promise.all(DIRECTIONS.map((direction) => iperf3(lab, PORTS[direction])));
  const goodput = await transfer();
  for (const process of [...servers, line]) await process.stop();
  return goodput;
}

/** Runs all threads of a process before those of others, by that priority (1 … 99). */
function hurry({ pid }: Background, priority: number): void {
  run(['chrt', '--all-tasks', '--fifo', '--pid', String(priority), String(pid)]);
}

async function iperf3(lab: Lab, port: number): Promise<Background> {
  const server = lab.background(lab.inServer(['iperf3', '-s', '-p', `${port}`, '--forceflush']));
  await server.until('listening');
  return server;
}

function isOf(round: Setting, setting: Setting): boolean {
  return round.lossPercent === setting.lossPercent && round.roundTripMs === setting.roundTripMs;
}

/** What is kept of one setting. */
interface Cell extends Setting {
  readonly seconds: number;
  readonly seeds: number;
  /** Medians over the seeds. */
  readonly openvpn: Goodput;
  readonly tundial: Goodput;
  readonly rounds: readonly Pick<Round, 'seed' | 'openvpn' | 'tundial'>[];
}

function cell(rounds: readonly Round[]): Cell {
  const [first] = rounds;
  if (first === undefined) throw new Error('no round of this setting');
  const { roundTripMs, lossPercent } = first;
  const [openvpn, tundial] = [medians(rounds, 'openvpn'), medians(rounds, 'tundial')];
  const each = rounds.map(({ seed, openvpn, tundial }) => ({ seed, openvpn, tundial }));
  return { roundTripMs, lossPercent, seconds, seeds, openvpn, tundial, rounds: each };
}

function medians(rounds: readonly Round[], client: 'openvpn' | 'tundial'): Goodput {
  const of = (direction: Direction) => {
    const sorted = rounds.map((round) => round[client][direction]).sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? Number.NaN;
  };
  return { download: of('download'), upload: of('upload') };
}

/** The cells of the whole table, in its order: these, and what is known of the others. */
function withOthers(cells: readonly Cell[]): readonly Cell[] {
  const known = loadResult<{ cells?: readonly Cell[] }>('line.json')?.cells ?? [];
  return SETTINGS.flatMap((setting) => {
    const found = [...cells, ...known].find((one) => isOf(one, setting));
    return found === undefined ? [] : [found];
  });
}

function line({ roundTripMs, lossPercent, openvpn, tundial }: Round | Cell): string {
  const cells = DIRECTIONS.map((direction) => {
    const ratio = tundial[direction] / openvpn[direction];
    const rates = `${tundial[direction].toFixed(1)} / ${openvpn[direction].toFixed(1)}`;
    return `${direction} ${rates.padStart(15)} Mbit/s × ${ratio.toFixed(2)}`;
  });
  return `${`${roundTripMs}`.padStart(3)} ms ${`${lossPercent}`.padStart(3)} %   ${cells.join('   ')}`;
}
