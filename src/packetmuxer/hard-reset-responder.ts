import { u8 } from '../core/bytes.ts';
import { Drop, type Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import { keyIdOf, Opcode, opcodeOf } from '../model/opcode.ts';
import { ControlPacket } from '../model/packet.ts';
import type { SessionIds } from '../model/tls-chunk.ts';
import {
  CLEAR_HEADER_BYTES,
  decodeControlPacket,
  encodeControlPacket,
  MAX_CONTROL_PACKET_BYTES,
} from './control-packet-codec.ts';
import type { ControlWrap } from './control-wrap.ts';
import { RESET_PACKET_ID } from './hard-reset.ts';
import { type OpenedPacket, type OpeningWrap, SharedOpeningWrap } from './opening-wrap.ts';
import { ResetCookie } from './reset-cookie.ts';
import { isDataPacket } from './route.ts';
import { TlsCryptV2Opening, type TlsCryptV2OpeningOptions } from './tls-crypt-v2-opening.ts';

/**
 * What becomes of a packet from an address without a session. Under tls-crypt-v2 `memory` is the
 * client's wrapped key, which has proved right: for `onPacket` where a connection can keep it, and
 * for the session.
 */
export type ResponderVerdict =
  | { readonly kind: 'drop'; readonly drop: Drop }
  | { readonly kind: 'reply'; readonly packet: Buffer; readonly memory: Buffer | undefined }
  | { readonly kind: 'accept'; readonly ids: SessionIds; readonly memory: Buffer | undefined };

interface CommonOptions {
  readonly random: RandomSource;
  /** `hand-window`; a cookie counts for one to one and a half of it. Unit: milliseconds. Default: 60,000. */
  readonly handWindowMs?: number;
  /** `connect-freq-initial`: replies in ten seconds; above it the server is silent. Default: 100. */
  readonly maxReplies?: number;
}

/** One wrap for all clients, without memory: `plainWrap` or a `StatelessWrap`; or tls-crypt-v2. */
export type HardResetResponderOptions = CommonOptions &
  ({ readonly wrap: ControlWrap } | { readonly tlsCryptV2: TlsCryptV2OpeningOptions });

/** `hand-window` where none is given. Unit: milliseconds. */
export const DEFAULT_HAND_WINDOW_MS = 60_000;

/** The time over which replies are counted. Unit: milliseconds. */
export const REPLY_PERIOD_MS = 10_000;

/** Replies in one {@link REPLY_PERIOD_MS} where no other number is given. */
export const DEFAULT_MAX_REPLIES = 100;

/** Message id of the packet that completes the opening, and the highest that it acknowledges. */
const COMPLETING_ID: number = RESET_PACKET_ID + 1;

/**
 * The server's side of the opening, one for a listener and without memory of any client
 * (mudp.c, ssl_pkt.c):
 *
 *     client                                     server
 *     HARD_RESET_CLIENT_V2 id 0        ──▶        reply: its session id is the cookie
 *                            ◀──  HARD_RESET_SERVER_V2 id 0, ACK [0]
 *     CONTROL_V1 id 1 or ACK_V1, ACK [0] ──▶      accept: the ACK block brings the cookie back
 *
 * Under tls-crypt-v2 the opcodes are others: see `TlsCryptV2Opening`.
 */
export class HardResetResponder {
  readonly #opening: OpeningWrap;
  readonly #cookie: ResetCookie;
  readonly #maxReplies: number;
  #periodEnds: Millis = Number.NEGATIVE_INFINITY;
  #replies = 0;

  constructor(options: HardResetResponderOptions) {
    this.#opening =
      'wrap' in options
        ? new SharedOpeningWrap(options.wrap)
        : new TlsCryptV2Opening(options.tlsCryptV2);
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

  /**
   * @param remote the client's address and port, spelled the same for the same client
   * @param memory of the last reply on the same connection; undefined for datagrams
   */
  onPacket(packet: Buffer, remote: string, now: Millis, memory?: Buffer): ResponderVerdict {
    const refusal = this.#glance(packet, now);
    if (refusal !== Drop.NONE) return drop(refusal);
    const opened = this.#opening.open(packet, memory);
    if (typeof opened === 'number') return drop(opened);
    const control = decodeControlPacket(opened.plain);
    if (typeof control === 'number') return drop(control);
    return control.opcode === this.#opening.resetOpcode
      ? this.#reply(control, opened, remote, now)
      : this.#accept(control, opened, remote, now);
  }

  /** What costs nothing to see: before any key is touched. */
  #glance(packet: Buffer, now: Millis): Drop {
    const { resetOpcode, completingOpcodes, overheadBytes } = this.#opening;
    if (packet.length === 0) return Drop.MALFORMED;
    if (packet.length > MAX_CONTROL_PACKET_BYTES + overheadBytes) return Drop.MALFORMED;
    const byte0 = u8(packet, 0);
    const opcode = opcodeOf(byte0);
    if (opcode !== resetOpcode && !completingOpcodes.has(opcode)) return Drop.BAD_OPCODE;
    if (keyIdOf(byte0) !== 0) return Drop.UNKNOWN_KEY;
    return opcode === resetOpcode && !this.#mayReply(now) ? Drop.RATE_LIMITED : Drop.NONE;
  }

  #reply(
    reset: ControlPacket,
    { wrap, memory }: OpenedPacket,
    remote: string,
    now: Millis,
  ): ResponderVerdict {
    if (reset.packetId !== RESET_PACKET_ID) return drop(Drop.UNEXPECTED);
    if (reset.ackedPacketIds.length > 0) return drop(Drop.WRONG_SESSION);
    this.#replies += 1;
    const cookie = this.#cookie.issue(remote, reset.sessionId, now);
    const answer = new ControlPacket(Opcode.P_CONTROL_HARD_RESET_SERVER_V2, 0, cookie);
    answer.packetId = RESET_PACKET_ID;
    answer.ackedPacketIds = [RESET_PACKET_ID];
    answer.remoteSessionId = reset.sessionId;
    answer.payload = this.#opening.answerPayload;
    return { kind: 'reply', packet: wrap.wrap(encodeControlPacket(answer)), memory };
  }

  #accept(
    packet: ControlPacket,
    { memory }: OpenedPacket,
    remote: string,
    now: Millis,
  ): ResponderVerdict {
    const cookie = packet.remoteSessionId;
    if (cookie === undefined) return drop(Drop.UNEXPECTED);
    if (packet.hasPacketId && packet.packetId !== COMPLETING_ID) return drop(Drop.OUT_OF_WINDOW);
    if (packet.ackedPacketIds.some((id) => id > COMPLETING_ID)) return drop(Drop.OUT_OF_WINDOW);
    if (!this.#cookie.verify(cookie, remote, packet.sessionId, now)) {
      return drop(Drop.WRONG_SESSION);
    }
    return { kind: 'accept', ids: { local: cookie, remote: packet.sessionId }, memory };
  }

  /** Only replies count: what is forged keeps nobody out. */
  #mayReply(now: Millis): boolean {
    if (now >= this.#periodEnds) {
      this.#periodEnds = now + REPLY_PERIOD_MS;
      this.#replies = 0;
    }
    return this.#replies < this.#maxReplies;
  }
}

function drop(reason: Drop): ResponderVerdict {
  return { kind: 'drop', drop: reason };
}

function senderOf(packet: Buffer): Buffer {
  return packet.subarray(1, CLEAR_HEADER_BYTES);
}
