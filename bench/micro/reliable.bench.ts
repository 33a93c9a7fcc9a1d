import type { Millis } from '../../src/core/machine.ts';
import { NO_SESSION_ID } from '../../src/model/ids.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import { SEND_WINDOW } from '../../src/reliable/constants.ts';
import { Reliable } from '../../src/reliable/reliable.ts';
import { measure } from '../measure.ts';
import type { Row } from '../row.ts';

export const name = 'reliable';

const PAYLOAD = Buffer.alloc(1_100, 1);
const NOW: Millis = 0;

/** Messages from one end to the other, and their acknowledgements back. */
export async function bench(): Promise<Row[]> {
  return measure([
    { task: 'message and its ACK', bytes: PAYLOAD.length, run: exchange(1) },
    {
      task: `window of ${SEND_WINDOW} and their ACKs`,
      bytes: PAYLOAD.length * SEND_WINDOW,
      run: exchange(SEND_WINDOW),
    },
    {
      task: `window of ${SEND_WINDOW} in reverse order`,
      bytes: PAYLOAD.length * SEND_WINDOW,
      run: exchange(SEND_WINDOW, (packets) => packets.reverse()),
    },
  ]);
}

function exchange(
  messages: number,
  disorder: (packets: ControlPacket[]) => ControlPacket[] = (packets) => packets,
): () => void {
  const [sender, receiver] = [reliable(), reliable()];
  return () => {
    for (let count = 0; count < messages; count += 1) {
      const message = new ControlPacket(Opcode.P_CONTROL_V1, 0, NO_SESSION_ID);
      message.payload = PAYLOAD;
      sender.fromAbove(message);
    }
    for (const packet of disorder(packetsOf(sender))) receiver.fromBelow(packet);
    let released = 0;
    while (receiver.takeUp() !== undefined) released += 1;
    for (const packet of packetsOf(receiver)) sender.fromBelow(packet);
    if (released !== messages || !sender.isAcknowledged) throw new Error('messages were lost');
  };
}

function packetsOf(machine: Reliable): ControlPacket[] {
  const packets: ControlPacket[] = [];
  for (;;) {
    const packet = machine.takeDown(NOW);
    if (packet === undefined) return packets;
    packets.push(packet);
  }
}

function reliable(): Reliable {
  return new Reliable({
    keyId: 0,
    firstSendId: 0,
    firstReceiveId: 0,
    tlsTimeoutMs: 500,
    ackV1Limit: 8,
  });
}
