import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { growBuffers } from '../../src/networkio/connect-datagrams.ts';
import { DatagramLink } from '../../src/networkio/datagram-link.ts';
import type { Link } from '../../src/networkio/link.ts';
import { StreamDeframer, StreamFramer } from '../../src/networkio/stream-framing.ts';
import { connectUdp } from '../../src/networkio/udp-link.ts';
import { measure, rowOf, type Task } from '../measure.ts';
import type { Row } from '../row.ts';

export const name = 'networkio';

const PACKET = Buffer.alloc(1_400, 1);
const HOST = '127.0.0.1';
/** Packets that are sent before the receiver has a turn. */
const BURST = 32;
const BURSTS = 4_000;
const WARM_UP_BURSTS = 400;
/** What a socket gives at a time. Unit: bytes. */
const CHUNK_BYTES = 65_536;

/** UDP over loopback, sent and received in this thread, beside bare sockets; frames on a stream. */
export async function bench(): Promise<Row[]> {
  const packetBytes = PACKET.length;
  return [
    rowOf(
      { task: `UDP send and receive ${packetBytes} B, bare dgram`, bytes: packetBytes },
      await bareUdp(),
    ),
    rowOf(
      { task: `UDP send and receive ${packetBytes} B, DatagramLink`, bytes: packetBytes },
      await linkUdp(),
    ),
    ...(await measure([framerTask(), deframerTask()])),
  ];
}

async function bareUdp(): Promise<number> {
  const [receiver, port] = await boundSocket();
  const sender = createSocket('udp4');
  sender.connect(port, HOST);
  await once(sender, 'connect');
  growBuffers(sender);
  let received = 0;
  receiver.on('message', () => {
    received += 1;
  });
  const cost = await timedBursts(
    () => sender.send(PACKET),
    () => received,
  );
  sender.close();
  receiver.close();
  return cost;
}

async function linkUdp(): Promise<number> {
  const [socket, port] = await boundSocket();
  const sender = await connectUdp({ host: HOST, address: HOST, port, protocol: 'udp', family: 4 });
  const receiver = new DatagramLink(socket, { addresses: sender });
  let received = 0;
  receiver.open({
    receive: () => {
      received += 1;
      return true;
    },
    drained: () => {},
    ended: () => {},
  });
  const cost = await timedBursts(
    () => sendNow(sender),
    () => received,
  );
  await Promise.all([sender.close(), receiver.close()]);
  return cost;
}

function sendNow(link: Link): void {
  if (!link.writable) throw new Error('loopback does not keep up');
  link.send(PACKET);
}

/** Nanoseconds a packet. The next burst leaves when the last one has arrived. */
async function timedBursts(send: () => void, received: () => number): Promise<number> {
  let start = 0;
  for (let burst = 0; burst < WARM_UP_BURSTS + BURSTS; burst += 1) {
    if (burst === WARM_UP_BURSTS) start = performance.now();
    for (let count = 0; count < BURST; count += 1) send();
    while (received() < (burst + 1) * BURST) await turn();
  }
  return ((performance.now() - start) * 1e6) / (BURSTS * BURST);
}

async function boundSocket(): Promise<[Socket, port: number]> {
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  growBuffers(socket);
  return [socket, socket.address().port];
}

function framerTask(): Task {
  const framer = new StreamFramer();
  return {
    task: `frame ${BURST} packets into one write`,
    bytes: PACKET.length * BURST,
    run: () => {
      for (let count = 0; count < BURST; count += 1) framer.add(PACKET);
      framer.flush();
    },
  };
}

/** Packets lie across the borders of chunks, as they do on a socket. */
function deframerTask(): Task {
  const framer = new StreamFramer();
  while (framer.bytes < CHUNK_BYTES) framer.add(PACKET);
  const stream = framer.flush();
  const cut = stream.length / 2 + 7;
  const halves = [stream.subarray(0, cut), stream.subarray(cut)];
  const deframer = new StreamDeframer();
  return {
    task: `cut ${stream.length} B, two chunks, into packets`,
    bytes: stream.length,
    run: () => {
      for (const half of halves) {
        deframer.push(half);
        while (deframer.take() !== undefined);
      }
    },
  };
}
