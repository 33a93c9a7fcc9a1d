import type { Millis } from '../core/machine.ts';
import type { DataChannelKey } from '../model/data-channel-key.ts';
import { AeadCodec, IMPLICIT_IV_BYTES } from './aead-codec.ts';
import type { CipherProvider } from './cipher-provider.ts';
import type { DataCodec } from './data-codec.ts';
import { type DirectionKey, useDirectionKeys } from './key-derivation.ts';
import { PacketIdSource } from './packet-id-source.ts';
import { ReplayWindow } from './replay-window.ts';

/** What every key of a session is made with. */
export interface DataKeyOptions {
  readonly provider: CipherProvider;
  /** The last packet id that a key may seal with. */
  readonly lastPacketId: number;
  /** Packets back and milliseconds back that are still accepted. */
  readonly replayWindow: { readonly packets: number; readonly ms: Millis };
}

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
 * @throws OvpnProtocolError when a cipher key is all zero
 */
export function createDataKey(key: DataChannelKey, options: DataKeyOptions): DataKey {
  const codec = useDirectionKeys(key, (sealing, opening) =>
    createCodec(key, sealing, opening, options),
  );
  return new DataKey(key.keyId, key.cipher.name, key.startedAt, codec);
}

function createCodec(
  { keyId, peerId, cipher }: DataChannelKey,
  sealing: DirectionKey,
  opening: DirectionKey,
  { provider, lastPacketId, replayWindow }: DataKeyOptions,
): DataCodec {
  return new AeadCodec({
    keyId,
    peerId,
    sealer: provider.createSealer(cipher, sealing.cipherSlot.subarray(0, cipher.keyBytes)),
    opener: provider.createOpener(cipher, opening.cipherSlot.subarray(0, cipher.keyBytes)),
    sealIv: sealing.hmacSlot.subarray(0, IMPLICIT_IV_BYTES),
    openIv: opening.hmacSlot.subarray(0, IMPLICIT_IV_BYTES),
    packetIds: new PacketIdSource(lastPacketId),
    replayWindow: new ReplayWindow(replayWindow),
  });
}
