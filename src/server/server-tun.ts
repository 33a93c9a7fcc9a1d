import { Drop, DropCounter } from '../core/machine.ts';
import type { TunDevice } from '../model/tun-device.ts';

/** One peer's end, as the server's own stack sees it. */
export interface TunPeer {
  readonly tun: TunDevice;
  /** Addresses that the pool gave to the peer: their bytes as latin1 text. */
  readonly addresses: readonly string[];
}

const IPV4_SOURCE = 12;
const IPV4_DESTINATION = 16;
const IPV4_HEADER = 20;
const IPV6_SOURCE = 8;
const IPV6_DESTINATION = 24;
const IPV6_HEADER = 40;

/**
 * Joins the tunnels of all peers into the one device that the server's netstack stands on: reads
 * take turns between peers, writes go to the peer that has the destination address. A packet whose
 * source is not the peer's own address is dropped.
 */
export class ServerTun implements TunDevice {
  readonly mtu: number;
  onReadable: () => void = nothing;
  onWritable: () => void = nothing;
  readonly drops: DropCounter = new DropCounter();
  #closed = false;
  #next = 0;
  #full: TunPeer | undefined;
  readonly #peers: TunPeer[] = [];
  readonly #byAddress = new Map<string, TunPeer>();

  constructor(mtu: number) {
    this.mtu = mtu;
  }

  add(peer: TunPeer): void {
    this.#peers.push(peer);
    for (const address of peer.addresses) this.#byAddress.set(address, peer);
    peer.tun.onReadable = () => this.onReadable();
    peer.tun.onWritable = () => this.onWritable();
    this.onReadable();
  }

  remove(peer: TunPeer): void {
    const index = this.#peers.indexOf(peer);
    if (index >= 0) this.#peers.splice(index, 1);
    if (this.#full === peer) {
      this.#full = undefined;
      this.onWritable();
    }
    for (const address of peer.addresses) {
      if (this.#byAddress.get(address) === peer) this.#byAddress.delete(address);
    }
  }

  read(): Buffer | undefined {
    for (let tried = 0; tried < this.#peers.length; ) {
      const peer = this.#peers[this.#next % this.#peers.length];
      const packet = peer?.tun.read();
      if (packet === undefined || peer === undefined) {
        this.#next = (this.#next + 1) % this.#peers.length;
        tried += 1;
      } else if (this.#byAddress.get(sourceOf(packet)) === peer) {
        return packet;
      } else {
        this.drops.count(Drop.MARTIAN);
      }
    }
    return undefined;
  }

  /** False while the peer that was last written to is full: nothing is dropped on the way down. */
  get writable(): boolean {
    return !this.#closed && (this.#full === undefined || this.#full.tun.writable);
  }

  write(packet: Buffer): boolean {
    if (!this.writable) return false;
    const peer = this.#byAddress.get(destinationOf(packet));
    if (peer === undefined) {
      this.drops.count(Drop.NO_SOCKET);
      return true;
    }
    if (!peer.tun.write(packet)) this.drops.count(Drop.NO_ROOM);
    this.#full = peer.tun.writable ? undefined : peer;
    return true;
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
  }
}

function sourceOf(packet: Buffer): string {
  return addressAt(packet, IPV4_SOURCE, IPV6_SOURCE);
}

function destinationOf(packet: Buffer): string {
  return addressAt(packet, IPV4_DESTINATION, IPV6_DESTINATION);
}

/** The address in a checked IP packet as latin1 text: a map key without formatting. */
function addressAt(packet: Buffer, at4: number, at6: number): string {
  if (packet.length >= IPV6_HEADER && packet.readUInt8(0) >>> 4 === 6) {
    return packet.toString('latin1', at6, at6 + 16);
  }
  return packet.length >= IPV4_HEADER ? packet.toString('latin1', at4, at4 + 4) : '';
}

const nothing = (): void => {};
