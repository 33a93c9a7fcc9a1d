import { Opcode } from '../../src/model/opcode.ts';
import type { ControlPacket } from '../../src/model/packet.ts';
import type { Tracer } from '../../src/model/tracer.ts';
import { RECEIVE_WINDOW, SEND_WINDOW } from '../../src/reliable/constants.ts';

/** Key ids that are watched: more than have state at a time, fewer than there are. */
const KEPT = 5;

/**
 * Sees by the packets of one end whether it stays in its windows: it must not send further ahead of
 * the oldest id without acknowledgement than the send window is long, nor acknowledge (which is to
 * keep) further ahead of the first missing one than the receive window is.
 */
export class WindowWatch implements Tracer {
  readonly #fault: (text: string) => void;
  /** oldest first */
  readonly #keys: WatchedKey[];

  /** @param first the ids of key id 0 that neither is sent nor comes through here */
  constructor(first: { send: number; receive: number }, fault: (text: string) => void) {
    this.#fault = fault;
    this.#keys = [new WatchedKey(0, first.send, first.receive)];
  }

  /** The lowest id that has not come under `keyId`. */
  firstMissing(keyId: number): number {
    return this.#watched(keyId)?.received.first ?? 0;
  }

  controlIn(packet: ControlPacket): void {
    const key = this.#keyOf(packet);
    if (key === undefined) return;
    for (const id of packet.ackedPacketIds) key.acked.add(id);
    if (packet.hasPacketId) key.received.add(packet.packetId);
  }

  controlOut(packet: ControlPacket): void {
    const key = this.#keyOf(packet);
    if (key === undefined) return;
    if (packet.hasPacketId && packet.packetId >= key.acked.first + SEND_WINDOW) {
      this.#fault(`sent ${packet.packetId} while ${key.acked.first} was not acknowledged`);
    }
    for (const id of packet.ackedPacketIds) {
      if (id < key.received.first + RECEIVE_WINDOW) continue;
      this.#fault(`acknowledged ${id} while ${key.received.first} was missing`);
    }
  }

  #keyOf({ opcode, keyId }: ControlPacket): WatchedKey | undefined {
    const known = this.#watched(keyId);
    if (known !== undefined || opcode !== Opcode.P_CONTROL_SOFT_RESET_V1) return known;
    const key = new WatchedKey(keyId, 0, 0);
    this.#keys.push(key);
    if (this.#keys.length > KEPT) this.#keys.shift();
    return key;
  }

  #watched(keyId: number): WatchedKey | undefined {
    return this.#keys.find((key) => key.keyId === keyId);
  }
}

class WatchedKey {
  readonly keyId: number;
  readonly acked: IdSet;
  readonly received: IdSet;

  constructor(keyId: number, firstSend: number, firstReceive: number) {
    this.keyId = keyId;
    this.acked = new IdSet(firstSend);
    this.received = new IdSet(firstReceive);
  }
}

/** Ids from 0 on, of which only those after the first gap take room. */
class IdSet {
  /** The lowest that is not in the set. */
  first: number;
  readonly #later = new Set<number>();

  constructor(first: number) {
    this.first = first;
  }

  add(id: number): void {
    if (id > this.first) this.#later.add(id);
    if (id !== this.first) return;
    this.first += 1;
    while (this.#later.delete(this.first)) this.first += 1;
  }
}
