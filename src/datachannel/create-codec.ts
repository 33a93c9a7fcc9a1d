import { OvpnProtocolError, OvpnUsageError } from '../core/errors.ts';
import type { Millis } from '../core/machine.ts';
import { type RandomSource, SystemRandom } from '../core/random.ts';
import type { DataChannelKey } from '../model/data-channel-key.ts';
import { DIGESTS, type Digest } from '../model/digests.ts';
import { AeadCodec, IMPLICIT_IV_BYTES } from './aead-codec.ts';
import { AeadEpochCodec } from './aead-epoch-codec.ts';
import { CbcCodec } from './cbc-codec.ts';
import type { CbcKeys, CipherProvider } from './cipher-provider.ts';
import type { DataCodec } from './data-codec.ts';
import { EPOCH_SECRET_BYTES, EpochKeyChain } from './epoch-keys.ts';
import { EpochReceiver } from './epoch-receiver.ts';
import { EpochSender } from './epoch-sender.ts';
import type { DirectionKey } from './key-derivation.ts';
import type { KeyLimits } from './key-limits.ts';
import { PacketIdSource } from './packet-id-source.ts';
import { ReplayWindow } from './replay-window.ts';

/** What every key of a session is made with. */
export interface CodecOptions {
  readonly provider: CipherProvider;
  readonly limits: KeyLimits;
  /** The digest of CBC packets, a key of `DIGESTS`; `NONE` serves AEAD ciphers only. */
  readonly auth: string;
  /** For the IVs of CBC packets. Default: the operating system's. */
  readonly random?: RandomSource | undefined;
  /** Packets back and milliseconds back that are still accepted. */
  readonly replayWindow: { readonly packets: number; readonly ms: Millis };
}

/**
 * The codec of the packet format that was agreed on. Keeps nothing of the slots.
 * @throws OvpnProtocolError when epochs were agreed on with a CBC cipher or without a peer id
 * @throws OvpnUsageError when a CBC cipher has no digest beside it
 */
export function createCodec(
  key: DataChannelKey,
  sealing: DirectionKey,
  opening: DirectionKey,
  options: CodecOptions,
): DataCodec {
  if (key.epoch) return createEpochCodec(key, sealing, opening, options);
  return key.cipher.aead
    ? createAeadCodec(key, sealing, opening, options)
    : createCbcCodec(key, sealing, opening, options);
}

function createAeadCodec(
  { keyId, peerId, cipher }: DataChannelKey,
  sealing: DirectionKey,
  opening: DirectionKey,
  { provider, limits, replayWindow }: CodecOptions,
): AeadCodec {
  return new AeadCodec({
    keyId,
    peerId,
    sealer: provider.createSealer(cipher, sealing.cipherSlot.subarray(0, cipher.keyBytes)),
    opener: provider.createOpener(cipher, opening.cipherSlot.subarray(0, cipher.keyBytes)),
    sealIv: sealing.hmacSlot.subarray(0, IMPLICIT_IV_BYTES),
    openIv: opening.hmacSlot.subarray(0, IMPLICIT_IV_BYTES),
    packetIds: new PacketIdSource(limits.lastPacketId),
    replayWindow: new ReplayWindow(replayWindow),
  });
}

function createCbcCodec(
  { keyId, peerId, cipher }: DataChannelKey,
  sealing: DirectionKey,
  opening: DirectionKey,
  { provider, limits, auth, random, replayWindow }: CodecOptions,
): CbcCodec {
  const digest = DIGESTS.get(auth);
  if (digest === undefined) {
    throw new OvpnUsageError(
      `expected a digest beside ${cipher.name}, got auth ${auth}`,
      'datachannel',
    );
  }
  return new CbcCodec({
    keyId,
    peerId,
    sealer: provider.createCbcSealer(cipher, cbcKeys(sealing, cipher.keyBytes, digest)),
    opener: provider.createCbcOpener(cipher, cbcKeys(opening, cipher.keyBytes, digest)),
    macBytes: digest.bytes,
    random: random ?? new SystemRandom(),
    packetIds: new PacketIdSource(limits.lastPacketId),
    replayWindow: new ReplayWindow(replayWindow),
  });
}

function cbcKeys(
  { cipherSlot, hmacSlot }: DirectionKey,
  keyBytes: number,
  digest: Digest,
): CbcKeys {
  return {
    key: cipherSlot.subarray(0, keyBytes),
    digest,
    macKey: hmacSlot.subarray(0, digest.bytes),
  };
}

function createEpochCodec(
  { keyId, peerId, cipher }: DataChannelKey,
  sealing: DirectionKey,
  opening: DirectionKey,
  { provider, limits, replayWindow }: CodecOptions,
): AeadEpochCodec {
  if (!cipher.aead || peerId === undefined) {
    const got = cipher.aead ? 'no peer id' : cipher.name;
    throw new OvpnProtocolError(`expected epochs with an AEAD cipher and a peer id, got ${got}`, {
      layer: 'datachannel',
      reference: 'protocol-flags aead-epoch',
    });
  }
  const secretOf = ({ cipherSlot }: DirectionKey) => cipherSlot.subarray(0, EPOCH_SECRET_BYTES);
  const epochLimits = {
    usage: cipher.name.endsWith('-GCM') ? limits.epochUsage : Number.POSITIVE_INFINITY,
    lastCounter: limits.lastEpochCounter,
    failedOpens: limits.failedOpens,
  };
  return new AeadEpochCodec({
    keyId,
    peerId,
    sender: new EpochSender(
      new EpochKeyChain(secretOf(sealing), cipher.keyBytes, (bytes) =>
        provider.createSealer(cipher, bytes),
      ),
      epochLimits,
    ),
    receiver: new EpochReceiver(
      new EpochKeyChain(secretOf(opening), cipher.keyBytes, (bytes) =>
        provider.createOpener(cipher, bytes),
      ),
    ),
    limits: epochLimits,
    replayWindow,
  });
}
