import { Bench } from 'tinybench';
import { type CipherProvider, TAG_BYTES } from '../../src/datachannel/cipher-provider.ts';
import { DataChannel } from '../../src/datachannel/data-channel.ts';
import type { DataCodec } from '../../src/datachannel/data-codec.ts';
import { createDataKey } from '../../src/datachannel/data-key.ts';
import { KEY_LIMITS } from '../../src/datachannel/key-limits.ts';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import { ReplayWindow } from '../../src/datachannel/replay-window.ts';
import { DATA_CIPHERS, type DataCipher } from '../../src/model/ciphers.ts';
import { KEY2_BYTES } from '../../src/model/data-channel-key.ts';
import type { Role } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import { allocatedBytes } from '../allocated.ts';
import type { Row } from '../row.ts';
import { rawCbcOpener, rawCbcSealer, rawOpener, rawSealer } from './raw-ciphers.ts';
import type { Task } from './task.ts';
import { onWebcryptoTasks, rawWebcryptoTasks } from './webcrypto-tasks.ts';

export const name = 'datachannel';

const SIZES = [1400, 64];
/** Packets that are sealed beforehand, for opening: enough to make one window's set-up cheap. */
const PACKETS = 512;
/** Operations in one timed call, so that the clock costs nothing. */
const CALLS = 64;
const TIME_MS = 400;
const OPTIONS = {
  auth: 'SHA1',
  handWindowMs: 60_000,
  tranWindowMs: 3_600_000,
  renegSecMs: 3_600_000,
  renegBytes: 0,
  renegPackets: 0,
  replayWindow: { packets: 64, ms: 15_000 },
};

/** What is measured on WebCrypto, too. */
const ON_WEBCRYPTO = ['AES-256-GCM 1400 B', 'AES-256-GCM epoch 1400 B', 'AES-256-CBC SHA1 1400 B'];

/** What two ends agreed on. */
interface Format {
  readonly cipher: DataCipher;
  readonly auth: string;
  readonly epoch: boolean;
}

/** Sealing and opening beside the cipher calls alone, beside WebCrypto and without a cipher. */
export async function bench(): Promise<Row[]> {
  const tasks: Task[] = [];
  for (const format of formats()) {
    for (const bytes of SIZES) tasks.push(...nodeTasks(format, bytes));
    tasks.push(rejectTask(format));
  }
  for (const cipher of DATA_CIPHERS.values()) {
    if (cipher.nodeName.endsWith('gcm')) {
      for (const bytes of SIZES) tasks.push(...(await rawWebcryptoTasks(cipher, ipPacket(bytes))));
    }
  }
  for (const format of formats()) {
    const label = labelOf(format, 1400);
    if (!ON_WEBCRYPTO.includes(label)) continue;
    const create = (role: Role, provider: CipherProvider) => codec(role, format, provider);
    tasks.push(...(await onWebcryptoTasks(label, ipPacket(1400), create)));
  }
  for (const bytes of SIZES) tasks.push(...ownTasks(bytes));
  tasks.push(replayTask());
  return measure(tasks);
}

/** Every cipher with the default digest, and what differs with others and with epochs. */
function formats(): Format[] {
  const plain = [...DATA_CIPHERS.values()].map((cipher) => formatOf(cipher));
  const others = plain.flatMap((format) => {
    const { cipher } = format;
    if (cipher.keyBytes < 32) return [];
    if (cipher.aead) return [{ ...format, epoch: true }];
    return ['SHA256', 'SHA512'].map((auth) => ({ ...format, auth }));
  });
  return [...plain, ...others];
}

function formatOf(cipher: DataCipher): Format {
  return { cipher, auth: cipher.aead ? 'NONE' : OPTIONS.auth, epoch: false };
}

function labelOf({ cipher, auth, epoch }: Format, bytes: number): string {
  const digest = auth === 'NONE' ? '' : ` ${auth}`;
  return `${cipher.name}${digest}${epoch ? ' epoch' : ''} ${bytes} B`;
}

function nodeTasks(format: Format, bytes: number): Task[] {
  const { cipher, epoch } = format;
  const payload = ipPacket(bytes);
  const label = labelOf(format, bytes);
  const sealing = codec('client', format);
  const packets = Array.from({ length: PACKETS }, () => sealing.seal(payload) ?? payload);
  let opening = codec('server', format);
  let next = 0;
  const own = [
    { task: `tundial seal ${label}`, bytes, run: () => void sealing.seal(payload) },
    {
      task: `tundial open ${label}`,
      bytes,
      run: () => {
        if (next === PACKETS) {
          opening = codec('server', format);
          next = 0;
        }
        expectPacket(opening.open(packets[next] ?? payload, 0));
        next += 1;
      },
    },
  ];
  if (epoch) return own;
  const [seal, open] = cipher.aead
    ? [rawSealer(cipher, payload), rawOpener(cipher, packets[0] ?? payload)]
    : [rawCbcSealer(cipher, format.auth, payload), rawCbcOpener(cipher, format.auth, payload)];
  return [
    { task: `node:crypto seal ${label}`, bytes, run: seal },
    { task: `node:crypto open ${label}`, bytes, run: open },
    ...own,
  ];
}

/** What a forged packet costs. */
function rejectTask(format: Format): Task {
  const bytes = SIZES[0] ?? 0;
  const forged = codec('client', format).seal(ipPacket(bytes)) ?? ipPacket(bytes);
  forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1);
  const opening = codec('server', format);
  return {
    task: `tundial reject ${labelOf(format, bytes)}`,
    bytes,
    run: () => {
      if (typeof opening.open(forged, 0) !== 'number') throw new Error('a forgery was opened');
    },
  };
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
  for (const { task, run, together } of tasks) {
    const first = run();
    await first;
    const runAsync = together ? () => runTogether(run) : () => runEach(run);
    timing.add(task, first instanceof Promise ? runAsync : () => runAll(run));
  }
  await timing.run();
  const [nanoseconds, allocated] = [new Map<string, number>(), new Map<string, number>()];
  for (const { task, run } of tasks) {
    // What promises take is not seen from here.
    if (run() === undefined)
      allocated.set(
        task,
        allocatedBytes(() => runAll(run), CALLS),
      );
  }
  for (const { name: task, result } of timing.tasks) {
    if (!('latency' in result)) throw new Error(`${task} did not finish`);
    nanoseconds.set(task, (result.latency.p50 * 1e6) / CALLS);
  }
  return tasks.map((task) => {
    const bytes = allocated.get(task.task);
    return { ...rowOf(task, nanoseconds), ...(bytes !== undefined && { allocatedBytes: bytes }) };
  });
}

function runAll(run: Task['run']): void {
  for (let call = 0; call < CALLS; call += 1) void run();
}

async function runEach(run: Task['run']): Promise<void> {
  for (let call = 0; call < CALLS; call += 1) await run();
}

async function runTogether(run: Task['run']): Promise<void> {
  await Promise.all(Array.from({ length: CALLS }, run));
}

function rowOf({ task, bytes, note }: Task, nanoseconds: ReadonlyMap<string, number>): Row {
  const cost = nanoseconds.get(task) ?? Number.NaN;
  const opsPerSecond = 1e9 / cost;
  const told = `${Math.round(cost)} ns${note === undefined ? '' : `, ${note}`}`;
  return bytes === 0
    ? { task, opsPerSecond, note: told }
    : { task, opsPerSecond, bytesPerSecond: opsPerSecond * bytes, note: told };
}

function codec(
  role: Role,
  { cipher, auth, epoch }: Format,
  provider: CipherProvider = nodeProvider,
): DataCodec {
  const material = Buffer.alloc(KEY2_BYTES, 0x5a);
  const key = { keyId: 0, role, cipher, peerId: 0, epoch, material, startedAt: 0 };
  return createDataKey(key, {
    provider,
    limits: KEY_LIMITS,
    auth,
    replayWindow: OPTIONS.replayWindow,
  }).codec;
}

function channel(role: Role, provider: CipherProvider): DataChannel {
  const made = new DataChannel(OPTIONS, new LinkActivity(0), { provider });
  const cipher = DATA_CIPHERS.get('AES-256-GCM');
  if (cipher === undefined) throw new Error('AES-256-GCM is missing');
  const material = Buffer.alloc(KEY2_BYTES, 1);
  made.install({ keyId: 0, role, cipher, peerId: 0, epoch: false, material, startedAt: 0 }, 0);
  return made;
}

/** Puts ready-made bytes where ciphertext and tag go, and gives a ready-made plaintext. */
function freeProvider(payload: Buffer): CipherProvider {
  const tag = Buffer.alloc(TAG_BYTES, 1);
  return {
    name: 'free',
    defers: false,
    has: nodeProvider.has,
    createSealer: () => ({
      seal: (_nonce, _aad, plaintext, packet, tagAt, textAt) => {
        packet.set(plaintext, textAt);
        packet.set(tag, tagAt);
      },
    }),
    createOpener: () => ({ open: () => payload }),
    createCbcSealer: nodeProvider.createCbcSealer,
    createCbcOpener: nodeProvider.createCbcOpener,
  };
}

function expectPacket(packet: Buffer | number): Buffer {
  if (typeof packet === 'number') throw new Error(`dropped: ${packet}`);
  return packet;
}

function ipPacket(bytes: number): Buffer {
  const packet = Buffer.alloc(bytes, 0x33);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt16BE(bytes, 2);
  return packet;
}
