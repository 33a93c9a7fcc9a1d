import { Channel } from '../../src/core/channel.ts';
import { Drop } from '../../src/core/machine.ts';
import { BATCH } from '../../src/core/pump.ts';
import { type Role, type SessionId, sessionIdOf } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import type { ControlKey } from '../../src/packetmuxer/control-key.ts';
import {
  decodeControlPacket,
  encodeControlPacket,
} from '../../src/packetmuxer/control-packet-codec.ts';
import { plainWrap } from '../../src/packetmuxer/control-wrap.ts';
import { HardResetResponder } from '../../src/packetmuxer/hard-reset-responder.ts';
import { PacketMuxer } from '../../src/packetmuxer/packet-muxer.ts';
import { type PacketMuxerPorts, PacketMuxerService } from '../../src/packetmuxer/service.ts';
import { SessionWrap } from '../../src/packetmuxer/session-wrap.ts';
import { StatelessWrap } from '../../src/packetmuxer/stateless-wrap.ts';
import { TlsAuthKey } from '../../src/packetmuxer/tls-auth-key.ts';
import { TlsCryptKey } from '../../src/packetmuxer/tls-crypt-key.ts';
import { SeededRandom } from '../../test/sim/seeded-random.ts';
import { measure, type Task } from '../measure.ts';
import type { Row } from '../row.ts';

export const name = 'packetmuxer';

const PAYLOAD_BYTES = 1_100;
const DATA_BYTES = 1_424;
/** Packets that are wrapped beforehand; after so many the receiver starts anew. */
const PACKETS = 512;
const KEY = new SeededRandom(1).bytes(256);
const LOCAL = sessionIdOf(Buffer.alloc(8, 1));
const REMOTE = sessionIdOf(Buffer.alloc(8, 2));
const unixSeconds = () => 1_800_000_000;

/** Control packets and their wrap, forged ones, strangers, and the way of data past all that. */
export async function bench(): Promise<Row[]> {
  return measure([
    ...codecTasks(),
    ...wrapTasks((role) => new TlsCryptKey(KEY, role)),
    ...['SHA1', 'SHA256', 'SHA512'].flatMap((digest) =>
      wrapTasks((role) => tlsAuthKey(digest, role), ` ${digest}`),
    ),
    ...openingTasks(undefined),
    ...openingTasks((role) => new TlsCryptKey(KEY, role)),
    ...openingTasks((role) => tlsAuthKey('SHA256', role)),
    dataTask(),
  ]);
}

function codecTasks(): Task[] {
  const packet = controlPacket(LOCAL);
  const bytes = encodeControlPacket(packet);
  return [
    {
      task: 'encode CONTROL_V1',
      bytes: PAYLOAD_BYTES,
      run: () => void encodeControlPacket(packet),
    },
    { task: 'decode CONTROL_V1', bytes: PAYLOAD_BYTES, run: () => void decodeControlPacket(bytes) },
  ];
}

/** Both ways of a wrap, and what a forged packet costs. */
function wrapTasks(keyOf: (role: Role) => ControlKey, digest = ''): Task[] {
  const plain = encodeControlPacket(controlPacket(LOCAL));
  const sender = sessionWrap(keyOf('client'));
  const packets = Array.from({ length: PACKETS }, () => sender.wrap(plain));
  const forged = Buffer.from(packets[0] ?? plain);
  forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1);
  let receiver = sessionWrap(keyOf('server'));
  let next = 0;
  const label = `${sender.name}${digest}`;
  return [
    { task: `${label} wrap`, bytes: PAYLOAD_BYTES, run: () => void sender.wrap(plain) },
    {
      task: `${label} unwrap`,
      bytes: PAYLOAD_BYTES,
      run: () => {
        if (next === PACKETS) {
          receiver = sessionWrap(keyOf('server'));
          next = 0;
        }
        if (typeof receiver.unwrap(packets[next] ?? plain) === 'number') throw new Error('dropped');
        next += 1;
      },
    },
    {
      task: `${label} refuse a forged packet`,
      bytes: PAYLOAD_BYTES,
      run: () => {
        if (receiver.unwrap(forged) !== Drop.BAD_AUTH) throw new Error('not refused');
      },
    },
  ];
}

/** A stranger's reset, and an opening packet whose cookie is not ours. */
function openingTasks(keyOf: ((role: Role) => ControlKey) | undefined): Task[] {
  const random = new SeededRandom(2);
  const wrap =
    keyOf === undefined ? plainWrap : new StatelessWrap({ key: keyOf('server'), unixSeconds });
  const client = keyOf === undefined ? plainWrap : sessionWrap(keyOf('client'));
  const responder = new HardResetResponder({ wrap, random, maxReplies: Number.MAX_SAFE_INTEGER });
  const reset = new ControlPacket(Opcode.P_CONTROL_HARD_RESET_CLIENT_V2, 0, REMOTE);
  reset.packetId = 0;
  const completing = controlPacket(REMOTE);
  const resetBytes = client.wrap(encodeControlPacket(reset));
  const completingBytes = client.wrap(encodeControlPacket(completing));
  const ask = (packet: Buffer, kind: string) => () => {
    if (responder.onPacket(packet, '192.0.2.7 1194', 0).kind !== kind) throw new Error('surprise');
  };
  return [
    { task: `answer a hard reset, ${wrap.name}`, bytes: 0, run: ask(resetBytes, 'reply') },
    { task: `refuse a wrong cookie, ${wrap.name}`, bytes: 0, run: ask(completingBytes, 'drop') },
  ];
}

/** A batch of data packets through the service; the price of one. */
function dataTask(): Task {
  const ports: PacketMuxerPorts = {
    networkToMuxer: new Channel('networkToMuxer', 512),
    muxerToReliable: new Channel('muxerToReliable', 16),
    muxerToData: new Channel('muxerToData', 512),
    reliableToMuxer: new Channel('reliableToMuxer', 16),
    dataToMuxer: new Channel('dataToMuxer', 256),
    muxerToNetwork: new Channel('muxerToNetwork', 256),
    hardResetDone: new Channel('hardResetDone', 2),
  };
  const muxer = new PacketMuxer({
    role: 'server',
    localSessionId: LOCAL,
    remoteSessionId: REMOTE,
    wrapFor: () => plainWrap,
    activity: new LinkActivity(0),
  });
  const service = new PacketMuxerService(muxer, ports);
  const packet = Buffer.alloc(DATA_BYTES, Opcode.P_DATA_V2 << 3);
  return {
    task: `${BATCH} data packets up through the service`,
    bytes: DATA_BYTES * BATCH,
    run: () => {
      for (let count = 0; count < BATCH; count += 1) ports.networkToMuxer.push(packet);
      service.moveUpWorker(0);
      for (let count = 0; count < BATCH; count += 1) {
        if (ports.muxerToData.take() === undefined) throw new Error('a packet is missing');
      }
    },
  };
}

function controlPacket(sessionId: SessionId): ControlPacket {
  const packet = new ControlPacket(Opcode.P_CONTROL_V1, 0, sessionId);
  packet.packetId = 1;
  packet.ackedPacketIds = [1, 0];
  packet.remoteSessionId = LOCAL;
  packet.payload = Buffer.alloc(PAYLOAD_BYTES, 3);
  return packet;
}

function tlsAuthKey(digest: string, role: Role): TlsAuthKey {
  return new TlsAuthKey({ key: KEY, direction: role === 'client' ? 1 : 0, digest });
}

function sessionWrap(key: ControlKey): SessionWrap {
  return new SessionWrap({ key, unixSeconds });
}
