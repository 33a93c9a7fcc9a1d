import { u16 } from '../core/bytes.ts';
import { MAX_KEY_METHOD2_BYTES } from './key-method2.ts';
import { KEY_RANDOM_BYTES, PREMASTER_BYTES } from './key-source2.ts';

/** Most plaintext that a TLS record carries: whoever has more to say fills it. Unit: bytes. */
export const TLS_RECORD_BYTES = 16_384;

/** Options, user name, password, peer info. */
const STRINGS = 4;

/**
 * Joins the TLS records of a client's key exchange message. Only a full record is waited after:
 * what a shorter one leaves out is absent.
 */
export class KeyMethod2Assembly {
  readonly #records: Buffer[] = [];
  #bytes = 0;

  /** The message once no more can come, else undefined. The records are overwritten when joined. */
  push(record: Buffer): Buffer | undefined {
    this.#records.push(record);
    this.#bytes += record.length;
    const mayGoOn = record.length === TLS_RECORD_BYTES && this.#bytes < MAX_KEY_METHOD2_BYTES;
    if (this.#records.length === 1 && !mayGoOn) return this.#records.pop();
    const joined = Buffer.concat(this.#records);
    if (mayGoOn && !isWhole(joined)) {
      joined.fill(0);
      return undefined;
    }
    for (const part of this.#records.splice(0)) part.fill(0);
    return joined;
  }
}

/** Whether all strings are there, by the lengths in front of them. */
function isWhole(message: Buffer): boolean {
  let at = HEAD_BYTES;
  for (let count = 0; count < STRINGS; count += 1) {
    if (at + LENGTH_BYTES > message.length) return false;
    at += LENGTH_BYTES + u16(message, at);
  }
  return at <= message.length;
}

const LENGTH_BYTES = 2;
/** Zero, method, random material of a client. */
const HEAD_BYTES = 5 + PREMASTER_BYTES + 2 * KEY_RANDOM_BYTES;
