import { Drop, type Machine, type Millis } from '../core/machine.ts';
import { NO_SESSION_ID } from '../model/ids.ts';
import { Opcode } from '../model/opcode.ts';
import { ControlPacket } from '../model/packet.ts';
import { AckQueue } from './ack-queue.ts';
import { MAX_PIGGYBACKED_ACKS } from './constants.ts';
import { ReliableReceiver } from './reliable-receiver.ts';
import { ReliableSender } from './reliable-sender.ts';

export interface ReliableOptions {
  /** 0 … 7 */
  readonly keyId: number;
  /** Id of our first message here: 0 for a soft reset, 1 where the hard reset was sent elsewhere. */
  readonly firstSendId: number;
  /** Id of the peer's first message that is to come up. */
  readonly firstReceiveId: number;
  /** Wait before the first resend. Unit: milliseconds. Range: 1 and more. */
  readonly tlsTimeoutMs: Millis;
  /** Most acknowledgements in one P_ACK_V1: 8, or 4 without a wrap and without `tls-ekm`. */
  readonly ackV1Limit: number;
}

/**
 * Reliable, ordered delivery of the control packets of one key id, in both directions. Ids count
 * per direction and without gaps; every id is acknowledged by itself.
 */
export class Reliable implements Machine<ControlPacket, ControlPacket> {
  readonly keyId: number;
  readonly #sender: ReliableSender;
  readonly #receiver: ReliableReceiver;
  readonly #acks = new AckQueue();
  readonly #ackV1Limit: number;

  constructor(options: ReliableOptions) {
    this.keyId = options.keyId;
    this.#sender = new ReliableSender(options.firstSendId, options.tlsTimeoutMs);
    this.#receiver = new ReliableReceiver(options.firstReceiveId);
    this.#ackV1Limit = options.ackV1Limit;
  }

  /** The peer has acknowledged everything that came from above. */
  get isAcknowledged(): boolean {
    return this.#sender.idle;
  }

  /** How many of the peer's messages wait for their turn or to be taken. */
  get buffered(): number {
    return this.#receiver.buffered;
  }

  /** What is taken, or was taken before, is owed an acknowledgement; all else is not. */
  fromBelow(packet: ControlPacket): Drop {
    for (const packetId of packet.ackedPacketIds) this.#sender.acknowledge(packetId);
    if (!packet.hasPacketId) return Drop.NONE;
    if (this.#acks.full) return Drop.NO_ROOM;
    const drop = this.#receiver.receive(packet);
    if (drop !== Drop.OUT_OF_WINDOW) this.#acks.owe(packet.packetId);
    return drop;
  }

  takeUp(): ControlPacket | undefined {
    return this.#receiver.take();
  }

  acceptsFromAbove(): boolean {
    return this.#sender.acceptsFromAbove();
  }

  fromAbove(packet: ControlPacket): Drop {
    if (!this.#sender.acceptsFromAbove()) return Drop.NO_ROOM;
    this.#sender.add(packet);
    return Drop.NONE;
  }

  /** Messages first, each with acknowledgements; a P_ACK_V1 for what is still owed after them. */
  takeDown(now: Millis): ControlPacket | undefined {
    const message = this.#sender.take(now);
    if (message !== undefined) {
      message.ackedPacketIds = this.#acks.take(MAX_PIGGYBACKED_ACKS);
      return message;
    }
    if (!this.#acks.owing) return undefined;
    const packet = new ControlPacket(Opcode.P_ACK_V1, this.keyId, NO_SESSION_ID);
    packet.ackedPacketIds = this.#acks.take(this.#ackV1Limit);
    return packet;
  }

  nextTimeout(): Millis {
    return this.#sender.nextTimeout();
  }

  onTimeout(now: Millis): void {
    this.#sender.onTimeout(now);
  }
}
