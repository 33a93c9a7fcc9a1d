import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
} from 'node:crypto';
import { DATA_CIPHERS } from '../../src/model/ciphers.ts';
import type { TunDevice } from '../../src/model/tun-device.ts';
import { Pair } from '../../test/sim/pair.ts';
import { allocatedBytes } from '../allocated.ts';
import { rowOf } from '../measure.ts';
import type { Row } from '../row.ts';

export const name = 'stack';

const SIZES = [1_400, 64];
/** Packets that are written before the sessions have a turn: what `tunToData` takes. */
const BURST = 256;
const BURSTS = 1_000;
const WARM_UP_BURSTS = 200;

/** IP packets into one session and out of the other, through every layer but a socket. */
export async function bench(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const cipher of ['AES-256-GCM', 'CHACHA20-POLY1305']) {
    for (const bytes of SIZES) rows.push(...(await oneWay(cipher, bytes)));
  }
  return rows;
}

async function oneWay(cipher: string, bytes: number): Promise<Row[]> {
  const pair = await Pair.connected({
    profile: { dataCiphers: [cipher] },
    server: { dataCiphers: [cipher] },
  });
  const { session } = pair.server;
  if (session === undefined) throw new Error('no server');
  const through = () => carry(pair, session.tun, ipPacket(bytes));
  const alone = cipherCalls(cipher, bytes);
  const [whole, ciphers] = medianNanoseconds(through, alone);
  const wholeBytes = allocatedBytes(through, BURST);
  const cipherBytes = allocatedBytes(alone, BURST);
  await pair.stop();
  const label = `${cipher} ${bytes} B`;
  const own = `${Math.round(whole - ciphers)} ns of our own at both ends`;
  return [
    {
      ...rowOf({ task: `client to server, ${label}`, bytes, note: own }, whole),
      allocatedBytes: wholeBytes,
    },
    {
      ...rowOf({ task: `its cipher calls alone, ${label}`, bytes }, ciphers),
      allocatedBytes: cipherBytes,
    },
  ];
}

/** One burst from the client's tun to the server's. */
function carry({ client, clock }: Pair, tun: TunDevice, packet: Buffer): void {
  for (let count = 0; count < BURST; count += 1) client.tun.write(packet);
  clock.settle();
  for (let count = 0; count < BURST; count += 1) {
    if (tun.read() === undefined) throw new Error('a packet is missing');
  }
}

/** What OpenSSL and Node's wrapper of it need to seal and open a burst. */
function cipherCalls(cipherName: string, bytes: number): () => void {
  const cipher = DATA_CIPHERS.get(cipherName);
  if (cipher === undefined) throw new Error(`no such cipher: ${cipherName}`);
  const key = createSecretKey(Buffer.alloc(cipher.keyBytes, 0x5a));
  const [nonce, aad, payload] = [Buffer.alloc(12, 7), Buffer.alloc(8, 7), ipPacket(bytes)];
  const options = { authTagLength: 16 };
  const nodeName = cipher.nodeName as CipherGCMTypes;
  return () => {
    for (let count = 0; count < BURST; count += 1) {
      const sealing = createCipheriv(nodeName, key, nonce, options);
      sealing.setAAD(aad);
      const text = sealing.update(payload);
      sealing.final();
      const opening = createDecipheriv(nodeName, key, nonce, options);
      opening.setAAD(aad);
      opening.setAuthTag(sealing.getAuthTag());
      opening.update(text);
      opening.final();
    }
  };
}

/** Nanoseconds a packet of each: the medians of bursts in turn, so that a busy moment hits both. */
function medianNanoseconds(one: () => void, other: () => void): [number, number] {
  const costs: [number[], number[]] = [[], []];
  for (let count = -WARM_UP_BURSTS; count < BURSTS; count += 1) {
    const start = performance.now();
    one();
    const between = performance.now();
    other();
    const end = performance.now();
    if (count < 0) continue;
    costs[0].push(((between - start) * 1e6) / BURST);
    costs[1].push(((end - between) * 1e6) / BURST);
  }
  return [median(costs[0]), median(costs[1])];
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function ipPacket(bytes: number): Buffer {
  const packet = Buffer.alloc(bytes, 0x33);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt16BE(bytes, 2);
  return packet;
}
