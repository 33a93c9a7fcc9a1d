import { readdirSync, readFileSync } from 'node:fs';
import { DATA_CIPHERS, type DataCipher } from '../../src/model/ciphers.ts';

const VECTORS = new URL('../vectors/', import.meta.url);

/** One data packet of a capture, with what was found inside. */
export interface CapturedPacket {
  readonly op: 'DATA_V1' | 'DATA_V2';
  /** Sent by the client or by the server. */
  readonly dir: 'C' | 'S';
  readonly key_id: number;
  readonly peer_id?: number | null;
  /** With epochs: the counter. */
  readonly packet_id: number;
  /** With a CBC cipher. */
  readonly iv?: string;
  readonly hex: string;
  readonly plaintext: string;
}

interface CaptureFile {
  readonly config: {
    readonly cipher?: string;
    readonly auth?: string;
    readonly epoch?: boolean;
  };
  readonly key2_in_order: readonly string[];
  readonly packets: readonly (CapturedPacket | { readonly op: string })[];
}

export interface Capture {
  readonly name: string;
  readonly cipherName: string;
  readonly auth: string;
  readonly isEpoch: boolean;
  readonly packets: readonly CapturedPacket[];
  /** Which of the capture's key blocks a packet belongs to. */
  generation(packet: CapturedPacket): number;
  /** The key block of a packet: 256 bytes, fresh. */
  key2(packet: CapturedPacket): Buffer;
}

/** All captures that hold data packets, by name. */
export function readCaptures(): Capture[] {
  return readdirSync(VECTORS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /^\d/.test(entry.name))
    .map((entry) => readCapture(entry.name))
    .filter((capture) => capture.packets.length > 0)
    .sort((a, b) => a.name.localeCompare(b.name));
}

export function readCapture(name: string): Capture {
  const file: CaptureFile = JSON.parse(
    readFileSync(new URL(`${name}/packets.json`, VECTORS), 'utf8'),
  );
  return {
    name,
    cipherName: file.config.cipher ?? 'AES-256-GCM',
    auth: file.config.auth?.toUpperCase() ?? 'SHA1',
    isEpoch: file.config.epoch ?? false,
    packets: file.packets.filter(isDataPacket),
    generation: (packet) => generationOf(packet, file),
    key2: (packet) => Buffer.from(file.key2_in_order[generationOf(packet, file)] ?? '', 'hex'),
  };
}

/**
 * Which of the capture's key blocks a packet belongs to: its key id, or the next block where the
 * same packet was numbered before, since then the client has reconnected in between.
 */
function generationOf(packet: CapturedPacket, file: CaptureFile): number {
  const twins = file.packets
    .filter(isDataPacket)
    .filter((other) => other.dir === packet.dir && other.key_id === packet.key_id)
    .filter((other) => other.packet_id === packet.packet_id);
  return packet.key_id + twins.indexOf(packet);
}

/** The file of unit vectors. */
export function readUnitVectors<T>(): T {
  return JSON.parse(readFileSync(new URL('vectors.json', VECTORS), 'utf8'));
}

export function cipherNamed(name: string): DataCipher {
  const cipher = DATA_CIPHERS.get(name);
  if (cipher === undefined) throw new Error(`no cipher ${name}`);
  return cipher;
}

function isDataPacket(packet: { readonly op: string }): packet is CapturedPacket {
  return packet.op.startsWith('DATA_');
}
