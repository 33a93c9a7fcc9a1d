import { Bench } from 'tinybench';
import { systemClock } from '../../src/core/clock.ts';
import { Drop } from '../../src/core/machine.ts';
import { sumBytes } from '../../src/netstack/checksum.ts';
import { FlowKey } from '../../src/netstack/flow-key.ts';
import { FlowTable, type Keyed } from '../../src/netstack/flow-table.ts';
import { buildEchoRequest } from '../../src/netstack/icmp.ts';
import { IpAddress } from '../../src/netstack/ip-address.ts';
import { IpHeader, IpProtocol } from '../../src/netstack/ip-header.ts';
import { parseIpv4, writeIpv4 } from '../../src/netstack/ipv4.ts';
import { Netstack } from '../../src/netstack/netstack.ts';
import type { TcpConnection } from '../../src/netstack/tcp/connection.ts';
import type { TcpEvents } from '../../src/netstack/tcp/tcp-events.ts';
import { buildUdp } from '../../src/netstack/udp.ts';
import { SeededRandom } from '../../test/sim/seeded-random.ts';
import { StreamEnd } from '../../test/sim/stream-end.ts';
import { type PairedTun, tunPair } from '../../test/sim/tun-pair.ts';
import { allocatedBytes } from '../allocated.ts';
import type { Row } from '../row.ts';

export const name = 'netstack';

const PACKET_BYTES = 1400;
const TRANSFER_BYTES = 64 * 1024 * 1024;
const FLOWS = 10_000;
const TIME_MS = 400;
/** Operations in one timed call, so that the clock costs nothing. */
const CALLS = 64;
const LEFT = IpAddress.ipv4(0x0a08_0001);
const RIGHT = IpAddress.ipv4(0x0a08_0002);

/** One operation on `bytes` of payload. */
interface Task {
  readonly task: string;
  readonly bytes: number;
  readonly run: () => void;
}

/** The IP layer packet by packet, then two stacks that speak TCP with each other in this thread. */
export async function bench(): Promise<Row[]> {
  const payload = Buffer.alloc(PACKET_BYTES - 28);
  const rows = await measure([
    checksumTask(),
    demuxTask(),
    udpInTask(payload),
    udpOutTask(payload),
    echoTask(),
  ]);
  return [...rows, transferRow('10.8.0.2', 4), transferRow('fd00::2', 6)];
}

function checksumTask(): Task {
  const bytes = new SeededRandom(1).bytes(PACKET_BYTES);
  return {
    task: `checksum ${PACKET_BYTES} B`,
    bytes: PACKET_BYTES,
    run: () => sumBytes(bytes, 0, PACKET_BYTES),
  };
}

class Entry implements Keyed<Entry> {
  readonly key: FlowKey;
  nextInBucket: Entry | undefined;

  constructor(key: FlowKey) {
    this.key = key;
  }
}

/** Header checks and the look-up among many flows, a different one every time. */
function demuxTask(): Task {
  const table = new FlowTable<Entry>(7);
  const tuple = { localAddress: RIGHT, localPort: 443, remoteAddress: LEFT };
  for (let remotePort = 0; remotePort < FLOWS; remotePort += 1) {
    table.add(new Entry(new FlowKey().readTuple({ ...tuple, remotePort })));
  }
  const packet = Buffer.alloc(PACKET_BYTES);
  writeIpv4(packet, IpProtocol.TCP, LEFT, RIGHT, 0, 0);
  const header = new IpHeader();
  const key = new FlowKey();
  let port = 0;
  const run = () => {
    port = (port + 7919) % FLOWS;
    if (parseIpv4(packet, header) !== Drop.NONE) throw new Error('refused');
    key.readIncoming(header, port, 443);
    if (table.find(key) === undefined) throw new Error('not found');
  };
  return { task: `IPv4 demux, ${FLOWS} flows`, bytes: PACKET_BYTES, run };
}

function udpInTask(payload: Buffer): Task {
  const { netstack, tun } = stack();
  const { localPort } = netstack.openUdp({ family: 4 }, NO_EVENTS);
  const packet = buildUdp(LEFT, 53, RIGHT, localPort, payload);
  writeIpv4(packet, IpProtocol.UDP, LEFT, RIGHT, 0, 0);
  const run = () => {
    tun.inject(packet);
    netstack.moveUpWorker(0);
  };
  return { task: `UDP in ${PACKET_BYTES} B`, bytes: payload.length, run };
}

function udpOutTask(payload: Buffer): Task {
  const { netstack, peer } = stack();
  const endpoint = netstack.openUdp({ family: 4 }, NO_EVENTS);
  const run = () => {
    endpoint.send(payload, LEFT, 53);
    netstack.moveDownWorker(0);
    peer.read();
  };
  return { task: `UDP out ${PACKET_BYTES} B`, bytes: payload.length, run };
}

/** Each call is a second later than the one before, so that the rate limit does not bite. */
function echoTask(): Task {
  const { netstack, tun, peer } = stack();
  const request = buildEchoRequest(LEFT, RIGHT, 1, 1, Buffer.alloc(56));
  writeIpv4(request, IpProtocol.ICMP, LEFT, RIGHT, 0, 0);
  let now = 0;
  const run = () => {
    now += 1000;
    tun.inject(request);
    netstack.moveUpWorker(now);
    netstack.moveDownWorker(now);
    if (peer.read() === undefined) throw new Error('no reply');
  };
  return { task: 'echo request in, reply out', bytes: 56, run };
}

/** TCP downloads from stack to stack: both ends' whole work in one thread. */
function transferRow(to: string, family: 4 | 6): Row {
  for (let warmUp = 0; warmUp < 2; warmUp += 1) transfer(to);
  const { seconds, packets } = transfer(to);
  return {
    task: `TCP over IPv${family}, stack to stack, 64 MiB`,
    opsPerSecond: packets / seconds,
    bytesPerSecond: TRANSFER_BYTES / seconds,
    note: 'both ends in one thread; ops are packets of the sender',
  };
}

function transfer(to: string): { seconds: number; packets: number } {
  const { left, right } = tunPair();
  const [client, server] = [netstackOn(left, '1'), netstackOn(right, '2')];
  const received = new Counter();
  server.listenTcp({ port: 80 }, (connection) => new StreamEnd(TRANSFER_BYTES).start(connection));
  const remote = IpAddress.parse(to);
  if (remote === undefined) throw new Error(`no address: ${to}`);
  const begun = performance.now();
  received.connection = client.connectTcp(remote, 80, received);
  while (received.bytes < TRANSFER_BYTES) {
    const now = performance.now();
    for (const netstack of [client, server]) turn(netstack, now);
  }
  const seconds = (performance.now() - begun) / 1000;
  return { seconds, packets: server.stats().packetsOut };
}

/** Reads all that comes and only counts it. */
class Counter implements TcpEvents {
  connection: TcpConnection | undefined;
  bytes = 0;

  readable(): void {
    for (let chunk = this.connection?.read(); chunk; chunk = this.connection?.read()) {
      this.bytes += chunk.length;
    }
  }

  connected(): void {}
  writable(): void {}
  closed(): void {}
}

/** What a pump does in one round. */
function turn(netstack: Netstack, now: number): void {
  if (netstack.nextTimeout() <= now) netstack.onTimeout(now);
  netstack.moveUpWorker(now);
  netstack.endOfBurst(now);
  netstack.moveDownWorker(now);
}

function stack(): { netstack: Netstack; tun: PairedTun; peer: PairedTun } {
  const { left, right } = tunPair();
  return { netstack: netstackOn(right, '2'), tun: right, peer: left };
}

function netstackOn(tun: PairedTun, host: string): Netstack {
  return new Netstack({
    tun,
    ipv4: { address: `10.8.0.${host}`, prefixLength: 24 },
    ipv6: { address: `fd00::${host}`, prefixLength: 64 },
    random: new SeededRandom(Number(host)),
    clock: systemClock,
    wake: () => {},
  });
}

const NO_EVENTS = { datagram: () => {}, failed: () => {}, drained: () => {} };

async function measure(tasks: readonly Task[]): Promise<Row[]> {
  const bench = new Bench({ time: TIME_MS });
  for (const { task, run } of tasks) {
    bench.add(task, batchOf(run));
  }
  await bench.run();
  return bench.tasks.map(({ result }, index) => {
    const { task, bytes, run } = tasks[index] ?? NO_TASK;
    if (!('throughput' in result)) throw new Error(`${task} did not run`);
    const opsPerSecond = CALLS * result.throughput.mean;
    const bytesPerSecond = bytes * opsPerSecond;
    return {
      task,
      opsPerSecond,
      bytesPerSecond,
      allocatedBytes: allocatedBytes(batchOf(run), CALLS),
    };
  });
}

function batchOf(run: () => void): () => void {
  return () => {
    for (let call = 0; call < CALLS; call += 1) run();
  };
}

const NO_TASK: Task = { task: '', bytes: 0, run: () => {} };
