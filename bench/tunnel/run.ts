// tundial beside Debian's openvpn with the kernel's TCP, in one lab, in turn: download and upload of
// one TCP flow, the first reply, a ping; then what tundial costs by itself. Prints medians and the
// goals; all of it goes to bench/results/tunnel.json.
//   node run.js [MEGABYTES [RUNS]]
import { fileURLToPath } from 'node:url';
import { Lab, whyNoLab } from '../../test/lab/lab.ts';
import { LAB } from '../../test/lab/openvpn-config.ts';
import { ownCode } from '../micro/data-path.bench.ts';
import { saveResult } from '../result-file.ts';
import { type Answers, openvpnAnswers, tundialAnswers } from './answers.ts';
import type { Course } from './course.ts';
import { answerGoals, goalTable, ownGoals, transferGoals } from './goals.ts';
import { idleFlowBytes } from './idle-flows.ts';
import { openvpnTransfers } from './openvpn-transfers.ts';
import {
  DIRECTIONS,
  type Direction,
  type Line,
  type Summary,
  summary,
  type Transfer,
} from './transfer.ts';
import { tundialTransfers } from './tundial-transfers.ts';

const CIPHER = 'AES-256-GCM';
const PORT = 8080;
const SOURCE_SINK = fileURLToPath(new URL('source-sink.js', import.meta.url));

/** One transport: all transfers of both clients. */
interface Contest {
  readonly transport: 'udp' | 'tcp';
  readonly openvpn: Transfer[];
  readonly tundial: Transfer[];
}

const [megabytes = 200, runs = 3] = process.argv.slice(2).map(Number);
const reason = whyNoLab(['curl', 'bash']);
if (reason === undefined) await bench();
else console.log(`bench:tunnel is skipped: ${reason}`);

async function bench(): Promise<void> {
  const lab = await Lab.create();
  process.once('SIGINT', () => void lab.down().then(() => process.exit(130)));
  const contests: Contest[] = [];
  let answers: Record<'openvpn' | 'tundial', Answers>;
  try {
    lab.up();
    for (const transport of ['udp', 'tcp'] as const) contests.push(await contest(lab, transport));
    answers = await answersOf(lab);
  } finally {
    await lab.down();
  }
  const lines = contests.flatMap((each) => DIRECTIONS.map((direction) => lineOf(each, direction)));
  const goals = [
    ...transferGoals(lines),
    ...answerGoals(answers.openvpn, answers.tundial),
    ...ownGoals(ownCode(), await idleFlowBytes()),
  ];
  for (const text of [...table(lines), '', ...goalTable(goals)]) console.log(text);
  const transfers = contests;
  saveResult('tunnel.json', { megabytes, runs, cipher: CIPHER, goals, lines, answers, transfers });
}

/** The clients take turns, and turns at going first. */
async function contest(lab: Lab, proto: 'udp' | 'tcp'): Promise<Contest> {
  const kind = { proto, cipher: CIPHER } as const;
  const server = await lab.startServer(kind, { lines: ['verb 3'] });
  const web = lab.background(lab.inServer([process.execPath, SOURCE_SINK, String(PORT)]));
  await web.until('listening');
  const course: Course = {
    profile: lab.profile(kind),
    target: `${LAB.tunnelServer}:${PORT}`,
    bytes: megabytes * 1e6,
    warmUpBytes: megabytes * 2e5,
    serverPid: server.pid ?? 0,
  };
  const result: Contest = { transport: proto, openvpn: [], tundial: [] };
  for (let run = 1; run <= runs; run += 1) {
    process.stderr.write(`${proto}, run ${run} of ${runs} …\n`);
    const turns = [
      async () => result.openvpn.push(...(await openvpnTransfers(lab, course))),
      async () => result.tundial.push(...(await tundialTransfers(lab, course))),
    ];
    for (const turn of run % 2 === 1 ? turns : turns.reverse()) await turn();
  }
  await lab.quiet();
  return result;
}

/** Over UDP, one after the other. */
async function answersOf(lab: Lab): Promise<Record<'openvpn' | 'tundial', Answers>> {
  process.stderr.write('first replies, pings …\n');
  await lab.startServer({ cipher: CIPHER }, { lines: ['verb 3'] });
  const profile = lab.profile({ cipher: CIPHER });
  const openvpn = await openvpnAnswers(lab, profile);
  return { openvpn, tundial: await tundialAnswers(lab, profile) };
}

function lineOf({ transport, ...transfers }: Contest, direction: Direction): Line {
  const of = (all: readonly Transfer[]) =>
    summary(all.filter((one) => one.direction === direction));
  const [openvpn, tundial] = [of(transfers.openvpn), of(transfers.tundial)];
  return {
    transport,
    direction,
    openvpn,
    tundial,
    rateRatio: tundial.mbitPerSecond / openvpn.mbitPerSecond,
    cpuRatio: tundial.tunnelCpu / openvpn.tunnelCpu,
  };
}

function table(lines: readonly Line[]): string[] {
  const cells = ({ mbitPerSecond, tunnelCpu, clientCpu, serverLoad }: Summary) => [
    mbitPerSecond.toFixed(0),
    tunnelCpu.toFixed(2),
    clientCpu.toFixed(2),
    `${(serverLoad * 100).toFixed(0)} %`,
  ];
  const rows = [
    ['', '', '', 'Mbit/s', 'CPU ms/MB', 'with program', 'server busy'],
    ...lines.flatMap(({ transport, direction, openvpn, tundial, rateRatio, cpuRatio }) => [
      [transport, direction, 'openvpn', ...cells(openvpn)],
      ['', '', 'tundial', ...cells(tundial)],
      ['', '', 'ratio', `× ${rateRatio.toFixed(2)}`, `× ${cpuRatio.toFixed(2)}`, '', ''],
    ]),
  ];
  const widths = [9, 10, 9, 8, 11, 14, 13];
  return rows.map((row) =>
    row
      .map((text, at) => (at < 3 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0)))
      .join(''),
  );
}
