import type { Channel } from '../core/channel.ts';
import { Drop, DropCounter } from '../core/machine.ts';
import type { TunDevice } from '../model/tun-device.ts';
import type { NatTranslator } from './client-nat.ts';
import { clampMss } from './mss-clamp.ts';

export interface MemoryTunPorts {
  readonly dataToTun: Channel<Buffer>;
  readonly tunToData: Channel<Buffer>;
}

export interface MemoryTunOptions {
  /** Largest IP packet that is written. Unit: bytes. */
  readonly mtu: number;
  /** Largest MSS that a SYN over IPv4 may announce, 20 less over IPv6. 0 is off. */
  readonly maxMss: number;
  /** `client-nat`. Default: no address is translated. */
  readonly nat?: NatTranslator | undefined;
}

/**
 * A tun device inside the process: the two channels of the data channel's upper end, with `mssfix` and
 * `client-nat` both ways. It takes over who is woken by `dataToTun`'s items and by `tunToData`'s room.
 */
export class MemoryTun implements TunDevice {
  onReadable: () => void = nothing;
  onWritable: () => void = nothing;
  /** Packets that were not written: empty, or longer than the mtu. */
  readonly drops: DropCounter = new DropCounter();
  readonly #dataToTun: Channel<Buffer>;
  readonly #tunToData: Channel<Buffer>;
  #mtu = 0;
  #maxMss = 0;
  #nat: NatTranslator | undefined;

  constructor({ dataToTun, tunToData }: MemoryTunPorts, options: MemoryTunOptions) {
    this.#dataToTun = dataToTun;
    this.#tunToData = tunToData;
    this.configure(options);
    dataToTun.onItem = () => this.onReadable();
    tunToData.onRoom = () => this.onWritable();
  }

  /** Sets what the push decided. */
  configure({ mtu, maxMss, nat }: MemoryTunOptions): void {
    this.#mtu = mtu;
    this.#maxMss = maxMss;
    this.#nat = nat;
  }

  get mtu(): number {
    return this.#mtu;
  }

  get writable(): boolean {
    return !this.#tunToData.full && !this.#tunToData.closed;
  }

  get closed(): boolean {
    return this.#tunToData.closed;
  }

  read(): Buffer | undefined {
    const packet = this.#dataToTun.take();
    if (packet === undefined) return undefined;
    if (this.#maxMss > 0) clampMss(packet, this.#maxMss);
    if (this.#nat !== undefined) this.#nat.incoming(packet);
    return packet;
  }

  /** As the interface says; a packet that is empty or above the mtu is taken, counted and lost. */
  write(packet: Buffer): boolean {
    if (!this.writable) return false;
    if (packet.length === 0 || packet.length > this.#mtu) {
      this.drops.count(Drop.MALFORMED);
      return true;
    }
    if (this.#maxMss > 0) clampMss(packet, this.#maxMss);
    if (this.#nat !== undefined) this.#nat.outgoing(packet);
    return this.#tunToData.push(packet);
  }

  close(): void {
    this.#tunToData.close();
    this.#dataToTun.close();
  }
}

const nothing = (): void => {};
