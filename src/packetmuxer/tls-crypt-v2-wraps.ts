import { u8 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';
import { Opcode, opcodeOf } from '../model/opcode.ts';
import { isWrappedKey, MAX_WRAPPED_KEY_BYTES } from '../model/wrapped-key.ts';
import type { ControlWrap } from './control-wrap.ts';
import { SessionWrap, type SessionWrapOptions } from './session-wrap.ts';
import { TlsCryptKey } from './tls-crypt-key.ts';
import { splitWrappedKey } from './tls-crypt-v2.ts';

/** What both ends of a session under tls-crypt-v2 are made from. */
export interface TlsCryptV2Options
  extends Pick<SessionWrapOptions, 'unixSeconds' | 'firstPacketId' | 'replayLimits'> {
  /** Kc: 256 bytes, of which no reference is kept. */
  readonly key: Buffer;
}

/**
 * Replay id of a client's first packet: its top byte tells the server that we read what its reset
 * says, and can show our WKc again when it asks (ssl_pkt.h EARLY_NEG_START).
 */
export const EARLY_NEGOTIATION_PACKET_ID = 0x0f00_0001;

/** tls-crypt-v2 for one session of a client: tls-crypt with its own key, which it shows when asked. */
export class TlsCryptV2ClientWrap implements ControlWrap {
  readonly name = 'tls-crypt-v2';
  readonly overheadBytes: number;
  readonly #inner: SessionWrap;
  readonly #wrappedKey: Buffer;

  /** `wrappedKey` (WKc) is kept. */
  constructor({ key, wrappedKey, ...rest }: TlsCryptV2Options & { readonly wrappedKey: Buffer }) {
    if (!isWrappedKey(wrappedKey)) {
      throw new Error('expected a wrapped key that ends in its length');
    }
    this.#inner = new SessionWrap({
      firstPacketId: EARLY_NEGOTIATION_PACKET_ID,
      ...rest,
      key: new TlsCryptKey(key, 'client'),
    });
    this.#wrappedKey = wrappedKey;
    this.overheadBytes = this.#inner.overheadBytes + wrappedKey.length;
  }

  wrap(plain: Buffer): Buffer {
    const packet = this.#inner.wrap(plain);
    return bringsWrappedKey(plain) ? Buffer.concat([packet, this.#wrappedKey]) : packet;
  }

  unwrap(packet: Buffer): Buffer | Drop {
    return this.#inner.unwrap(packet);
  }
}

/** tls-crypt-v2 for one session of a server, which knows the client's key already. */
export class TlsCryptV2ServerWrap implements ControlWrap {
  readonly name = 'tls-crypt-v2';
  readonly overheadBytes: number;
  readonly #inner: SessionWrap;

  constructor({ key, ...rest }: TlsCryptV2Options) {
    this.#inner = new SessionWrap({ ...rest, key: new TlsCryptKey(key, 'server') });
    this.overheadBytes = this.#inner.overheadBytes + MAX_WRAPPED_KEY_BYTES;
  }

  wrap(plain: Buffer): Buffer {
    return this.#inner.wrap(plain);
  }

  unwrap(packet: Buffer): Buffer | Drop {
    if (packet.length === 0) return Drop.MALFORMED;
    if (!bringsWrappedKey(packet)) return this.#inner.unwrap(packet);
    const split = splitWrappedKey(packet);
    return typeof split === 'number' ? split : this.#inner.unwrap(split.packet);
  }
}

/** Whether a WKc stands behind a packet of this opcode. The packet has a first byte. */
export function bringsWrappedKey(packet: Buffer): boolean {
  const opcode = opcodeOf(u8(packet, 0));
  return opcode === Opcode.P_CONTROL_HARD_RESET_CLIENT_V3 || opcode === Opcode.P_CONTROL_WKC_V1;
}
