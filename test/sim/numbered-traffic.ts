import type { Millis } from '../../src/core/machine.ts';
import type { TunDevice } from '../../src/model/tun-device.ts';
import type { VirtualClock } from './virtual-clock.ts';

const HEADER_BYTES = 20;
const NUMBER_AT = HEADER_BYTES;
const BODY_AT = NUMBER_AT + 4;
const VERSION_AND_LENGTH = 0x45;

/** From one tun device to another: an IP packet every so often, numbered and of many lengths. */
export class NumberedTraffic {
  sent = 0;
  received = 0;
  /** Packets that are not what was sent, or came again. */
  readonly faults: string[] = [];
  readonly #clock: VirtualClock;
  readonly #from: TunDevice;
  readonly #to: TunDevice;
  readonly #intervalMs: Millis;
  readonly #seen: Uint8Array;
  #running = false;

  /** @param limit how many packets there will be at most */
  constructor(
    clock: VirtualClock,
    { from, to }: { from: TunDevice; to: TunDevice },
    { intervalMs, limit }: { intervalMs: Millis; limit: number },
  ) {
    this.#clock = clock;
    this.#from = from;
    this.#to = to;
    this.#intervalMs = intervalMs;
    this.#seen = new Uint8Array(limit);
    to.onReadable = () => this.#read();
  }

  start(): this {
    this.#running = true;
    this.#tick();
    return this;
  }

  stop(): void {
    this.#running = false;
  }

  #tick(): void {
    if (!this.#running || this.sent === this.#seen.length) return;
    if (this.#from.writable) {
      this.#from.write(numberedPacket(this.sent));
      this.sent += 1;
    }
    this.#clock.setTimer(this.#clock.now() + this.#intervalMs, () => this.#tick());
  }

  #read(): void {
    for (;;) {
      const packet = this.#to.read();
      if (packet === undefined) return;
      const number = packet.length < BODY_AT ? -1 : packet.readUInt32BE(NUMBER_AT);
      if (number < 0 || number >= this.sent) this.faults.push(`no such packet: ${number}`);
      else if (!packet.equals(numberedPacket(number))) this.faults.push(`changed: ${number}`);
      else if (this.#seen[number] === 1) this.faults.push(`twice: ${number}`);
      else this.received += 1;
      if (number >= 0) this.#seen[number] = 1;
    }
  }
}

/** An IPv4 packet whose every byte follows from its number. */
export function numberedPacket(number: number): Buffer {
  const length = BODY_AT + (Math.imul(number, 37) % 1_300);
  const packet = Buffer.alloc(length, number & 0xff);
  packet.fill(0, 0, HEADER_BYTES);
  packet.writeUInt8(VERSION_AND_LENGTH, 0);
  packet.writeUInt16BE(length, 2);
  packet.writeUInt32BE(number, NUMBER_AT);
  return packet;
}
