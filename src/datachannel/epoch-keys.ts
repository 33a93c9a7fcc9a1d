import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { setU8, setU16 } from '../core/bytes.ts';
import { NONCE_BYTES } from './cipher-provider.ts';

/*
 * One direction's keys, epoch by epoch; who knows a secret knows the later ones, never an earlier:
 *
 *     key2 ─▶ E 1 ── "datakey upd" ──▶ E 2 ── "datakey upd" ──▶ E 3 ─▶ …
 *              ├─ "data_key" ─▶ key     ├─ key                   ├─ key
 *              └─ "data_iv"  ─▶ IV      └─ IV                    └─ IV
 */

/** The first epoch; 0 is none. */
export const FIRST_EPOCH = 1;

/** The last epoch that the 16 bits of a packet can name. */
export const LAST_EPOCH = 0xffff;

/** Length of the secret that each epoch's keys come from. */
export const EPOCH_SECRET_BYTES = 32;

const DIGEST = 'sha256';
const DIGEST_BYTES = 32;
const LABEL_PREFIX = 'ovpn ';

/**
 * HKDF-Expand (RFC 5869 §2.3) with SHA-256 and a labelled info like that of TLS 1.3
 * (RFC 8446 §7.1; crypto_epoch.c `ovpn_expand_label`).
 * @param bytes at most 32: one round
 */
export function expandLabel(secret: KeyObject, label: string, bytes: number): Buffer {
  if (bytes > DIGEST_BYTES) throw new Error(`expected at most ${DIGEST_BYTES} bytes, got ${bytes}`);
  const fullLabel = Buffer.from(`${LABEL_PREFIX}${label}`);
  const input = Buffer.alloc(2 + 1 + fullLabel.length + 1 + 1);
  setU16(input, 0, bytes);
  setU8(input, 2, fullLabel.length);
  input.set(fullLabel, 3);
  // Behind the label: the length of an empty context, and HKDF's number of the round.
  setU8(input, input.length - 1, 1);
  return createHmac(DIGEST, secret).update(input).digest().subarray(0, bytes);
}

/** What one epoch of one direction is sealed or opened with. */
export interface EpochKey<Cipher> {
  /** {@link FIRST_EPOCH} … {@link LAST_EPOCH} */
  readonly epoch: number;
  readonly cipher: Cipher;
  /** {@link NONCE_BYTES} long; a packet's nonce is this xor its epoch and counter. */
  readonly iv: Buffer;
}

/** Where one direction's keys come from. */
export interface EpochKeys<Cipher> {
  /** The key of `epoch`, at most {@link LAST_EPOCH}. Epochs only rise from call to call. */
  keyOf(epoch: number): EpochKey<Cipher>;
}

/** Derives one direction's keys, and forgets the secrets behind them. */
export class EpochKeyChain<Cipher> implements EpochKeys<Cipher> {
  readonly #keyBytes: number;
  readonly #create: (key: Buffer) => Cipher;
  #secret: KeyObject;
  #epoch = FIRST_EPOCH;

  /**
   * @param secret of the first epoch, {@link EPOCH_SECRET_BYTES} long; copied
   * @param keyBytes of the cipher
   * @param create imports a cipher key; the bytes are overwritten afterwards
   */
  constructor(secret: Buffer, keyBytes: number, create: (key: Buffer) => Cipher) {
    this.#secret = createSecretKey(secret);
    this.#keyBytes = keyBytes;
    this.#create = create;
  }

  keyOf(epoch: number): EpochKey<Cipher> {
    if (epoch < this.#epoch || epoch > LAST_EPOCH) {
      throw new Error(`expected an epoch from ${this.#epoch} to ${LAST_EPOCH}, got ${epoch}`);
    }
    while (this.#epoch < epoch) this.#step();
    const key = expandLabel(this.#secret, 'data_key', this.#keyBytes);
    const cipher = this.#create(key);
    key.fill(0);
    return { epoch, cipher, iv: expandLabel(this.#secret, 'data_iv', NONCE_BYTES) };
  }

  #step(): void {
    const next = expandLabel(this.#secret, 'datakey upd', EPOCH_SECRET_BYTES);
    this.#secret = createSecretKey(next);
    next.fill(0);
    this.#epoch += 1;
  }
}
