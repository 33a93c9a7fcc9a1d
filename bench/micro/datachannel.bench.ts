import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type webcrypto,
} from 'node:crypto';
import { Crypto } from '@peculiar/webcrypto';
import { Bench } from 'tinybench';
import { AeadCodec } from '../../src/datachannel/aead-codec.ts';
import { type CipherProvider, TAG_BYTES } from '../../src/datachannel/cipher-provider.ts';
import { DataChannel } from '../../src/datachannel/data-channel.ts';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import { PacketIdSource } from '../../src/datachannel/packet-id-source.ts';
import { ReplayWindow } from '../../src/datachannel/replay-window.ts';
import { DATA_CIPHERS, type DataCipher } from '../../src/model/ciphers.ts';
import { KEY2_BYTES } from '../../src/model/data-channel-key.ts';
import type { Role } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import type { Row } from '../row.ts';

export const name = 'datachannel';

const SIZES = [1400, 64];
/** Packets that are sealed beforehand, for opening: enough to make one window's set-up cheap. */
const PACKETS = 512;
/** Operations in one timed call, so that the clock costs nothing. */
const CALLS = 64;
const TIME_MS = 400;
const OPTIONS = {
  handWindowMs: 60_000,
  tranWindowMs: 3_600_000,
  renegSecMs: 3_600_000,
  renegBytes: 0,
  renegPackets: 0,
  replayWindow: { packets: 64, ms: 15_000 },
};

/** One operation on `bytes` of payload. */
interface Task {
  readonly task: string;
  readonly bytes: number;
  readonly run: (() => void) | (() => Promise<void>);
  readonly note?: string;
}

/** Sealing and opening beside the cipher calls alone, beside WebCrypto and without a cipher. */
export async function bench(): Promise<Row[]> {
  const tasks: Task[] = [];
  for (const cipher of DATA_CIPHERS.values()) {
    for (const bytes of SIZES) tasks.push(...nodeTasks(cipher, bytes));
    if (cipher.nodeName.endsWith('gcm')) {
      for (const bytes of SIZES) tasks.push(...(await webcryptoTasks(cipher, bytes)));
    }
  }
  for (const bytes of SIZES) tasks.push(...ownTasks(bytes));
  tasks.push(replayTask());
  return measure(tasks);
}

function nodeTasks(cipher: DataCipher, bytes: number): Task[] {
  const payload = ipPacket(bytes);
  const label = `${cipher.name} ${bytes} B`;
  const sealing = codec(cipher);
  const packets = Array.from({ length: PACKETS }, () => sealing.seal(payload) ?? payload);
  let opening = codec(cipher);
  let next = 0;
  return [
    { task: `node:crypto seal ${label}`, bytes, run: rawSealer(cipher, payload) },
    { task: `tundial seal ${label}`, bytes, run: () => void sealing.seal(payload) },
    { task: `node:crypto open ${label}`, bytes, run: rawOpener(cipher, packets[0] ?? payload) },
    {
      task: `tundial open ${label}`,
      bytes,
      run: () => {
        if (next === PACKETS) {
          opening = codec(cipher);
          next = 0;
        }
        expectPacket(opening.open(packets[next] ?? payload, 0));
        next += 1;
      },
    },
  ];
}

/** The whole data channel around a cipher that costs nothing: our own code, copies included. */
function ownTasks(bytes: number): Task[] {
  const payload = ipPacket(bytes);
  const provider = freeProvider(payload);
  const sealing = channel('client', provider);
  const packets = Array.from({ length: PACKETS }, () => expectPacket(sealing.seal(payload, 0)));
  let opening = channel('server', provider);
  let next = 0;
  return [
    { task: `own code seal ${bytes} B`, bytes, run: () => void sealing.seal(payload, 0) },
    {
      task: `own code open ${bytes} B`,
      bytes,
      run: () => {
        if (next === PACKETS) {
          opening = channel('server', provider);
          next = 0;
        }
        expectPacket(opening.open(packets[next] ?? payload, 0));
        next += 1;
      },
    },
  ].map((task) => ({ ...task, note: 'goal 1000 ns' }));
}

/** The calls that every packet needs, and nothing around them. */
function rawSealer(cipher: DataCipher, payload: Buffer): () => void {
  const key = createSecretKey(keyBytes(cipher));
  const [nonce, aad] = [Buffer.alloc(12, 7), Buffer.alloc(8, 7)];
  const options = { authTagLength: 16 };
  const nodeName = cipher.nodeName as CipherGCMTypes;
  return () => {
    const sealing = createCipheriv(nodeName, key, nonce, options);
    sealing.setAAD(aad);
    sealing.update(payload);
    sealing.final();
    sealing.getAuthTag();
  };
}

function rawOpener(cipher: DataCipher, packet: Buffer): () => void {
  const key = createSecretKey(keyBytes(cipher));
  const nonce = Buffer.concat([packet.subarray(4, 8), Buffer.alloc(8)]);
  const [aad, tag, text] = [packet.subarray(0, 8), packet.subarray(8, 24), packet.subarray(24)];
  const options = { authTagLength: 16 };
  const nodeName = cipher.nodeName as CipherGCMTypes;
  return () => {
    const opening = createDecipheriv(nodeName, key, nonce, options);
    opening.setAAD(aad);
    opening.setAuthTag(tag);
    opening.update(text);
    opening.final();
  };
}

async function webcryptoTasks(cipher: DataCipher, bytes: number): Promise<Task[]> {
  const subtle = new Crypto().subtle as webcrypto.SubtleCrypto;
  const usages: webcrypto.KeyUsage[] = ['encrypt', 'decrypt'];
  const key = await subtle.importKey('raw', keyBytes(cipher), 'AES-GCM', false, usages);
  const algorithm = {
    name: 'AES-GCM',
    iv: Buffer.alloc(12, 7),
    additionalData: Buffer.alloc(8, 7),
    tagLength: 128,
  };
  const payload = ipPacket(bytes);
  const sealed = await subtle.encrypt(algorithm, key, payload);
  const label = `${cipher.name} ${bytes} B`;
  return [
    {
      task: `@peculiar/webcrypto seal ${label}`,
      bytes,
      note: 'a promise a packet',
      run: async () => void (await subtle.encrypt(algorithm, key, payload)),
    },
    {
      task: `@peculiar/webcrypto open ${label}`,
      bytes,
      note: 'a promise a packet',
      run: async () => void (await subtle.decrypt(algorithm, key, sealed)),
    },
  ];
}

function replayTask(): Task {
  const window = new ReplayWindow(OPTIONS.replayWindow);
  let id = 0;
  return {
    task: 'replay window accept',
    bytes: 0,
    note: 'in order',
    run: () => {
      id += 1;
      window.accept(id, 0);
    },
  };
}

async function measure(tasks: readonly Task[]): Promise<Row[]> {
  const timing = new Bench({ time: TIME_MS, warmupTime: TIME_MS / 4 });
  for (const { task, run } of tasks) {
    const isAsync = run() instanceof Promise;
    timing.add(task, isAsync ? () => runEach(run) : () => runAll(run));
  }
  await timing.run();
  const nanoseconds = new Map<string, number>();
  for (const { name: task, result } of timing.tasks) {
    if (!('latency' in result)) throw new Error(`${task} did not finish`);
    nanoseconds.set(task, (result.latency.p50 * 1e6) / CALLS);
  }
  return tasks.map((task) => rowOf(task, nanoseconds));
}

function runAll(run: Task['run']): void {
  for (let call = 0; call < CALLS; call += 1) void run();
}

async function runEach(run: Task['run']): Promise<void> {
  for (let call = 0; call < CALLS; call += 1) await run();
}

function rowOf({ task, bytes, note }: Task, nanoseconds: ReadonlyMap<string, number>): Row {
  const cost = nanoseconds.get(task) ?? Number.NaN;
  const opsPerSecond = 1e9 / cost;
  const told = `${Math.round(cost)} ns${note === undefined ? '' : `, ${note}`}`;
  return bytes === 0
    ? { task, opsPerSecond, note: told }
    : { task, opsPerSecond, bytesPerSecond: opsPerSecond * bytes, note: told };
}

function codec(cipher: DataCipher): AeadCodec {
  return new AeadCodec({
    keyId: 0,
    peerId: 0,
    sealer: nodeProvider.createSealer(cipher, keyBytes(cipher)),
    opener: nodeProvider.createOpener(cipher, keyBytes(cipher)),
    sealIv: Buffer.alloc(8),
    openIv: Buffer.alloc(8),
    packetIds: new PacketIdSource(),
    replayWindow: new ReplayWindow(OPTIONS.replayWindow),
  });
}

function channel(role: Role, provider: CipherProvider): DataChannel {
  const made = new DataChannel(OPTIONS, new LinkActivity(0), { provider });
  const cipher = DATA_CIPHERS.get('AES-256-GCM');
  if (cipher === undefined) throw new Error('AES-256-GCM is missing');
  const material = Buffer.alloc(KEY2_BYTES, 1);
  made.install({ keyId: 0, role, cipher, peerId: 0, material, startedAt: 0 }, 0);
  return made;
}

/** Puts ready-made bytes where ciphertext and tag go, and gives a ready-made plaintext. */
function freeProvider(payload: Buffer): CipherProvider {
  const tag = Buffer.alloc(TAG_BYTES, 1);
  return {
    name: 'free',
    createSealer: () => ({
      seal: (_nonce, _aad, plaintext, packet, tagAt, textAt) => {
        packet.set(plaintext, textAt);
        packet.set(tag, tagAt);
      },
    }),
    createOpener: () => ({ open: () => payload }),
  };
}

function expectPacket(packet: Buffer | number): Buffer {
  if (typeof packet === 'number') throw new Error(`dropped: ${packet}`);
  return packet;
}

function keyBytes(cipher: DataCipher): Buffer {
  return Buffer.alloc(cipher.keyBytes, 0x5a);
}

function ipPacket(bytes: number): Buffer {
  const packet = Buffer.alloc(bytes, 0x33);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt16BE(bytes, 2);
  return packet;
}
