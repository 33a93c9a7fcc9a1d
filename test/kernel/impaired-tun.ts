import { type Cancel, systemClock } from '../../src/core/clock.ts';
import type { TunDevice } from '../../src/model/tun-device.ts';
import { type LineOptions, simLine } from '../sim/sim-link.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

/**
 * A bad line in front of a device, the same one in both directions, repeatable by its seed. Its
 * clock follows the real one in steps, in which everything due happens in the order of its time:
 * timers of Node's own would let packets overtake each other within a millisecond.
 */
export class ImpairedTun implements TunDevice {
  onReadable: () => void = () => {};
  onWritable: () => void = () => {};
  readonly #below: TunDevice;
  readonly #clock = new VirtualClock();
  readonly #startedAt = systemClock.now();
  readonly #down: (packet: Buffer) => void;
  #inbox: Buffer[] = [];
  #next = 0;
  #timerAt = Number.POSITIVE_INFINITY;
  #cancelTimer: Cancel = () => {};

  constructor(below: TunDevice, seed: number, line: LineOptions) {
    this.#below = below;
    this.#down = simLine(this.#clock, seed, line, (packet) => below.write(packet));
    const up = simLine(this.#clock, ~seed, line, (packet) => this.#arrived(packet));
    below.onReadable = () => {
      this.#catchUp();
      for (let packet = below.read(); packet !== undefined; packet = below.read()) up(packet);
      this.#setTimer();
    };
  }

  get mtu(): number {
    return this.#below.mtu;
  }

  get writable(): boolean {
    return !this.#below.closed;
  }

  get closed(): boolean {
    return this.#below.closed;
  }

  read(): Buffer | undefined {
    const packet = this.#inbox[this.#next];
    if (packet === undefined) return undefined;
    this.#next += 1;
    if (this.#next === this.#inbox.length) {
      this.#inbox = [];
      this.#next = 0;
    }
    return packet;
  }

  write(packet: Buffer): boolean {
    if (this.closed) return false;
    this.#catchUp();
    this.#down(packet);
    this.#setTimer();
    return true;
  }

  close(): void {
    this.#cancelTimer();
    this.#below.close();
  }

  #arrived(packet: Buffer): void {
    this.#inbox.push(packet);
    if (this.#inbox.length - this.#next === 1) this.onReadable();
  }

  #catchUp(): void {
    this.#clock.advance(systemClock.now() - this.#startedAt - this.#clock.now());
  }

  #setTimer(): void {
    const at = this.#clock.nextAt;
    if (at >= this.#timerAt || this.closed) return;
    this.#cancelTimer();
    this.#timerAt = at;
    this.#cancelTimer = systemClock.setTimer(this.#startedAt + at, () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#catchUp();
      this.#setTimer();
    });
  }
}
