import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
} from 'node:crypto';
import type { DataCipher } from '../../src/model/ciphers.ts';

/** The calls that every packet needs, and nothing around them. */
export function rawSealer(cipher: DataCipher, payload: Buffer): () => void {
  const key = createSecretKey(keyBytes(cipher));
  const [nonce, aad] = [Buffer.alloc(12, 7), Buffer.alloc(8, 7)];
  const options = { authTagLength: 16 };
  const nodeName = cipher.nodeName as CipherGCMTypes;
  return () => {
    const sealing = createCipheriv(nodeName, key, nonce, options);
    sealing.setAAD(aad);
    sealing.update(payload);
    sealing.final();
    sealing.getAuthTag();
  };
}

/** As {@link rawSealer}; `packet` is one of DATA_V2. */
export function rawOpener(cipher: DataCipher, packet: Buffer): () => void {
  const key = createSecretKey(keyBytes(cipher));
  const nonce = Buffer.concat([packet.subarray(4, 8), Buffer.alloc(8, 0x5a)]);
  const [aad, tag, text] = [packet.subarray(0, 8), packet.subarray(8, 24), packet.subarray(24)];
  const options = { authTagLength: 16 };
  const nodeName = cipher.nodeName as CipherGCMTypes;
  return () => {
    const opening = createDecipheriv(nodeName, key, nonce, options);
    opening.setAAD(aad);
    opening.setAuthTag(tag);
    opening.update(text);
    opening.final();
  };
}

/** A cipher and an HMAC for every packet, as the documentation of `node:crypto` has them. */
export function rawCbcSealer(cipher: DataCipher, auth: string, payload: Buffer): () => void {
  const key = createSecretKey(keyBytes(cipher));
  const macKey = createSecretKey(Buffer.alloc(20, 0x5b));
  const iv = Buffer.alloc(16, 7);
  return () => {
    const sealing = createCipheriv(cipher.nodeName, key, iv);
    const mac = createHmac(auth, macKey).update(iv);
    mac.update(sealing.update(payload));
    mac.update(sealing.final());
    mac.digest();
  };
}

/** As {@link rawCbcSealer}. */
export function rawCbcOpener(cipher: DataCipher, auth: string, payload: Buffer): () => void {
  const key = createSecretKey(keyBytes(cipher));
  const macKey = createSecretKey(Buffer.alloc(20, 0x5b));
  const iv = Buffer.alloc(16, 7);
  const sealing = createCipheriv(cipher.nodeName, key, iv);
  const text = Buffer.concat([sealing.update(payload), sealing.final()]);
  return () => {
    createHmac(auth, macKey).update(iv).update(text).digest();
    const opening = createDecipheriv(cipher.nodeName, key, iv);
    opening.update(text);
    opening.final();
  };
}

/** A key of the cipher's length: the same for all. */
export function keyBytes(cipher: DataCipher): Buffer {
  return Buffer.alloc(cipher.keyBytes, 0x5a);
}
