import { Channel } from '../core/channel.ts';
import type { PacketSource } from './round-robin.ts';

/** Packets that wait in one queue; more are refused, so that it takes a datagram of 64 KiB in fragments of the least MTU. */
export const QUEUE_PACKETS = 128;

/** Ready packets that belong to no socket: answers to the peer, resets, echo requests. */
export class PacketQueue implements PacketSource {
  readonly packets: Channel<Buffer> = new Channel('packets', QUEUE_PACKETS);
  nextInTurn: PacketSource | undefined;
  inTurn = false;

  takeDown(): Buffer | undefined {
    return this.packets.take();
  }
}
