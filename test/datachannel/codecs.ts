import { expect } from 'vitest';
import type { Drop } from '../../src/core/machine.ts';
import type { RandomSource } from '../../src/core/random.ts';
import type { CipherProvider } from '../../src/datachannel/cipher-provider.ts';
import type { DataCodec } from '../../src/datachannel/data-codec.ts';
import { createDataKey } from '../../src/datachannel/data-key.ts';
import { KEY_LIMITS, type KeyLimits } from '../../src/datachannel/key-limits.ts';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import type { Role } from '../../src/model/ids.ts';
import { cipherNamed } from './captures.ts';

/** What two ends agreed on. */
export interface Format {
  readonly cipherName: string;
  readonly auth: string;
  readonly epoch: boolean;
  readonly peerId: number | undefined;
}

export interface CodecInput extends Partial<Format> {
  readonly key2?: Buffer;
  readonly keyId?: number;
  readonly limits?: Partial<KeyLimits>;
  readonly random?: RandomSource;
  readonly provider?: CipherProvider;
  readonly replayWindow?: { readonly packets: number; readonly ms: number };
}

/** One end's codec, made as a session makes it. Default: AES-256-GCM, DATA_V2, key id 0. */
export function codecFor(role: Role, input: CodecInput = {}): DataCodec {
  const key = {
    keyId: input.keyId ?? 0,
    role,
    cipher: cipherNamed(input.cipherName ?? 'AES-256-GCM'),
    peerId: 'peerId' in input ? input.peerId : 0,
    epoch: input.epoch ?? false,
    material: input.key2 ?? key2(),
    startedAt: 0,
  };
  return createDataKey(key, {
    provider: input.provider ?? nodeProvider,
    limits: { ...KEY_LIMITS, ...input.limits },
    auth: input.auth ?? 'SHA1',
    random: input.random,
    replayWindow: input.replayWindow ?? { packets: 64, ms: 15_000 },
  }).codec;
}

export function codecPair(input: CodecInput = {}): { client: DataCodec; server: DataCodec } {
  return { client: codecFor('client', input), server: codecFor('server', input) };
}

/** A key block: 256 bytes, always the same, fresh. */
export function key2(): Buffer {
  return Buffer.from(Array.from({ length: 256 }, (_, at) => (at * 7 + 1) & 0xff));
}

export function sealedBy(codec: DataCodec, payload: Buffer | string): Buffer {
  return codec.seal(Buffer.from(payload)) ?? expect.fail('exhausted');
}

/** What `seal` gives once it is whole, whether the cipher answers at once or not. */
export async function wholeOf(codec: DataCodec, payload: Buffer): Promise<Buffer> {
  const packet = codec.seal(payload) ?? expect.fail('exhausted');
  await codec.filling;
  return packet;
}

/** Opens in two halves, as it is done where ciphers do not answer at once. */
export async function openedBy(codec: DataCodec, packet: Buffer): Promise<Buffer | Drop> {
  const opened = codec.decipher(packet);
  return typeof opened === 'number' ? opened : codec.accept(packet, await opened, 0);
}

const AEAD = ['AES-128-GCM', 'AES-192-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305'];
const CBC = ['AES-128-CBC', 'AES-192-CBC', 'AES-256-CBC'];
const DIGESTS = ['SHA1', 'SHA224', 'SHA256', 'SHA384', 'SHA512'];

/** Every packet format of OpenVPN's own ciphers and digests, by name. */
export const FORMATS: readonly (Format & { readonly name: string })[] = [
  ...[7, undefined].flatMap((peerId) => [
    ...AEAD.map((cipherName) => ({ cipherName, auth: 'NONE', epoch: false, peerId })),
    ...CBC.flatMap((cipherName) =>
      DIGESTS.map((auth) => ({ cipherName, auth, epoch: false, peerId })),
    ),
  ]),
  ...AEAD.map((cipherName) => ({ cipherName, auth: 'NONE', epoch: true, peerId: 7 })),
].map((format) => ({ ...format, name: nameOf(format) }));

function nameOf({ cipherName, auth, epoch, peerId }: Format): string {
  const digest = auth === 'NONE' ? '' : ` ${auth}`;
  return `${cipherName}${digest} ${peerId === undefined ? 'V1' : 'V2'}${epoch ? ' epoch' : ''}`;
}
