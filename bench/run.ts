import { saveResult, thisMachine } from './result-file.ts';
import type { Row } from './row.ts';

/** One benchmark file: `bench()` measures, `name` says which layer. */
interface BenchModule {
  readonly name: string;
  bench(): Promise<Row[]>;
}

interface LayerResult {
  readonly layer: string;
  readonly rows: readonly Row[];
}

/** From the bottom to the top. */
const FILES = [
  'micro/networkio',
  'micro/packetmuxer',
  'micro/reliable',
  'micro/controlchannel',
  'micro/tlsstate',
  'micro/datachannel',
  'micro/rejects',
  'micro/netstack',
  'micro/netstack-tcp',
  'micro/data-path',
  'stack/stack',
] as const;

const CAUTION =
  'Only ratios inside one run are compared: machines, and moods of one machine, differ.';

await main(process.argv.slice(2));

/** @param wanted layers to measure; all when there are none, and only then the result is kept */
async function main(wanted: readonly string[]): Promise<void> {
  const chosen = FILES.filter((file) => wanted.length === 0 || wanted.includes(layerOf(file)));
  if (chosen.length === 0) {
    console.error(`expected some of: ${FILES.map(layerOf).join(' ')}`);
    process.exitCode = 64;
    return;
  }
  const { commit, node, processor } = thisMachine();
  console.log(`commit ${commit}, Node ${node}, ${processor}\n${CAUTION}`);
  const layers: LayerResult[] = [];
  for (const file of chosen) {
    process.stderr.write(`measuring ${layerOf(file)} …\n`);
    const module = (await import(`./${file}.bench.js`)) as BenchModule;
    const layer = { layer: module.name, rows: await module.bench() };
    layers.push(layer);
    print(layer);
  }
  if (chosen.length < FILES.length) return;
  saveResult('layers.json', { caution: CAUTION, layers });
}

function layerOf(file: string): string {
  return file.slice(file.indexOf('/') + 1);
}

function print({ layer, rows }: LayerResult): void {
  const width = Math.max(layer.length, ...rows.map(({ task }) => task.length));
  console.log(
    `\n${layer.padEnd(width)}  ${'per second'.padStart(10)}  ${'MB/s'.padStart(7)}  ${'bytes'.padStart(6)}`,
  );
  for (const { task, opsPerSecond, bytesPerSecond, allocatedBytes, note = '' } of rows) {
    const megabytes = bytesPerSecond === undefined ? '' : grouped(bytesPerSecond / 1e6);
    const allocated = allocatedBytes === undefined ? '' : grouped(allocatedBytes);
    const numbers = [
      grouped(opsPerSecond).padStart(10),
      megabytes.padStart(7),
      allocated.padStart(6),
    ];
    console.log([task.padEnd(width), ...numbers, note].join('  ').trimEnd());
  }
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en');
}
