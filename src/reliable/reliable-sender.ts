import type { Millis } from '../core/machine.ts';
import { NO_SESSION_ID } from '../model/ids.ts';
import { ControlPacket } from '../model/packet.ts';
import { EARLY_RESEND_ACKS, MAX_PACKET_ID, MAX_RESEND_DELAY_MS, SEND_WINDOW } from './constants.ts';

/**
 * Numbers our messages and repeats each until the peer has acknowledged it:
 *
 *     add ─▶ due ──take──▶ waiting ──acknowledge──▶ gone
 *             ▲               │ its wait is over (the next one is twice as long),
 *             └───────────────┘ or three later ids were acknowledged
 */
export class ReliableSender {
  readonly #firstDelayMs: Millis;
  readonly #maxDelayMs: Millis;
  /** in order of ids */
  readonly #inFlight: InFlight[] = [];
  #nextId: number;

  constructor(firstSendId: number, tlsTimeoutMs: Millis) {
    this.#nextId = firstSendId;
    this.#firstDelayMs = tlsTimeoutMs;
    this.#maxDelayMs = Math.max(tlsTimeoutMs, MAX_RESEND_DELAY_MS);
  }

  /** Everything that was added has been acknowledged. */
  get idle(): boolean {
    return this.#inFlight.length === 0;
  }

  /** The window runs from the oldest id without acknowledgement; later ones do not move it. */
  acceptsFromAbove(): boolean {
    const oldest = this.#inFlight[0]?.packetId ?? this.#nextId;
    return this.#nextId - oldest < SEND_WINDOW && this.#nextId <= MAX_PACKET_ID;
  }

  /** Gives `message` the next id. Only while `acceptsFromAbove`. */
  add(message: ControlPacket): void {
    this.#inFlight.push(new InFlight(message, this.#nextId, this.#firstDelayMs));
    this.#nextId += 1;
  }

  /** The peer has `packetId`. Ids that are gone or were never sent mean nothing. */
  acknowledge(packetId: number): void {
    const index = this.#inFlight.findIndex((message) => message.packetId === packetId);
    if (index < 0 || this.#inFlight[index]?.sendAttempts === 0) return;
    this.#inFlight.splice(index, 1);
    for (const earlier of this.#inFlight.slice(0, index)) earlier.laterAcked();
  }

  /** A copy of the earliest due message for the layer below; its acknowledgements are empty. */
  take(now: Millis): ControlPacket | undefined {
    return this.#inFlight.find((message) => message.due)?.sent(now);
  }

  /** The earliest resend. Due messages wait for room below, not for time. */
  nextTimeout(): Millis {
    let earliest = Number.POSITIVE_INFINITY;
    for (const message of this.#inFlight) earliest = Math.min(earliest, message.resendAt);
    return earliest;
  }

  onTimeout(now: Millis): void {
    for (const message of this.#inFlight) {
      if (message.resendAt <= now) message.expired(this.#maxDelayMs);
    }
  }
}

class InFlight {
  readonly packetId: number;
  readonly #message: ControlPacket;
  /** To be sent as soon as there is room. */
  due = true;
  /** `Infinity` while it is due. */
  resendAt: Millis = Number.POSITIVE_INFINITY;
  sendAttempts = 0;
  #delayMs: Millis;
  #laterAcks = 0;

  constructor(message: ControlPacket, packetId: number, delayMs: Millis) {
    this.packetId = packetId;
    this.#message = message;
    this.#delayMs = delayMs;
  }

  /** An earlier copy may still be on its way down, so each transmission is a packet of its own. */
  sent(now: Millis): ControlPacket {
    const packet = new ControlPacket(this.#message.opcode, this.#message.keyId, NO_SESSION_ID);
    packet.packetId = this.packetId;
    packet.payload = this.#message.payload;
    this.sendAttempts += 1;
    packet.sendAttempts = this.sendAttempts;
    this.due = false;
    this.resendAt = now + this.#delayMs;
    return packet;
  }

  expired(maxDelayMs: Millis): void {
    this.#delayMs = Math.min(this.#delayMs * 2, maxDelayMs);
    this.#becomeDue();
  }

  laterAcked(): void {
    this.#laterAcks += 1;
    if (this.#laterAcks === EARLY_RESEND_ACKS) this.#becomeDue();
  }

  #becomeDue(): void {
    this.due = true;
    this.resendAt = Number.POSITIVE_INFINITY;
  }
}
