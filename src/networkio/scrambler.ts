import { setU8, u8 } from '../core/bytes.ts';
import { OvpnUsageError } from '../core/errors.ts';
import type { Scramble } from '../model/profile.ts';

/*
 * The disguises of the XOR patch that Tunnelblick and others apply to OpenVPN. They hide nothing
 * from anybody who looks for them; OpenVPN itself has none of it. Of a whole packet p0 … pn:
 *
 *     xormask key   pi xor the key, which goes round from its beginning for every packet
 *     xorptrpos     pi xor the low byte of i + 1
 *     reverse       p0 stays, p1 … pn the other way round
 *     obfuscate key sent:     xorptrpos, reverse, xorptrpos, xormask key
 *                   received: the same from the end
 *
 * Over TCP it is the packet behind the 16-bit length. Source: Tunnelblick's xorpatch (socket.c
 * `buffer_mask`, `buffer_xorptrpos`, `buffer_reverse`; socket.h `link_socket_write`).
 */

/** Disguises and undisguises packets in place. Keeps the key. */
export class Scrambler {
  readonly #mode: Scramble['mode'];
  readonly #key: Buffer;

  /** @throws OvpnUsageError for a mode that there is not, or one that needs a key and has none */
  constructor({ mode, key }: Scramble) {
    if (!MODES.has(mode)) {
      throw new OvpnUsageError(
        'expected xormask, xorptrpos, reverse or obfuscate as `mode`',
        'networkio',
      );
    }
    this.#mode = mode;
    this.#key = key?.reveal() ?? Buffer.alloc(0);
    const needsKey = mode === 'xormask' || mode === 'obfuscate';
    if (needsKey && this.#key.length === 0) {
      throw new OvpnUsageError(`expected a key for ${mode}, got none`, 'networkio');
    }
  }

  scramble(packet: Buffer): void {
    if (this.#mode === 'obfuscate') {
      xorPositions(packet);
      reverse(packet);
      xorPositions(packet);
      xorMask(packet, this.#key);
    } else this.#exchange(packet);
  }

  unscramble(packet: Buffer): void {
    if (this.#mode === 'obfuscate') {
      xorMask(packet, this.#key);
      xorPositions(packet);
      reverse(packet);
      xorPositions(packet);
    } else this.#exchange(packet);
  }

  /** The modes that undo themselves. */
  #exchange(packet: Buffer): void {
    if (this.#mode === 'xormask') xorMask(packet, this.#key);
    else if (this.#mode === 'xorptrpos') xorPositions(packet);
    else reverse(packet);
  }
}

const MODES: ReadonlySet<string> = new Set(['xormask', 'xorptrpos', 'reverse', 'obfuscate']);

function xorMask(packet: Buffer, key: Buffer): void {
  let keyAt = 0;
  for (let at = 0; at < packet.length; at += 1) {
    setU8(packet, at, u8(packet, at) ^ u8(key, keyAt));
    keyAt += 1;
    if (keyAt === key.length) keyAt = 0;
  }
}

function xorPositions(packet: Buffer): void {
  for (let at = 0; at < packet.length; at += 1) {
    setU8(packet, at, u8(packet, at) ^ (at + 1));
  }
}

function reverse(packet: Buffer): void {
  if (packet.length > 2) packet.subarray(1).reverse();
}
