import { u8 } from '../core/bytes.ts';
import { Drop, type Millis } from '../core/machine.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import { ORDINARY } from './carriage.ts';
import type { SendMessage } from './echo.ts';
import { buildEchoReply, buildError, icmpMessage, icmpProtocol, type SentError } from './icmp.ts';
import type { IpHeader } from './ip-header.ts';
import type { IpOutput } from './ip-output.ts';
import { IpPath } from './ip-path.ts';
import { PacketQueue } from './packet-queue.ts';
import type { PacketSource } from './round-robin.ts';
import { resetFor } from './tcp/reset.ts';

/** Pings that are answered in a second, so that nobody makes us their amplifier. */
export const ECHO_REPLIES_PER_SECOND = 1000;
/** ICMP errors that are sent in a second. */
export const ICMP_ERRORS_PER_SECOND = 100;
/** Resets that answer segments without a connection in a second. */
export const RESETS_PER_SECOND = 10;

/**
 * Answers packets that no socket takes: echo requests, ports where nobody listens, protocols that
 * we do not speak. Its queue also carries the echo requests of our own pings.
 */
export class Responder {
  readonly #output: IpOutput;
  readonly #wake: (source: PacketSource) => void;
  readonly #queue = new PacketQueue();
  readonly #echoReplies = new TokenBucket(ECHO_REPLIES_PER_SECOND);
  readonly #errors = new TokenBucket(ICMP_ERRORS_PER_SECOND);
  readonly #resets = new TokenBucket(RESETS_PER_SECOND);

  constructor(output: IpOutput, wake: (source: PacketSource) => void) {
    this.#output = output;
    this.#wake = wake;
  }

  /** Answers the echo request in `packet`. */
  echo(packet: Buffer, header: IpHeader, now: Millis): Drop {
    if (!this.#echoReplies.take(now)) return Drop.RATE_LIMITED;
    const source = header.destination();
    const destination = header.source();
    const reply = buildEchoReply(packet, header, source, destination);
    const sent = this.send(reply, icmpProtocol(header.family), source, destination, ORDINARY);
    return sent ? Drop.NONE : Drop.NO_ROOM;
  }

  /** Answers `packet`, which nobody takes, with an ICMP error; gives the packet's drop reason. */
  refuse(error: SentError, packet: Buffer, header: IpHeader, now: Millis): Drop {
    const answered = this.sendError(error, header.nextHeaderAt, packet, header, now);
    return answered ? Drop.NO_SOCKET : Drop.RATE_LIMITED;
  }

  /**
   * Answers `packet` with an ICMP error, unless it is one itself (RFC 1122 §3.2.2, RFC 4443
   * §2.4 e); false when the rate is used up.
   *
   * @param pointer where an ICMPv6 parameter problem points
   */
  sendError(
    error: SentError,
    pointer: number,
    packet: Buffer,
    header: IpHeader,
    now: Millis,
  ): boolean {
    if (quotesError(packet, header)) return true;
    if (!this.#errors.take(now)) return false;
    const source = header.destination();
    const destination = header.source();
    const end = header.payloadAt + header.payloadLength;
    const quoted = packet.subarray(0, end);
    const message = buildError(error, quoted, pointer, source, destination);
    this.send(message, icmpProtocol(header.family), source, destination, ORDINARY);
    return true;
  }

  /** Answers the segment in `packet` with a reset, unless it is one itself. */
  reset(packet: Buffer, header: IpHeader, now: Millis): Drop {
    if ((u8(packet, header.payloadAt + FLAGS_AT) & RST) !== 0) return Drop.NO_SOCKET;
    if (!this.#resets.take(now)) return Drop.RATE_LIMITED;
    const path = new IpPath(header.destination(), header.source(), 0);
    const reset = resetFor(packet, header.payloadAt, header.payloadLength, path);
    if (reset === undefined) return Drop.MALFORMED;
    if (this.#queue.packets.push(reset)) this.#wake(this.#queue);
    return Drop.NO_SOCKET;
  }

  /** Places a message of ours; false when there is no room. */
  readonly send: SendMessage = (packet, protocol, source, destination, carriage) => {
    const { packets } = this.#queue;
    const sent = this.#output.send(packet, protocol, source, destination, packets, carriage);
    if (sent) this.#wake(this.#queue);
    return sent;
  };
}

/** Whether the packet is, or begins, an ICMP error. */
function quotesError(packet: Buffer, header: IpHeader): boolean {
  if (header.protocol !== icmpProtocol(header.family) || header.payloadLength === 0) return false;
  return icmpMessage(packet, header) === 'error';
}

const FLAGS_AT = 13;
const RST = 0x04;
