import type { webcrypto } from 'node:crypto';
import { Crypto } from '@peculiar/webcrypto';
import type { CipherProvider } from '../../src/datachannel/cipher-provider.ts';
import type { DataCodec } from '../../src/datachannel/data-codec.ts';
import { webCryptoProvider } from '../../src/datachannel/webcrypto-provider.ts';
import type { DataCipher } from '../../src/model/ciphers.ts';
import type { Role } from '../../src/model/ids.ts';
import { keyBytes } from './raw-ciphers.ts';
import type { Task } from './task.ts';

/** Packets that are sealed beforehand, for opening. */
const PACKETS = 512;

/** The calls that every packet needs, and nothing around them. */
export async function rawWebcryptoTasks(cipher: DataCipher, payload: Buffer): Promise<Task[]> {
  const subtle = new Crypto().subtle as webcrypto.SubtleCrypto;
  const usages: webcrypto.KeyUsage[] = ['encrypt', 'decrypt'];
  const key = await subtle.importKey('raw', keyBytes(cipher), 'AES-GCM', false, usages);
  const algorithm = {
    name: 'AES-GCM',
    iv: Buffer.alloc(12, 7),
    additionalData: Buffer.alloc(8, 7),
    tagLength: 128,
  };
  const sealed = await subtle.encrypt(algorithm, key, payload);
  const bytes = payload.length;
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

/** Sealing and opening by our codecs on each WebCrypto, many packets at a time as in a session. */
export async function onWebcryptoTasks(
  label: string,
  payload: Buffer,
  codec: (role: Role, provider: CipherProvider) => DataCodec,
): Promise<Task[]> {
  const tasks: Task[] = [];
  for (const [name, crypto] of [
    ['Node’s WebCrypto', globalThis.crypto],
    ['@peculiar/webcrypto', new Crypto()],
  ] as const) {
    const provider = webCryptoProvider(crypto);
    const common = { bytes: payload.length, note: '64 on their way', together: true };
    const create = (role: Role) => codec(role, provider);
    tasks.push(
      { ...common, task: `tundial on ${name} seal ${label}`, run: sealer(create, payload) },
      { ...common, task: `tundial on ${name} open ${label}`, run: await opener(create, payload) },
    );
  }
  return tasks;
}

function sealer(create: (role: Role) => DataCodec, payload: Buffer): () => Promise<void> {
  const sealing = create('client');
  return async () => {
    sealing.seal(payload);
    await sealing.filling;
  };
}

async function opener(
  create: (role: Role) => DataCodec,
  payload: Buffer,
): Promise<() => Promise<void>> {
  const sealing = create('client');
  const packets: Buffer[] = [];
  while (packets.length < PACKETS) {
    packets.push(sealing.seal(payload) ?? payload);
    await sealing.filling;
  }
  let opening = create('server');
  let next = 0;
  return async () => {
    if (next === PACKETS) {
      opening = create('server');
      next = 0;
    }
    const [codec, packet] = [opening, packets[next] ?? payload];
    next += 1;
    const opened = codec.decipher(packet);
    const accepted = typeof opened === 'number' ? opened : codec.accept(packet, await opened, 0);
    if (typeof accepted === 'number') throw new Error(`dropped: ${accepted}`);
  };
}
