import { Bench } from 'tinybench';
import { u16 } from '../../src/core/bytes.ts';
import { fold, sumBytes } from '../../src/netstack/checksum.ts';
import { TcpConnection } from '../../src/netstack/tcp/connection.ts';
import { PacketSlab } from '../../src/netstack/tcp/packet-slab.ts';
import type { TcpEvents } from '../../src/netstack/tcp/tcp-events.ts';
import type { TcpPath } from '../../src/netstack/tcp/tcp-path.ts';
import type { Row } from '../row.ts';

export const name = 'netstack-tcp';

const IP_HEADER_BYTES = 20;
const MTU = 1400;
const SEGMENT_BYTES = 1348;
/** Segments that come in one burst. */
const BURST = 32;
const BURSTS = 20_000;
const WARM_UP_BURSTS = 2_000;
/** Time between two bursts: that of the simulated clock. */
const BURST_MS = 0.1;
const LOSS_EVERY = 100;
const CHECKSUM_BYTES = 1400;
const TIME_MS = 300;
const SLAB = new PacketSlab();

/** The checksum beside a naive one; one TCP transfer in memory, each end by itself. */
export async function bench(): Promise<Row[]> {
  return [...(await checksums()), ...transfer(0), ...transfer(LOSS_EVERY), ...handshakes()];
}

async function checksums(): Promise<Row[]> {
  const bytes = Buffer.alloc(CHECKSUM_BYTES, 0x5a);
  const timings = new Bench({ time: TIME_MS });
  let sink = 0;
  timings.add('checksum', () => {
    sink += sumBytes(bytes, 0, CHECKSUM_BYTES);
  });
  timings.add('checksum, byte by byte', () => {
    sink += naiveSum(bytes);
  });
  await timings.run();
  if (sink === 0) throw new Error('the checksums were not computed');
  return timings.tasks.map((task) => {
    const { result } = task;
    const opsPerSecond = 'throughput' in result ? result.throughput.mean : 0;
    return { task: task.name, opsPerSecond, bytesPerSecond: opsPerSecond * CHECKSUM_BYTES };
  });
}

function naiveSum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += u16(bytes, at);
  return fold(sum);
}

/**
 * Bursts go from one connection to the other, and the acknowledgements back.
 *
 * @param lossEvery which segment is lost each time, and sent again by SACK; 0: none
 */
function transfer(lossEvery: number): Row[] {
  let hasRoom = true;
  const [sender, receiver] = connected({ ...NO_EVENTS, writable: () => (hasRoom = true) });
  const chunk = Buffer.alloc(SEGMENT_BYTES * BURST, 1);
  let now = 100;
  let [sending, receiving] = [0, 0];
  let [sent, arrived, acknowledgements] = [0, 0, 0];
  for (let burst = 0; burst < WARM_UP_BURSTS + BURSTS; burst += 1) {
    if (burst === WARM_UP_BURSTS) {
      [sending, receiving] = [0, 0];
      [sent, arrived, acknowledgements] = [0, 0, 0];
    }
    now += BURST_MS;
    const begun = cpuMs();
    if (hasRoom) hasRoom = sender.write(chunk);
    if (sender.nextTimeout() <= now) sender.onTimeout(now);
    const segments = packetsOf(sender, now);
    const gone = cpuMs();
    const kept = segments.filter((_, index) => lossEvery === 0 || (sent + index) % lossEvery !== 0);
    // The tunnel gives every packet a buffer of its own.
    const incoming = kept.map((segment) => ownBuffer(new Uint8Array(segment)));
    const arrival = cpuMs();
    for (const segment of incoming) feed(receiver, segment, now);
    receiver.endOfBurst(now);
    while (receiver.read() !== undefined);
    const answers = packetsOf(receiver, now);
    const received = cpuMs();
    for (const answer of answers) feed(sender, answer, now);
    sender.endOfBurst(now);
    sending += cpuMs() - received + gone - begun;
    receiving += received - arrival;
    sent += segments.length;
    arrived += incoming.length;
    acknowledgements += answers.length;
  }
  const label = lossEvery === 0 ? '' : `, one in ${lossEvery} lost`;
  const perSegment = `${(arrived / acknowledgements).toFixed(1)} segments an ACK`;
  return [
    row(`send: segment out, its share of ACKs in${label}`, sent, sending, perSegment),
    row(`receive: segment in, its share of ACKs out${label}`, arrived, receiving, perSegment),
  ];
}

/** Processor time of this process: the machine may be busy with others. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Connections opened, without data. */
function handshakes(): Row[] {
  const count = 20_000;
  for (let index = 0; index < count / 10; index += 1) connected();
  const start = cpuMs();
  for (let index = 0; index < count; index += 1) connected();
  const opsPerSecond = (count * 1000) / (cpuMs() - start);
  return [{ task: 'handshake, both ends', opsPerSecond }];
}

function row(task: string, segments: number, elapsedMs: number, note: string): Row {
  const opsPerSecond = (segments * 1000) / elapsedMs;
  return {
    task,
    opsPerSecond,
    bytesPerSecond: opsPerSecond * SEGMENT_BYTES,
    note: `${((elapsedMs * 1000) / segments).toFixed(2)} µs, ${note}`,
  };
}

function connected(events: TcpEvents = NO_EVENTS): [TcpConnection, TcpConnection] {
  const options = { initialSequence: 1, timestampOffset: 2, slab: SLAB };
  const client = new TcpConnection(path(), events, options);
  const server = new TcpConnection(path(), NO_EVENTS, options);
  client.connect(0);
  for (const syn of packetsOf(client, 0)) server.accept(syn, IP_HEADER_BYTES, 0);
  for (const answer of packetsOf(server, 0)) feed(client, answer, 0);
  for (const acknowledgement of packetsOf(client, 0)) feed(server, acknowledgement, 0);
  if (server.state !== 'ESTABLISHED') throw new Error('the handshake failed');
  return [client, server];
}

function path(): TcpPath {
  return {
    localPort: 1000,
    remotePort: 1000,
    ipHeaderBytes: IP_HEADER_BYTES,
    mtu: MTU,
    mssLimit: Number.POSITIVE_INFINITY,
    pseudoHeaderSum: 0,
    finish: () => {},
    knownMtu: () => MTU,
    mtuKnownUntil: () => Number.POSITIVE_INFINITY,
    lowerMtu: () => {},
    wake: () => {},
  };
}

function packetsOf(connection: TcpConnection, now: number): Buffer[] {
  const packets: Buffer[] = [];
  for (;;) {
    const packet = connection.takeDown(now);
    if (packet === undefined) return packets;
    packets.push(packet);
  }
}

function feed(connection: TcpConnection, packet: Buffer, now: number): void {
  connection.fromBelow(packet, IP_HEADER_BYTES, packet.length - IP_HEADER_BYTES, now);
}

function ownBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer);
}

const NO_EVENTS: TcpEvents = {
  connected() {},
  readable() {},
  writable() {},
  closed() {},
};
