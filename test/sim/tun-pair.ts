import type { TunDevice } from '../../src/model/tun-device.ts';

/** How the two ends are joined. */
export interface TunPairOptions {
  /** Default: 1500. */
  readonly mtu?: number;
  /** Packets that wait in one direction; the writer is held back by more. Default: 256. */
  readonly slots?: number;
  /** Sees every packet on its way; what it gives goes on, undefined loses it. */
  readonly filter?: (packet: Buffer, from: 'left' | 'right') => Buffer | undefined;
}

/** One end of a {@link tunPair}. */
export class PairedTun implements TunDevice {
  readonly mtu: number;
  onReadable: () => void = () => {};
  onWritable: () => void = () => {};
  readonly #slots: number;
  readonly #pass: (packet: Buffer) => Buffer | undefined;
  #peer: PairedTun | undefined;
  #inbox: Buffer[] = [];
  #next = 0;
  #closed = false;

  constructor(mtu: number, slots: number, pass: (packet: Buffer) => Buffer | undefined) {
    this.mtu = mtu;
    this.#slots = slots;
    this.#pass = pass;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Packets that wait to be read here. */
  get waiting(): number {
    return this.#inbox.length - this.#next;
  }

  get writable(): boolean {
    return !this.#closed && (this.#peer?.waiting ?? this.#slots) < this.#slots;
  }

  /** Makes what is written here readable at `peer`. */
  join(peer: PairedTun): void {
    this.#peer = peer;
  }

  read(): Buffer | undefined {
    const packet = this.#inbox[this.#next];
    if (packet === undefined) return undefined;
    this.#next += 1;
    if (this.#next === this.#inbox.length) {
      this.#inbox = [];
      this.#next = 0;
    }
    if (this.waiting === this.#slots - 1) this.#peer?.onWritable();
    return packet;
  }

  write(packet: Buffer): boolean {
    if (!this.writable) return false;
    const passed = this.#pass(packet);
    if (passed !== undefined) this.#peer?.inject(passed);
    return true;
  }

  /** Makes `packet` readable here, wherever it comes from and however many wait. */
  inject(packet: Buffer): void {
    this.#inbox.push(packet);
    if (this.waiting === 1) this.onReadable();
  }

  close(): void {
    this.#closed = true;
  }
}

/** Two tunnel ends, joined: what one writes, the other reads. */
export function tunPair(options: TunPairOptions = {}): { left: PairedTun; right: PairedTun } {
  const { mtu = 1500, slots = 256, filter = (packet) => packet } = options;
  const left = new PairedTun(mtu, slots, (packet) => filter(packet, 'left'));
  const right = new PairedTun(mtu, slots, (packet) => filter(packet, 'right'));
  left.join(right);
  right.join(left);
  return { left, right };
}
