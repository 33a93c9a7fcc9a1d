// Sends junk by UDP at a fixed rate until it is ended; writes what it sent in each second.
//   node junk-sender.js KIND ADDRESS PORT PACKETS_PER_SECOND [SOURCE_PORT]
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { Opcode } from '../../src/model/opcode.ts';
import type { JunkKind } from './junk-kinds.ts';

const [kind, address, ...numbers] = process.argv.slice(2);
const [port = 0, rate = 0, sourcePort = 0] = numbers.map(Number);
/** Different packets that are sent in turn. */
const PACKETS = 64;
const PACKET_BYTES = 128;
const TICK_MS = 1;
/** A sender that was held up does not catch up on more than this. */
const LONGEST_BURST = 2_000;

const OPCODES: Readonly<Record<JunkKind, number>> = {
  none: 0,
  stranger: Opcode.P_DATA_V2,
  control: Opcode.P_CONTROL_V1,
  data: Opcode.P_DATA_V2,
};

const packets = Array.from({ length: PACKETS }, () => {
  const packet = randomBytes(PACKET_BYTES);
  packet.writeUInt8(OPCODES[kind as JunkKind] << 3, 0);
  return packet;
});

const socket = createSocket('udp4');
socket.on('error', () => {});
socket.bind(sourcePort, () => socket.connect(port, address, start));

function start(): void {
  let sent = 0;
  const startedAt = performance.now();
  setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * rate) - sent;
    for (let left = Math.min(due, LONGEST_BURST); left > 0; left -= 1) {
      socket.send(packets[sent % PACKETS] ?? '');
      sent += 1;
    }
  }, TICK_MS);
  let told = 0;
  setInterval(() => {
    console.log(sent - told);
    told = sent;
  }, 1_000);
  console.log('sending');
}
