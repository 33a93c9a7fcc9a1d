import { SmartBuffer } from 'smart-buffer';
import { EMPTY } from '../core/bytes.ts';
import { OvpnProtocolError, OvpnUsageError } from '../core/errors.ts';
import { Reader } from '../core/reader.ts';
import { Secret } from '../core/secret.ts';
import type { Role } from '../model/ids.ts';
import { KEY_RANDOM_BYTES, type KeySource, PREMASTER_BYTES } from './key-source2.ts';

/*
 * The key exchange message (ssl.c key_method_2_write), first application data of each direction,
 * one TLS record, or several where a password is longer than one:
 *
 *     0         4        5            (53)      +32       +32
 *     ├ 00000000 ┼ method ┼ premaster ─┼ random1 ┼ random2 ┼ options ┼ user ┼ password ┼ peer info ┤
 *                  02       client only                      strings: u16 length with NUL, bytes, NUL
 *                                                            absent: 0000
 */

/** Longest message that is written and read; a 2.x peer reads 2,048. Unit: bytes. */
export const MAX_KEY_METHOD2_BYTES = 98_304;

/** Longest string in it: the length field counts its NUL. Unit: bytes. */
export const MAX_KEY_METHOD2_STRING_BYTES = 65_534;

const INITIAL_BYTES = 2048;
const KEY_METHOD = 2;
const KEY_METHOD_MASK = 0x0f;

/** What one side says in the key exchange; undefined strings are absent on the wire. */
export interface KeyMethod2 {
  readonly source: KeySource;
  readonly options: string | undefined;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  readonly peerInfo: string | undefined;
}

/**
 * The message as `sender` writes it, in a buffer of its own.
 * @throws OvpnUsageError when it is longer than {@link MAX_KEY_METHOD2_BYTES}, or a string longer
 * than {@link MAX_KEY_METHOD2_STRING_BYTES} or with a NUL
 */
export function encodeKeyMethod2(message: KeyMethod2): Buffer {
  const out = new SmartBuffer({ size: INITIAL_BYTES });
  out.writeUInt32BE(0).writeUInt8(KEY_METHOD);
  out.writeBuffer(message.source.premaster);
  out.writeBuffer(message.source.random1).writeBuffer(message.source.random2);
  writeString(out, message.options);
  writeString(out, message.username);
  writeString(out, message.password?.reveal());
  writeString(out, message.peerInfo);
  if (out.length > MAX_KEY_METHOD2_BYTES) {
    throw new OvpnUsageError(
      `expected user name, password and peer info to fit a message of ${MAX_KEY_METHOD2_BYTES} bytes, got ${out.length}`,
      'tlsstate',
    );
  }
  return out.toBuffer();
}

/**
 * Reads the message that `sender` wrote. Strings missing at the end count as absent, bytes behind
 * the last one are ignored. Keeps no reference to `bytes`.
 */
export function decodeKeyMethod2(bytes: Buffer, sender: Role): KeyMethod2 | OvpnProtocolError {
  const reader = new Reader(bytes);
  const zero = reader.u32();
  const method = reader.u8();
  if (zero !== 0 || method === undefined || (method & KEY_METHOD_MASK) !== KEY_METHOD) {
    return broken('expected key method 2');
  }
  const premaster = sender === 'client' ? reader.bytes(PREMASTER_BYTES) : EMPTY;
  const random1 = reader.bytes(KEY_RANDOM_BYTES);
  const random2 = reader.bytes(KEY_RANDOM_BYTES);
  if (premaster === undefined || random1 === undefined || random2 === undefined) {
    return broken('expected random material, got the end of the record');
  }
  const strings: (string | undefined)[] = [];
  for (const name of ['options', 'user name', 'password', 'peer info']) {
    const text = readString(reader);
    if (text === null) return broken(`expected ${name} as NUL-ended UTF-8 text`);
    strings.push(text);
  }
  const [options, username, password, peerInfo] = strings;
  return {
    source: { premaster, random1, random2 },
    options,
    username,
    password: password === undefined ? undefined : new Secret(password),
    peerInfo,
  };
}

function writeString(out: SmartBuffer, text: string | undefined): void {
  if (text === undefined) {
    out.writeUInt16BE(0);
    return;
  }
  const length = Buffer.byteLength(text);
  if (length > MAX_KEY_METHOD2_STRING_BYTES || text.includes('\0')) {
    throw new OvpnUsageError(
      `expected user name and password of at most ${MAX_KEY_METHOD2_STRING_BYTES} bytes, without a NUL`,
      'tlsstate',
    );
  }
  out.writeUInt16BE(length + 1);
  out.writeStringNT(text);
}

/** The text, undefined when it is absent or the record has ended, null when it is malformed. */
function readString(reader: Reader): string | undefined | null {
  if (reader.remaining === 0) return undefined;
  const length = reader.u16();
  if (length === undefined) return null;
  if (length === 0) return undefined;
  const bytes = reader.bytes(length);
  if (bytes === undefined || bytes.indexOf(0) !== length - 1) return null;
  try {
    return UTF8.decode(bytes.subarray(0, -1));
  } catch {
    return null;
  } finally {
    bytes.fill(0);
  }
}

function broken(message: string): OvpnProtocolError {
  return new OvpnProtocolError(`key exchange message: ${message}`, {
    layer: 'tlsstate',
    reference: 'ssl.c key_method_2_read',
  });
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
