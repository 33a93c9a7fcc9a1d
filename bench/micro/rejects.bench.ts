import { Drop } from '../../src/core/machine.ts';
import { DataChannel } from '../../src/datachannel/data-channel.ts';
import { DATA_CIPHERS } from '../../src/model/ciphers.ts';
import { KEY2_BYTES } from '../../src/model/data-channel-key.ts';
import { DIGESTS } from '../../src/model/digests.ts';
import { type Role, sessionIdOf } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import type { ControlKey } from '../../src/packetmuxer/control-key.ts';
import {
  CLEAR_HEADER_BYTES,
  encodeControlPacket,
} from '../../src/packetmuxer/control-packet-codec.ts';
import { plainWrap } from '../../src/packetmuxer/control-wrap.ts';
import { dynamicTlsCryptKey } from '../../src/packetmuxer/dynamic-tls-crypt.ts';
import { HardResetResponder } from '../../src/packetmuxer/hard-reset-responder.ts';
import { PacketMuxer } from '../../src/packetmuxer/packet-muxer.ts';
import { SessionWrap } from '../../src/packetmuxer/session-wrap.ts';
import { TlsAuthKey } from '../../src/packetmuxer/tls-auth-key.ts';
import { TlsCryptKey } from '../../src/packetmuxer/tls-crypt-key.ts';
import { TlsCryptV2ServerKey } from '../../src/packetmuxer/tls-crypt-v2.ts';
import { TlsCryptV2ClientWrap } from '../../src/packetmuxer/tls-crypt-v2-wraps.ts';
import { SeededRandom } from '../../test/sim/seeded-random.ts';
import { measure, type Task } from '../measure.ts';
import type { Row } from '../row.ts';

export const name = 'rejects';

/** Whole outer packets, as a flood sends them. */
const SIZES = [100, 1_400];
const HEADER_BYTES = 4;
const BLOCK_BYTES = 16;
const KEY = new SeededRandom(1).bytes(256);
const SERVER_KEYS = [new SeededRandom(2).bytes(128), new SeededRandom(3).bytes(128)] as const;
const LOCAL = sessionIdOf(Buffer.alloc(8, 1));
const REMOTE = sessionIdOf(Buffer.alloc(8, 2));
const OTHER = sessionIdOf(Buffer.alloc(8, 3));
const unixSeconds = () => 1_800_000_000;

/** What one packet of a flood costs a session or a listener until it is dropped. */
export async function bench(): Promise<Row[]> {
  return measure([
    ...SIZES.flatMap((bytes) => [...controlTasks(bytes), ...dataTasks(bytes)]),
    ...[344, 1_400].flatMap(strangerTasks),
  ]);
}

/** For the control branch of a session's muxer. */
function controlTasks(bytes: number): Task[] {
  const digests = ['SHA1', 'SHA256', 'SHA512'];
  const unknownKey = controlPacket(bytes, REMOTE);
  unknownKey.writeUInt8(unknownKey.readUInt8(0) | 7, 0);
  return [
    controlTask('none, another session id', undefined, controlPacket(bytes, OTHER), {
      drop: Drop.WRONG_SESSION,
    }),
    ...digests.map((digest) =>
      sealedTask(`tls-auth ${digest}, forged`, bytes, (role) => {
        return new TlsAuthKey({ key: KEY, direction: role === 'client' ? 1 : 0, digest });
      }),
    ),
    sealedTask('tls-crypt, forged', bytes, (role) => new TlsCryptKey(KEY, role)),
    sealedTask('dynamic tls-crypt, forged', bytes, (role) =>
      dynamicTlsCryptKey(new SeededRandom(4).bytes(256), KEY, role),
    ),
    controlTask('bad opcode', undefined, Buffer.alloc(bytes), { drop: Drop.BAD_OPCODE }),
    controlTask('unknown key id', undefined, unknownKey, { drop: Drop.UNKNOWN_KEY }),
  ];
}

/** An authentic packet whose last bit was changed. */
function sealedTask(label: string, bytes: number, keyOf: (role: Role) => ControlKey): Task {
  const key = keyOf('server');
  const plain = controlPacket(bytes - key.overheadBytes, REMOTE);
  const forged = withLastBitChanged(keyOf('client').seal(plain, 1, unixSeconds()));
  return controlTask(label, key, forged, { drop: Drop.BAD_AUTH });
}

function controlTask(
  label: string,
  key: ControlKey | undefined,
  packet: Buffer,
  { drop }: { readonly drop: Drop },
): Task {
  const wrap = key === undefined ? plainWrap : new SessionWrap({ key, unixSeconds });
  const muxer = new PacketMuxer({
    role: 'server',
    localSessionId: LOCAL,
    remoteSessionId: REMOTE,
    wrapFor: (keyId) => (keyId === 0 ? wrap : undefined),
    activity: new LinkActivity(0),
  });
  return rejectTask(`control: ${label}`, packet, () => muxer.fromBelow(packet, 0) === drop);
}

/** For the data channel of a session. */
function dataTasks(bytes: number): Task[] {
  const formats = [...DATA_CIPHERS.values()].flatMap(({ name: cipherName, aead }) =>
    aead
      ? [{ cipherName, auth: 'NONE', epoch: false }]
      : ['SHA1', 'SHA256', 'SHA512'].map((auth) => ({ cipherName, auth, epoch: false })),
  );
  const wanted = formats.filter(({ cipherName }) => cipherName !== 'AES-192-CBC');
  const unknownKey = Buffer.alloc(bytes, (Opcode.P_DATA_V2 << 3) | 7);
  const channel = dataChannel('client', 'AES-256-GCM', 'NONE', false);
  return [
    ...[...wanted, { cipherName: 'AES-256-GCM', auth: 'NONE', epoch: true }].map(
      ({ cipherName, auth, epoch }) => forgedDataTask(bytes, cipherName, auth, epoch),
    ),
    rejectTask('data: bad opcode', Buffer.alloc(bytes), (packet) => {
      return channel.open(packet, 0) === Drop.BAD_OPCODE;
    }),
    rejectTask('data: unknown key id', unknownKey, (packet) => {
      return channel.open(packet, 0) === Drop.UNKNOWN_KEY;
    }),
  ];
}

function forgedDataTask(bytes: number, cipherName: string, auth: string, epoch: boolean): Task {
  const receiver = dataChannel('client', cipherName, auth, epoch);
  const sender = dataChannel('server', cipherName, auth, epoch);
  const digest = auth === 'NONE' ? '' : ` ${auth}`;
  return rejectTask(
    `data: ${cipherName}${digest}${epoch ? ' epoch' : ''}, forged`,
    forgedLike(sender, bytes - excessBytes(bytes, auth)),
    (forged) => receiver.open(forged, 0) === Drop.BAD_AUTH,
  );
}

/** Of what a CBC packet is whole blocks: what is more would be seen before its HMAC. */
function excessBytes(bytes: number, auth: string): number {
  const digest = DIGESTS.get(auth);
  return digest === undefined ? 0 : (bytes - HEADER_BYTES - digest.bytes) % BLOCK_BYTES;
}

/** Random bytes behind the header, packet id and epoch of a packet that could have been sent. */
function forgedLike(channel: DataChannel, bytes: number): Buffer {
  const ipPacket = Buffer.alloc(20);
  ipPacket.writeUInt8(0x45, 0);
  ipPacket.writeUInt16BE(ipPacket.length, 2);
  const genuine = channel.seal(ipPacket, 0);
  if (typeof genuine === 'number') throw new Error('nothing was sealed');
  const forged = new SeededRandom(7).bytes(bytes);
  genuine.copy(forged, 0, 0, 2 * HEADER_BYTES);
  return forged;
}

function dataChannel(role: Role, cipherName: string, auth: string, epoch: boolean): DataChannel {
  const channel = new DataChannel(
    {
      auth,
      handWindowMs: 60_000,
      tranWindowMs: 3_600_000,
      renegSecMs: 3_600_000,
      renegBytes: 0,
      renegPackets: 0,
      replayWindow: { packets: 64, ms: 15_000 },
    },
    new LinkActivity(0),
  );
  const cipher = DATA_CIPHERS.get(cipherName);
  if (cipher === undefined) throw new Error(`no cipher ${cipherName}`);
  const material = new SeededRandom(5).bytes(KEY2_BYTES);
  channel.install({ keyId: 0, role, cipher, peerId: 0, epoch, material, startedAt: 0 }, 0);
  return channel;
}

/** For a listener under tls-crypt-v2: nothing is known of who sends. */
function strangerTasks(bytes: number): Task[] {
  const [serverKey, otherKey] = SERVER_KEYS;
  const responder = new HardResetResponder({
    tlsCryptV2: { serverKey, protocol: 'udp', unixSeconds },
    random: new SeededRandom(6),
  });
  const metadata = Buffer.alloc(Math.min(bytes - 344, 734));
  const refuse = (packet: Buffer): boolean => {
    const verdict = responder.onPacket(packet, '192.0.2.7 1194', 0);
    return verdict.kind === 'drop' && verdict.drop === Drop.BAD_AUTH;
  };
  const forged = resetWith(new TlsCryptV2ServerKey(serverKey).wrap(KEY, metadata), bytes);
  // Behind the opcode, key id and session id: the tag of the reset itself.
  const tagAt = CLEAR_HEADER_BYTES + 8;
  forged.writeUInt8(forged.readUInt8(tagAt) ^ 1, tagAt);
  return [
    rejectTask(
      "tls-crypt-v2: a stranger's reset",
      resetWith(new TlsCryptV2ServerKey(otherKey).wrap(KEY, metadata), bytes),
      refuse,
    ),
    rejectTask("tls-crypt-v2: a forged reset with a client's wrapped key", forged, refuse),
  ];
}

/** A reset of just that length that brings a wrapped key. */
function resetWith(wrappedKey: Buffer, bytes: number): Buffer {
  const plainBytes = bytes - wrappedKey.length - 40;
  const plain = controlPacket(plainBytes, REMOTE, Opcode.P_CONTROL_HARD_RESET_CLIENT_V3);
  return new TlsCryptV2ClientWrap({ key: KEY, wrappedKey, unixSeconds }).wrap(plain);
}

/** A plain control packet of just that length. */
function controlPacket(
  bytes: number,
  from: typeof LOCAL,
  opcode: Opcode = Opcode.P_CONTROL_V1,
): Buffer {
  const packet = new ControlPacket(opcode, 0, from);
  packet.packetId = 0;
  packet.payload = Buffer.alloc(bytes - encodeControlPacket(packet).length, 3);
  return encodeControlPacket(packet);
}

function withLastBitChanged(packet: Buffer): Buffer {
  const changed = Buffer.from(packet);
  changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
  return changed;
}

/** @param refuse whether the packet was dropped for the right reason */
function rejectTask(label: string, packet: Buffer, refuse: (packet: Buffer) => boolean): Task {
  return {
    task: `${label}, ${packet.length} B`,
    bytes: packet.length,
    run: () => {
      if (!refuse(packet)) throw new Error(`not refused as it should be: ${label}`);
    },
  };
}
