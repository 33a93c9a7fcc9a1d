import { u8 } from '../core/bytes.ts';
import { Drop, type Millis } from '../core/machine.ts';
import type { SessionId } from '../model/ids.ts';
import type { LinkActivity } from '../model/link-activity.ts';
import { keyIdOf, Opcode, opcodeOf } from '../model/opcode.ts';
import type { ControlPacket } from '../model/packet.ts';
import type { SessionIds } from '../model/tls-chunk.ts';
import {
  decodeControlPacket,
  encodeControlPacket,
  MAX_CONTROL_PACKET_BYTES,
} from './control-packet-codec.ts';
import { type ControlWrap, plainWrap } from './control-wrap.ts';
import { HardReset, RESET_PACKET_ID } from './hard-reset.ts';
import { opcodesFor, resetOpcodeFor } from './route.ts';

interface CommonOptions {
  /** Drawn afresh for every session. A server's is the cookie that its responder gave out. */
  readonly localSessionId: SessionId;
  /**
   * Which wrap protects the packets of a key id, 0 … 7; undefined where none can come yet. Asked for
   * every packet, and once for key id 0, whose wrap says how a session is opened.
   */
  readonly wrapFor: (keyId: number) => ControlWrap | undefined;
  readonly activity: LinkActivity;
}

/** A client opens the session; a server is made once it has been opened. */
export type PacketMuxerOptions = CommonOptions &
  (
    | { readonly role: 'client'; readonly tlsTimeoutMs?: number }
    | { readonly role: 'server'; readonly remoteSessionId: SessionId }
  );

/**
 * The control branch of the muxer: unwraps and checks what comes up, addresses and wraps what goes
 * down. Data packets do not pass here.
 *
 *     client:  opening ──answer to our reset──▶ established        server:  established
 */
export class PacketMuxer {
  readonly #localSessionId: SessionId;
  readonly #wrapFor: (keyId: number) => ControlWrap | undefined;
  readonly #activity: LinkActivity;
  readonly #opcodes: ReadonlySet<number>;
  readonly #resetOpcode: Opcode;
  readonly #hardReset: HardReset | undefined;
  #remoteSessionId: SessionId | undefined;
  #keyResent = false;

  constructor(options: PacketMuxerOptions) {
    const wrapName = options.wrapFor(0)?.name ?? plainWrap.name;
    this.#localSessionId = options.localSessionId;
    this.#wrapFor = options.wrapFor;
    this.#activity = options.activity;
    this.#opcodes = opcodesFor(options.role, wrapName);
    this.#resetOpcode = resetOpcodeFor(wrapName);
    this.#hardReset =
      options.role === 'client'
        ? new HardReset({ ...options, opcode: this.#resetOpcode })
        : undefined;
    this.#remoteSessionId = options.role === 'server' ? options.remoteSessionId : undefined;
  }

  /** Both session ids, once the hard reset is done: from then on packets of reliable may go down. */
  get sessionIds(): SessionIds | undefined {
    const remote = this.#remoteSessionId;
    return remote === undefined ? undefined : { local: this.#localSessionId, remote };
  }

  /** The control packet inside an outer packet that is authentic, new and of this session. */
  fromBelow(packet: Buffer, now: Millis): ControlPacket | Drop {
    if (packet.length === 0) return Drop.MALFORMED;
    const byte0 = u8(packet, 0);
    if (!this.#opcodes.has(opcodeOf(byte0))) return Drop.BAD_OPCODE;
    const wrap = this.#wrapFor(keyIdOf(byte0));
    if (wrap === undefined) return Drop.UNKNOWN_KEY;
    if (packet.length > MAX_CONTROL_PACKET_BYTES + wrap.overheadBytes) return Drop.MALFORMED;
    const plain = wrap.unwrap(packet);
    if (typeof plain === 'number') return plain;
    const control = decodeControlPacket(plain);
    if (typeof control === 'number') return control;
    const drop = this.#judge(control);
    if (drop !== Drop.NONE) return drop;
    this.#activity.receivedAt = now;
    return control;
  }

  /**
   * The outer packet for a control packet, whose session ids are filled in. Where the server wants
   * the wrapped key again, message id 1 brings it each time, and an acknowledgement before it is
   * not sent (undefined): the server could not open it, and message id 1 says the same.
   */
  fromAbove(packet: ControlPacket, now: Millis): Buffer | undefined {
    if (this.#hardReset?.resendsWrappedKey) {
      if (isFirstMessage(packet)) {
        packet.opcode = Opcode.P_CONTROL_WKC_V1;
        this.#keyResent = true;
      } else if (!this.#keyResent && packet.opcode === Opcode.P_ACK_V1) {
        return undefined;
      }
    }
    const wrap = this.#wrapFor(packet.keyId);
    if (wrap === undefined) throw new Error(`a packet of key id ${packet.keyId} before its wrap`);
    packet.sessionId = this.#localSessionId;
    packet.remoteSessionId = packet.ackedPacketIds.length > 0 ? this.#remoteSessionId : undefined;
    this.#activity.sentAt = now;
    return wrap.wrap(encodeControlPacket(packet));
  }

  /** The reset, when it is to be sent; it goes through `fromAbove` like any packet. */
  takeDown(now: Millis): ControlPacket | undefined {
    return this.#hardReset?.takeDown(now);
  }

  nextTimeout(): Millis {
    return this.#hardReset?.nextTimeout() ?? Number.POSITIVE_INFINITY;
  }

  onTimeout(now: Millis): void {
    this.#hardReset?.onTimeout(now);
  }

  #judge(packet: ControlPacket): Drop {
    const hardReset = this.#hardReset;
    if (hardReset !== undefined && packet.opcode === Opcode.P_CONTROL_HARD_RESET_SERVER_V2) {
      const drop = hardReset.fromBelow(packet);
      if (drop === Drop.NONE) this.#remoteSessionId = hardReset.remoteSessionId;
      return drop;
    }
    const remote = this.#remoteSessionId;
    if (remote === undefined) return Drop.UNEXPECTED;
    if (!packet.sessionId.equals(remote)) return Drop.WRONG_SESSION;
    const acknowledged = packet.remoteSessionId;
    if (acknowledged !== undefined && !acknowledged.equals(this.#localSessionId)) {
      return Drop.WRONG_SESSION;
    }
    if (packet.opcode === Opcode.P_CONTROL_WKC_V1 && !isFirstMessage(packet)) {
      return Drop.UNEXPECTED;
    }
    // The responder has answered it: this one was resent before the answer came.
    return packet.opcode === this.#resetOpcode ? Drop.UNEXPECTED : Drop.NONE;
  }
}

/** The message after the reset: the one that may have to bring a client's wrapped key again. */
function isFirstMessage({ keyId, packetId }: ControlPacket): boolean {
  return keyId === 0 && packetId === RESET_PACKET_ID + 1;
}
