import { u8 } from '../core/bytes.ts';
import { Drop, type Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import { keyIdOf, Opcode, opcodeOf } from '../model/opcode.ts';
import { ControlPacket, NO_PACKET_ID } from '../model/packet.ts';
import type { SessionIds } from '../model/tls-chunk.ts';
import {
  CLEAR_HEADER_BYTES,
  decodeControlPacket,
  encodeControlPacket,
  MAX_CONTROL_PACKET_BYTES,
} from './control-packet-codec.ts';
import type { ControlWrap } from './control-wrap.ts';
import { RESET_PACKET_ID } from './hard-reset.ts';
import { ResetCookie } from './reset-cookie.ts';
import { isDataPacket } from './route.ts';

/** What becomes of a packet from an address without a session. */
export type ResponderVerdict =
  | { readonly kind: 'drop'; readonly drop: Drop }
  | { readonly kind: 'reply'; readonly packet: Buffer }
  | { readonly kind: 'accept'; readonly ids: SessionIds };

export interface HardResetResponderOptions {
  /** A wrap without memory: `plainWrap` or a `StatelessTlsCryptWrap`. */
  readonly wrap: ControlWrap;
  readonly random: RandomSource;
  /** `hand-window`; a cookie counts for one to one and a half of it. Unit: milliseconds. Default: 60,000. */
  readonly handWindowMs?: number;
  /** `connect-freq-initial`: replies in ten seconds; above it the server is silent. Default: 100. */
  readonly maxReplies?: number;
}

/** `hand-window` where none is given. Unit: milliseconds. */
export const DEFAULT_HAND_WINDOW_MS = 60_000;

/** The time over which replies are counted. Unit: milliseconds. */
export const REPLY_PERIOD_MS = 10_000;

/** Replies in one {@link REPLY_PERIOD_MS} where no other number is given. */
export const DEFAULT_MAX_REPLIES = 100;

/** Highest message id, own or acknowledged, in the packet that completes the opening. */
const MAX_COMPLETING_ID = 1;

/**
 * The server's side of the opening, one for a listener and without memory of any client
 * (mudp.c, ssl_pkt.c):
 *
 *     client                                     server
 *     HARD_RESET_CLIENT_V2 id 0        ──▶        reply: its session id is the cookie
 *                            ◀──  HARD_RESET_SERVER_V2 id 0, ACK [0]
 *     CONTROL_V1 id 1 or ACK_V1, ACK [0] ──▶      accept: the ACK block brings the cookie back
 */
export class HardResetResponder {
  readonly #wrap: ControlWrap;
  readonly #cookie: ResetCookie;
  readonly #maxReplies: number;
  #periodEnds: Millis = Number.NEGATIVE_INFINITY;
  #replies = 0;

  constructor(options: HardResetResponderOptions) {
    this.#wrap = options.wrap;
    this.#cookie = new ResetCookie(
      options.random,
      (options.handWindowMs ?? DEFAULT_HAND_WINDOW_MS) / 2,
    );
    this.#maxReplies = options.maxReplies ?? DEFAULT_MAX_REPLIES;
  }

  /**
   * Whether a packet from the address of session `ids` is that session's. The rest is for
   * `onPacket`: a client may begin anew from the same port.
   */
  belongsTo(packet: Buffer, ids: SessionIds): boolean {
    if (isDataPacket(packet)) return true;
    return packet.length >= CLEAR_HEADER_BYTES && ids.remote.equals(senderOf(packet));
  }

  /** @param remote the client's address and port, spelled the same for the same client */
  onPacket(packet: Buffer, remote: string, now: Millis): ResponderVerdict {
    const control = this.#read(packet);
    if (typeof control === 'number') return drop(control);
    return control.opcode === Opcode.P_CONTROL_HARD_RESET_CLIENT_V2
      ? this.#reply(control, remote, now)
      : this.#accept(control, remote, now);
  }

  #read(packet: Buffer): ControlPacket | Drop {
    if (packet.length === 0) return Drop.MALFORMED;
    if (packet.length > MAX_CONTROL_PACKET_BYTES + this.#wrap.overheadBytes) return Drop.MALFORMED;
    const byte0 = u8(packet, 0);
    if (!OPENING_OPCODES.has(opcodeOf(byte0))) return Drop.BAD_OPCODE;
    if (keyIdOf(byte0) !== 0) return Drop.UNKNOWN_KEY;
    const plain = this.#wrap.unwrap(packet);
    return typeof plain === 'number' ? plain : decodeControlPacket(plain);
  }

  #reply(reset: ControlPacket, remote: string, now: Millis): ResponderVerdict {
    if (reset.packetId !== RESET_PACKET_ID) return drop(Drop.UNEXPECTED);
    if (reset.ackedPacketIds.length > 0) return drop(Drop.WRONG_SESSION);
    if (!this.#mayReply(now)) return drop(Drop.RATE_LIMITED);
    const cookie = this.#cookie.issue(remote, reset.sessionId, now);
    const answer = new ControlPacket(Opcode.P_CONTROL_HARD_RESET_SERVER_V2, 0, cookie);
    answer.packetId = RESET_PACKET_ID;
    answer.ackedPacketIds = [RESET_PACKET_ID];
    answer.remoteSessionId = reset.sessionId;
    return { kind: 'reply', packet: this.#wrap.wrap(encodeControlPacket(answer)) };
  }

  #accept(packet: ControlPacket, remote: string, now: Millis): ResponderVerdict {
    const cookie = packet.remoteSessionId;
    if (cookie === undefined) return drop(Drop.UNEXPECTED);
    if (packet.packetId !== NO_PACKET_ID && packet.packetId > MAX_COMPLETING_ID) {
      return drop(Drop.OUT_OF_WINDOW);
    }
    if (packet.ackedPacketIds.some((id) => id > MAX_COMPLETING_ID)) return drop(Drop.OUT_OF_WINDOW);
    if (!this.#cookie.verify(cookie, remote, packet.sessionId, now)) {
      return drop(Drop.WRONG_SESSION);
    }
    return { kind: 'accept', ids: { local: cookie, remote: packet.sessionId } };
  }

  #mayReply(now: Millis): boolean {
    if (now >= this.#periodEnds) {
      this.#periodEnds = now + REPLY_PERIOD_MS;
      this.#replies = 0;
    }
    this.#replies += 1;
    return this.#replies <= this.#maxReplies;
  }
}

function drop(reason: Drop): ResponderVerdict {
  return { kind: 'drop', drop: reason };
}

function senderOf(packet: Buffer): Buffer {
  return packet.subarray(1, CLEAR_HEADER_BYTES);
}

const OPENING_OPCODES: ReadonlySet<number> = new Set<Opcode>([
  Opcode.P_CONTROL_HARD_RESET_CLIENT_V2,
  Opcode.P_CONTROL_V1,
  Opcode.P_ACK_V1,
]);
