import { ControlChannel, SOFT_RESET_REST_MS } from '../../src/controlchannel/control-channel.ts';
import {
  type ControlChannelPorts,
  ControlChannelService,
} from '../../src/controlchannel/service.ts';
import { Channel } from '../../src/core/channel.ts';
import type { ControlPacket } from '../../src/model/packet.ts';
import type { TlsChunk } from '../../src/model/tls-chunk.ts';
import { measure } from '../measure.ts';
import type { Row } from '../row.ts';

export const name = 'controlchannel';

const CHUNK: TlsChunk = { keyId: 0, bytes: Buffer.alloc(1_100, 1) };
const SLOTS = 16;

/** TLS bytes down and up again, and a renegotiation from the request to the new key id. */
export async function bench(): Promise<Row[]> {
  return measure([
    { task: 'TLS chunk to packet and back', bytes: CHUNK.bytes.length, run: roundTrip() },
    {
      task: `${SLOTS} TLS chunks down and up through the service`,
      bytes: CHUNK.bytes.length * SLOTS,
      run: serviceRoundTrip(),
    },
    { task: 'soft reset, both ends', bytes: 0, run: softReset() },
  ]);
}

function roundTrip(): () => void {
  const [down, up] = [new ControlChannel(), new ControlChannel()];
  return () => {
    up.fromBelow(down.fromAbove(CHUNK));
    if (up.takeUp() === undefined) throw new Error('no TLS bytes came up');
  };
}

function serviceRoundTrip(): () => void {
  const joined = new Channel<ControlPacket>('joined', SLOTS);
  const ports = portsOver(joined);
  const service = new ControlChannelService(new ControlChannel(), ports);
  return () => {
    while (!ports.tlsToControl.full) ports.tlsToControl.push(CHUNK);
    service.moveDownWorker(0);
    service.moveUpWorker();
    for (let count = 0; count < SLOTS; count += 1) {
      if (ports.controlToTls.take() === undefined) throw new Error('no TLS bytes came up');
    }
  };
}

/** What goes down comes up again. */
function portsOver(joined: Channel<ControlPacket>): ControlChannelPorts {
  return {
    reliableToControl: joined,
    controlToReliable: joined,
    controlToTls: new Channel('controlToTls', SLOTS),
    tlsToControl: new Channel('tlsToControl', SLOTS),
    softReset: new Channel('softReset', 2),
    keyEstablished: new Channel('keyEstablished', 2),
    rekeyDue: new Channel('rekeyDue', 2),
  };
}

function softReset(): () => void {
  const [starter, answerer] = [new ControlChannel(), new ControlChannel()];
  let now = 0;
  for (const end of [starter, answerer]) end.keyEstablished(0, now);
  return () => {
    now += SOFT_RESET_REST_MS;
    for (const end of [starter, answerer]) end.onTimeout(now);
    starter.startSoftReset(now);
    deliver(starter, answerer);
    deliver(answerer, starter);
    for (const end of [starter, answerer]) {
      const keyId = end.takeSoftReset();
      if (keyId === undefined) throw new Error('no negotiation began');
      end.keyEstablished(keyId, now);
    }
  };
}

function deliver(from: ControlChannel, to: ControlChannel): void {
  const reset = from.takeDown();
  if (reset === undefined) throw new Error('no soft reset was sent');
  reset.packetId = 0;
  to.fromBelow(reset);
}
