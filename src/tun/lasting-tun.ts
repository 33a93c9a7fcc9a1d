import type { TunDevice } from '../model/tun-device.ts';

/**
 * A tun device over one device after another: those of the sessions of a client. While there is
 * none, nothing can be read, and writers wait.
 */
export class LastingTun implements TunDevice {
  onReadable: () => void = nothing;
  onWritable: () => void = nothing;
  #device: TunDevice | undefined;
  #mtu = 0;
  #closed = false;

  /** Stands on `device` from now on; undefined for none. */
  use(device: TunDevice | undefined): void {
    const before = this.#device;
    if (before !== undefined) {
      this.#mtu = before.mtu;
      before.onReadable = nothing;
      before.onWritable = nothing;
    }
    this.#device = device;
    if (device === undefined) return;
    device.onReadable = () => this.onReadable();
    device.onWritable = () => this.onWritable();
  }

  /** Of the device, or of the one before. */
  get mtu(): number {
    return this.#device?.mtu ?? this.#mtu;
  }

  get writable(): boolean {
    return this.#device?.writable ?? false;
  }

  get closed(): boolean {
    return this.#closed;
  }

  read(): Buffer | undefined {
    return this.#device?.read();
  }

  write(packet: Buffer): boolean {
    return this.#device?.write(packet) ?? false;
  }

  /** Closes the device, and takes no other. May be called twice. */
  close(): void {
    this.#closed = true;
    this.#device?.close();
    this.use(undefined);
  }
}

const nothing = (): void => {};
