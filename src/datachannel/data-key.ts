import type { Millis } from '../core/machine.ts';
import type { DataChannelKey } from '../model/data-channel-key.ts';
import { type CodecOptions, createCodec } from './create-codec.ts';
import type { DataCodec } from './data-codec.ts';
import { useDirectionKeys } from './key-derivation.ts';

/** One generation of data channel keys, both directions. */
export class DataKey {
  /** 0 … 7 */
  readonly keyId: number;
  readonly cipherName: string;
  /** When its negotiation began. */
  readonly startedAt: Millis;
  readonly codec: DataCodec;
  /** When it is forgotten; `Infinity` while no newer key exists. */
  expiresAt: Millis = Number.POSITIVE_INFINITY;

  constructor(keyId: number, cipherName: string, startedAt: Millis, codec: DataCodec) {
    this.keyId = keyId;
    this.cipherName = cipherName;
    this.startedAt = startedAt;
    this.codec = codec;
  }
}

/**
 * Derives and imports the keys of one negotiation, and overwrites the material.
 * @throws OvpnProtocolError when a cipher key is all zero, or epochs were agreed on with a CBC
 *   cipher or without a peer id
 * @throws OvpnUsageError when a CBC cipher has no digest beside it
 */
export function createDataKey(key: DataChannelKey, options: CodecOptions): DataKey {
  const codec = useDirectionKeys(key, (sealing, opening) =>
    createCodec(key, sealing, opening, options),
  );
  return new DataKey(key.keyId, key.cipher.name, key.startedAt, codec);
}
