import ipaddr from 'ipaddr.js';
import { Drop, DropCounter, type Millis } from '../core/machine.ts';
import type { Service } from '../core/pump.ts';
import type { TunDevice } from '../model/tun-device.ts';

/** How long packets of all wait for a peer whose queue is full. Unit: milliseconds. */
export const PATIENCE_MS = 20;

/** How long a peer that used up that time is not waited for again. Unit: milliseconds. */
export const IMPATIENCE_MS = 1_000;

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
 *
 * A peer whose queue is full holds up the writer, as any device does, but not for long: one that
 * reads nothing must not stop the others. Its packets are then dropped.
 */
export class ServerTun implements TunDevice, Service {
  readonly name = 'server';
  readonly mtu: number;
  onReadable: () => void = nothing;
  onWritable: () => void = nothing;
  readonly drops: DropCounter = new DropCounter();
  readonly #now: () => Millis;
  readonly #peers: TunPeer[] = [];
  readonly #byAddress = new Map<string, TunPeer>();
  /** Peers that kept us waiting, and until when they are not waited for. */
  readonly #slow = new Map<TunPeer, Millis>();
  #next = 0;
  #waitingFor: TunPeer | undefined;
  #waitUntil: Millis = Number.POSITIVE_INFINITY;
  #closed = false;

  /** @param now the time of the pump's run */
  constructor(mtu: number, now: () => Millis) {
    this.mtu = mtu;
    this.#now = now;
  }

  add(peer: TunPeer): void {
    this.#peers.push(peer);
    for (const address of peer.addresses) this.#byAddress.set(address, peer);
    peer.tun.onReadable = () => this.onReadable();
    peer.tun.onWritable = () => this.#stopWaitingFor(peer);
    this.onReadable();
  }

  remove(peer: TunPeer): void {
    const index = this.#peers.indexOf(peer);
    if (index >= 0) this.#peers.splice(index, 1);
    for (const address of peer.addresses) {
      if (this.#byAddress.get(address) === peer) this.#byAddress.delete(address);
    }
    this.#slow.delete(peer);
    this.#stopWaitingFor(peer);
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

  /** False while the peer that was last written to is full, for {@link PATIENCE_MS} at most. */
  get writable(): boolean {
    return !this.#closed && this.#waitingFor === undefined;
  }

  write(packet: Buffer): boolean {
    if (!this.writable) return false;
    const peer = this.#byAddress.get(destinationOf(packet));
    if (peer === undefined) this.drops.count(Drop.NO_SOCKET);
    else if (!peer.tun.write(packet)) this.drops.count(Drop.NO_ROOM);
    else if (!peer.tun.writable) this.#waitFor(peer);
    return true;
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
  }

  nextTimeout(): Millis {
    return this.#waitUntil;
  }

  onTimeout(now: Millis): void {
    const peer = this.#waitingFor;
    if (peer === undefined || now < this.#waitUntil) return;
    this.#slow.set(peer, now + IMPATIENCE_MS);
    this.#stopWaitingFor(peer);
  }

  #waitFor(peer: TunPeer): void {
    const now = this.#now();
    if (now < (this.#slow.get(peer) ?? now)) return;
    this.#waitingFor = peer;
    this.#waitUntil = now + PATIENCE_MS;
  }

  #stopWaitingFor(peer: TunPeer): void {
    if (this.#waitingFor !== peer) return;
    this.#waitingFor = undefined;
    this.#waitUntil = Number.POSITIVE_INFINITY;
    this.onWritable();
  }
}

/** An address in text as the key under which its peer is found. @throws Error for anything else */
export function addressKey(address: string): string {
  return Buffer.from(ipaddr.parse(address).toByteArray()).toString('latin1');
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
