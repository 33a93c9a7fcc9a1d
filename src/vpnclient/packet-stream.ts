import type { Service } from '../core/pump.ts';
import { BATCH } from '../core/pump.ts';
import type { TunDevice } from '../model/tun-device.ts';

/**
 * Moves IP packets between a {@link TunDevice} and a Duplex, as a kernel's TUN queue does: what the
 * reader does not fetch in time is dropped and counted, so that an idle reader never holds up the
 * control channel behind it.
 */
export class PacketStream implements Service {
  readonly name = 'vpnclient';
  readonly #tun: TunDevice;
  readonly #push: (packet: Buffer) => boolean;
  #readerHasRoom = true;
  #waiting: { packet: Buffer; accepted: () => void } | undefined;
  /** Packets dropped because the reader was behind. */
  overflows = 0;

  /** @param push gives one packet to the reader; false asks to stop until `resume`. */
  constructor(tun: TunDevice, push: (packet: Buffer) => boolean) {
    this.#tun = tun;
    this.#push = push;
  }

  /** The reader wants more. */
  resume(): void {
    this.#readerHasRoom = true;
  }

  /** Puts `packet` into the tunnel now, or as soon as there is room. One at a time. */
  send(packet: Buffer, accepted: () => void): void {
    if (this.#tun.write(packet)) accepted();
    else this.#waiting = { packet, accepted };
  }

  /** tun → reader */
  moveUpWorker(): boolean {
    let moved = 0;
    while (moved < BATCH) {
      const packet = this.#tun.read();
      if (packet === undefined) break;
      if (this.#readerHasRoom) this.#readerHasRoom = this.#push(packet);
      else this.overflows += 1;
      moved += 1;
    }
    return moved > 0;
  }

  /** writer → tun */
  moveDownWorker(): boolean {
    const waiting = this.#waiting;
    if (waiting === undefined || !this.#tun.write(waiting.packet)) return false;
    this.#waiting = undefined;
    waiting.accepted();
    return true;
  }
}
