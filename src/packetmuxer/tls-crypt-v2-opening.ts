import { EMPTY, u8, u32 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';
import { Opcode, opcodeOf } from '../model/opcode.ts';
import { MAX_WRAPPED_KEY_BYTES } from '../model/wrapped-key.ts';
import { announcesEarlyNegotiation, encodeEarlyNegotiation } from './early-negotiation.ts';
import { COMPLETING_OPCODES, type OpenedPacket, type OpeningWrap } from './opening-wrap.ts';
import { resetOpcodeFor, TLS_CRYPT_V2 } from './route.ts';
import { StatelessWrap } from './stateless-wrap.ts';
import { TLS_CRYPT_OVERHEAD_BYTES, TlsCryptKey } from './tls-crypt-key.ts';
import { splitWrappedKey, TlsCryptV2ServerKey } from './tls-crypt-v2.ts';
import { bringsWrappedKey } from './tls-crypt-v2-wraps.ts';

export interface TlsCryptV2OpeningOptions {
  /** The 128 bytes of a tls-crypt-v2 server key file, of which no reference is kept. */
  readonly serverKey: Buffer;
  /** What the listener speaks. */
  readonly protocol: 'udp' | 'tcp';
  /** Our clock: seconds since 1970. */
  readonly unixSeconds: () => number;
}

/**
 * tls-crypt-v2 for a server: each client brings its key, wrapped for the server's eyes.
 *
 *     udp:  HARD_RESET_CLIENT_V3 + key ─▶ answer asks for the key again ─▶ CONTROL_WKC_V1 + key
 *     tcp:  HARD_RESET_CLIENT_V3 + key ─▶ answer; the connection keeps the wrapped key
 *                                                                       ─▶ CONTROL_V1 or ACK_V1
 *
 * A client without early negotiation would not bring its key again, so over UDP it is refused, as
 * OpenVPN does with `force-cookie`.
 */
export class TlsCryptV2Opening implements OpeningWrap {
  readonly resetOpcode: Opcode = resetOpcodeFor(TLS_CRYPT_V2);
  readonly completingOpcodes: ReadonlySet<number>;
  readonly overheadBytes: number = TLS_CRYPT_OVERHEAD_BYTES + MAX_WRAPPED_KEY_BYTES;
  readonly answerPayload: Buffer;
  readonly #serverKey: TlsCryptV2ServerKey;
  readonly #keepsNothing: boolean;
  readonly #unixSeconds: () => number;

  constructor({ serverKey, protocol, unixSeconds }: TlsCryptV2OpeningOptions) {
    this.#serverKey = new TlsCryptV2ServerKey(serverKey);
    this.#keepsNothing = protocol === 'udp';
    this.#unixSeconds = unixSeconds;
    this.completingOpcodes = this.#keepsNothing ? WITH_KEY : COMPLETING_OPCODES;
    this.answerPayload = this.#keepsNothing
      ? encodeEarlyNegotiation({ resendWrappedKey: true })
      : EMPTY;
  }

  open(packet: Buffer, memory: Buffer | undefined): OpenedPacket | Drop {
    if (bringsWrappedKey(packet)) {
      const parts = splitWrappedKey(packet);
      return typeof parts === 'number' ? parts : this.#open(parts.packet, parts.wrappedKey);
    }
    return memory === undefined ? Drop.UNEXPECTED : this.#open(packet, memory);
  }

  #open(packet: Buffer, wrappedKey: Buffer): OpenedPacket | Drop {
    const unwrapped = this.#serverKey.unwrap(wrappedKey);
    if (typeof unwrapped === 'number') return unwrapped;
    const key = new TlsCryptKey(unwrapped.key, 'server');
    unwrapped.key.fill(0);
    const plain = key.open(packet);
    if (typeof plain === 'number') return plain;
    const isReset = opcodeOf(u8(packet, 0)) === this.resetOpcode;
    if (isReset && this.#keepsNothing) {
      if (!announcesEarlyNegotiation(u32(packet, key.replayIdAt))) return Drop.UNEXPECTED;
    }
    const wrap = new StatelessWrap({ key, unixSeconds: this.#unixSeconds });
    return { plain, wrap, memory: Buffer.from(wrappedKey) };
  }
}

const WITH_KEY: ReadonlySet<number> = new Set<Opcode>([Opcode.P_CONTROL_WKC_V1]);
