import { type CipherGCMTypes, createCipheriv, createHmac } from 'node:crypto';

/** Seals packets of any epoch and counter as one end would: written from the format alone. */
export class ReferenceEpochs {
  readonly #secrets: Buffer[];
  readonly #cipherName: CipherGCMTypes;
  readonly #keyBytes: number;

  /** @param secret of the first epoch */
  constructor(secret: Buffer, cipherName: CipherGCMTypes = 'aes-256-gcm', keyBytes = 32) {
    this.#secrets = [Buffer.alloc(0), Buffer.from(secret)];
    this.#cipherName = cipherName;
    this.#keyBytes = keyBytes;
  }

  seal(epoch: number, counter: number, plaintext: Buffer): Buffer {
    const secret = this.#secretOf(epoch);
    const head = Buffer.alloc(12);
    head.writeUInt32BE(0x4800_0000, 0);
    head.writeUInt16BE(epoch, 4);
    head.writeUIntBE(counter, 6, 6);
    const nonce = expand(secret, 'data_iv', 12);
    for (let at = 0; at < 8; at += 1) {
      nonce.writeUInt8(nonce.readUInt8(at) ^ head.readUInt8(4 + at), at);
    }
    const key = expand(secret, 'data_key', this.#keyBytes);
    const cipher = createCipheriv(this.#cipherName, key, nonce, { authTagLength: 16 });
    cipher.setAAD(head);
    return Buffer.concat([head, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  #secretOf(epoch: number): Buffer {
    while (this.#secrets.length <= epoch) {
      const last = this.#secrets.at(-1) ?? Buffer.alloc(32);
      this.#secrets.push(expand(last, 'datakey upd', 32));
    }
    return this.#secrets[epoch] ?? Buffer.alloc(32);
  }
}

/** HKDF-Expand-Label with OpenVPN's prefix. */
function expand(secret: Buffer, label: string, bytes: number): Buffer {
  const full = Buffer.from(`ovpn ${label}`);
  const text = Buffer.concat([Buffer.of(0, bytes, full.length), full, Buffer.of(0, 1)]);
  return createHmac('sha256', secret).update(text).digest().subarray(0, bytes);
}
