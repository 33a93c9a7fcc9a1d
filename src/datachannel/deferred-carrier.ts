import { OvpnError } from '../core/errors.ts';
import type { Drop, Millis } from '../core/machine.ts';
import { BATCH } from '../core/pump.ts';
import type { DataChannel, OpeningPacket } from './data-channel.ts';
import { DeferredQueue } from './deferred-queue.ts';
import type { DataChannelPorts } from './service.ts';

/** A packet that is being filled. */
interface SealingPacket {
  readonly packet: Buffer;
  /** The IP packet inside; undefined in a message of our own. */
  readonly ipPacket: Buffer | undefined;
}

/** Who counts, and ends the session. */
export interface CarrierEvents {
  carriedUp(ipPacket: Buffer): void;
  carriedDown(ipPacket: Buffer): void;
  refused(drop: Drop, packet: Buffer, now: Millis): void;
  /** A cipher that cannot answer. Told once; nothing is carried from then on. */
  failed(error: Error): void;
}

/**
 * The way of packets through ciphers that answer with promises: at most {@link BATCH} at a time each
 * way, in order.
 *
 *     muxerToData ─▶ beginOpen ─▶ [ opening ] ─▶ finishOpen ─▶ dataToTun
 *     tunToData   ─▶ seal      ─▶ [ sealing ] ─▶ dataToMuxer
 */
export class DeferredCarrier {
  readonly #channel: DataChannel;
  readonly #ports: DataChannelPorts;
  readonly #events: CarrierEvents;
  readonly #opening: DeferredQueue<OpeningPacket, Buffer | undefined>;
  readonly #sealing: DeferredQueue<SealingPacket, void>;
  #failed = false;

  /** @param arm called when there is something to carry on */
  constructor(
    channel: DataChannel,
    ports: DataChannelPorts,
    events: CarrierEvents,
    arm: () => void,
  ) {
    this.#channel = channel;
    this.#ports = ports;
    this.#events = events;
    this.#opening = new DeferredQueue(arm);
    this.#sealing = new DeferredQueue(arm);
  }

  /** Whether packets to be sent are on their way. */
  get isSealing(): boolean {
    return !this.#sealing.empty;
  }

  /** How many packets moved a step up. */
  carryUp(now: Millis): number {
    const opened = this.#finishOpening(now);
    return opened + this.#beginOpening(now);
  }

  /** How many packets moved a step down. */
  carryDown(now: Millis): number {
    const sent = this.#send();
    return sent + this.#sealMessages(now) + this.#sealPackets(now);
  }

  /** Forgets what is on its way. */
  stop(): void {
    this.#opening.clear();
    this.#sealing.clear();
  }

  #beginOpening(now: Millis): number {
    const { muxerToData } = this.#ports;
    let moved = 0;
    while (moved < BATCH && !this.#opening.full && !this.#failed) {
      const packet = muxerToData.take();
      if (packet === undefined) break;
      const opening = this.#channel.beginOpen(packet, now);
      if (typeof opening === 'number') this.#events.refused(opening, packet, now);
      else this.#opening.add(opening, opening.opened);
      moved += 1;
    }
    return moved;
  }

  #finishOpening(now: Millis): number {
    const { dataToTun } = this.#ports;
    let moved = 0;
    while (!dataToTun.full) {
      const deferred = this.#opening.take();
      if (deferred === undefined) break;
      moved += 1;
      const { item, answer, error } = deferred;
      if (error !== undefined) {
        this.#fail(error);
        break;
      }
      const opened = this.#channel.finishOpen(item, answer, now);
      if (typeof opened === 'number') this.#events.refused(opened, item.packet, now);
      else if (dataToTun.push(opened)) this.#events.carriedUp(opened);
    }
    return moved;
  }

  #send(): number {
    const { dataToMuxer } = this.#ports;
    let moved = 0;
    while (!dataToMuxer.full) {
      const deferred = this.#sealing.take();
      if (deferred === undefined) break;
      moved += 1;
      const { item, error } = deferred;
      if (error !== undefined) {
        this.#fail(error);
        break;
      }
      if (dataToMuxer.push(item.packet) && item.ipPacket !== undefined) {
        this.#events.carriedDown(item.ipPacket);
      }
    }
    return moved;
  }

  #sealMessages(now: Millis): number {
    let moved = 0;
    while (!this.#sealing.full && !this.#failed) {
      const packet = this.#channel.takeMessage(now);
      if (packet === undefined) break;
      this.#sealing.add({ packet, ipPacket: undefined }, this.#channel.filling);
      moved += 1;
    }
    return moved;
  }

  #sealPackets(now: Millis): number {
    const { tunToData } = this.#ports;
    let moved = 0;
    while (moved < BATCH && !this.#sealing.full && !this.#failed && this.#channel.canSeal(now)) {
      const ipPacket = tunToData.take();
      if (ipPacket === undefined) break;
      const packet = this.#channel.seal(ipPacket, now);
      if (typeof packet === 'number') this.#events.refused(packet, ipPacket, now);
      else this.#sealing.add({ packet, ipPacket }, this.#channel.filling);
      moved += 1;
      if (this.#channel.hasParts) moved += this.#sealMessages(now);
    }
    return moved;
  }

  #fail(cause: Error): void {
    this.stop();
    if (this.#failed) return;
    this.#failed = true;
    const message = 'expected the cipher provider to answer, it failed';
    this.#events.failed(
      new OvpnError('OVPN_USAGE', message, { layer: 'datachannel', initiator: 'user', cause }),
    );
  }
}
