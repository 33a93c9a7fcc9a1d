import { createHmac } from 'node:crypto';
import { OvpnProtocolError } from '../core/errors.ts';
import { type DataChannelKey, KEY2_BYTES, type PrfSecrets } from '../model/data-channel-key.ts';

/*
 * key2, 256 bytes, from which both directions take their keys:
 *
 *     0          64         128         192        256
 *     ├ cipher 0 ┼─ hmac 0 ─┼─ cipher 1 ┼─ hmac 1 ─┤
 *       client → server       server → client
 *
 * An algorithm takes the first bytes of its slot; with epochs, the first secret is taken instead of
 * a cipher key, and the HMAC slots are not used.
 */

/** Length of one cipher or HMAC slot of key2. */
export const KEY_SLOT_BYTES = 64;

const MASTER_BYTES = 48;

/** The slots of one direction: views of key2, 64 bytes each. */
export interface DirectionKey {
  readonly cipherSlot: Buffer;
  /** The HMAC key; with AEAD ciphers its first 8 bytes are the implicit IV. */
  readonly hmacSlot: Buffer;
}

/**
 * Derives both directions' keys, lends them to `use` and then overwrites them and the material
 * they came from. What `use` wants to keep it must copy or import.
 * @throws OvpnProtocolError when a cipher key is all zero
 */
export function useDirectionKeys<T>(
  key: DataChannelKey,
  use: (sealing: DirectionKey, opening: DirectionKey) => T,
): T {
  const key2 = deriveKey2(key.material);
  try {
    const clientToServer = directionKey(key2, 0, key.cipher.keyBytes);
    const serverToClient = directionKey(key2, 2 * KEY_SLOT_BYTES, key.cipher.keyBytes);
    return key.role === 'client'
      ? use(clientToServer, serverToClient)
      : use(serverToClient, clientToServer);
  } finally {
    key2.fill(0);
    wipe(key.material);
  }
}

/** The 256 bytes of key2: the exporter's output as it is, or the legacy derivation. */
export function deriveKey2(material: Buffer | PrfSecrets): Buffer {
  if (!Buffer.isBuffer(material)) return legacyKey2(material);
  if (material.length !== KEY2_BYTES) {
    throw new Error(`expected ${KEY2_BYTES} bytes of key material, got ${material.length}`);
  }
  return material;
}

function legacyKey2(secrets: PrfSecrets): Buffer {
  const master = tls1Prf(
    secrets.premaster,
    [Buffer.from('OpenVPN master secret'), secrets.clientRandom1, secrets.serverRandom1],
    MASTER_BYTES,
  );
  const key2 = tls1Prf(
    master,
    [
      Buffer.from('OpenVPN key expansion'),
      secrets.clientRandom2,
      secrets.serverRandom2,
      secrets.clientSessionId,
      secrets.serverSessionId,
    ],
    KEY2_BYTES,
  );
  master.fill(0);
  return key2;
}

/**
 * The pseudo-random function of TLS 1.0: P_MD5 over the secret's first half xor P_SHA1 over its
 * second (RFC 2246 §5). `seeds` are joined, the label first.
 */
export function tls1Prf(secret: Buffer, seeds: readonly Buffer[], length: number): Buffer {
  const half = Math.ceil(secret.length / 2);
  const seed = Buffer.concat(seeds);
  const output = expand('md5', secret.subarray(0, half), seed, length);
  const mask = expand('sha1', secret.subarray(secret.length - half), seed, length);
  for (const [at, byte] of mask.entries()) output.writeUInt8(output.readUInt8(at) ^ byte, at);
  mask.fill(0);
  return output;
}

/** P_hash of RFC 2246 §5. */
function expand(digest: string, secret: Buffer, seed: Buffer, length: number): Buffer {
  const output = Buffer.alloc(length);
  let link = createHmac(digest, secret).update(seed).digest();
  for (let at = 0; at < length; ) {
    const block = createHmac(digest, secret).update(link).update(seed).digest();
    at += block.copy(output, at);
    block.fill(0);
    link = createHmac(digest, secret).update(link).digest();
  }
  return output;
}

function directionKey(key2: Buffer, at: number, keyBytes: number): DirectionKey {
  const cipherSlot = key2.subarray(at, at + KEY_SLOT_BYTES);
  const hmacSlot = key2.subarray(at + KEY_SLOT_BYTES, at + 2 * KEY_SLOT_BYTES);
  if (cipherSlot.subarray(0, keyBytes).every((byte) => byte === 0)) {
    throw new OvpnProtocolError('expected a random data channel key, got all zeros', {
      layer: 'datachannel',
      initiator: 'library',
      reference: 'crypto.c check_key',
    });
  }
  return { cipherSlot, hmacSlot };
}

function wipe(material: Buffer | PrfSecrets): void {
  if (Buffer.isBuffer(material)) {
    material.fill(0);
    return;
  }
  material.premaster.fill(0);
  material.clientRandom1.fill(0);
  material.clientRandom2.fill(0);
  material.serverRandom1.fill(0);
  material.serverRandom2.fill(0);
}
