import { OvpnUsageError } from '../core/errors.ts';
import type { Millis } from '../core/machine.ts';
import { BATCH, type Service } from '../core/pump.ts';
import type { TunDevice } from '../model/tun-device.ts';

/** What packets go through once there is a session. */
export interface Tunnel {
  readonly tun: TunDevice;
  attach(service: Service): void;
  arm(): void;
}

/** The Duplex above. */
export interface PacketStreamEnd {
  /** Takes one packet for the reader; false asks to stop until `resume`. */
  push(packet: Buffer): boolean;
  /** Packets have moved. */
  moved(now: Millis): void;
}

type Accepted = (error?: Error | null) => void;

/**
 * Moves IP packets between a tunnel and a Duplex, as a kernel's TUN queue does: what the reader does
 * not fetch in time is dropped and counted, so that an idle reader never holds up the control
 * channel behind it. Packets belong to whoever comes first: the Duplex, or a dialer.
 */
export class PacketStream implements Service {
  readonly name = 'vpnclient';
  readonly #end: PacketStreamEnd;
  #tunnel: Tunnel | undefined;
  #owner: 'nobody' | 'stream' | 'dialer' = 'nobody';
  #readerHasRoom = true;
  #waiting: { packet: Buffer; accepted: Accepted } | undefined;
  #overflows = 0;

  constructor(end: PacketStreamEnd) {
    this.#end = end;
  }

  /** Packets dropped because the reader was behind. */
  get overflows(): number {
    return this.#overflows;
  }

  /** Whether a dialer has the packets. */
  get claimed(): boolean {
    return this.#owner === 'dialer';
  }

  /** The tunnel is up: a reader or writer that was early is served now. */
  open(tunnel: Tunnel): void {
    this.#tunnel = tunnel;
    if (this.#owner === 'stream') tunnel.attach(this);
  }

  /** Gives the packets to a dialer. @throws OvpnUsageError when somebody has them */
  claim(): void {
    if (this.#owner !== 'nobody') {
      throw new OvpnUsageError('expected a tunnel that nobody reads or writes yet', 'vpnclient');
    }
    this.#owner = 'dialer';
  }

  /** @throws OvpnUsageError while a dialer has the packets */
  checkUnclaimed(): void {
    if (!this.claimed) return;
    throw new OvpnUsageError('expected no reader or writer: a dialer has the packets', 'vpnclient');
  }

  /** The reader wants more. */
  resume(): void {
    this.#use();
    this.#readerHasRoom = true;
    this.#tunnel?.arm();
  }

  /** Puts `packet` into the tunnel now, or as soon as there is one with room. One at a time. */
  send(packet: Buffer, accepted: Accepted): void {
    this.#use();
    if (this.#tunnel?.tun.write(packet)) accepted();
    else this.#waiting = { packet, accepted };
  }

  /** No packet moves any more. */
  close(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.accepted(new Error('the tunnel ended before the packet was sent'));
  }

  /** tun → reader */
  moveUpWorker(now: Millis): boolean {
    let moved = 0;
    while (moved < BATCH) {
      const packet = this.#tunnel?.tun.read();
      if (packet === undefined) break;
      if (this.#readerHasRoom) this.#readerHasRoom = this.#end.push(packet);
      else this.#overflows += 1;
      moved += 1;
    }
    if (moved > 0) this.#end.moved(now);
    return moved > 0;
  }

  /** writer → tun: each packet that is accepted brings the next one */
  moveDownWorker(now: Millis): boolean {
    let moved = 0;
    for (; moved < BATCH; moved += 1) {
      const waiting = this.#waiting;
      if (waiting === undefined || !this.#tunnel?.tun.write(waiting.packet)) break;
      this.#waiting = undefined;
      waiting.accepted();
    }
    if (moved > 0) this.#end.moved(now);
    return moved > 0;
  }

  #use(): void {
    if (this.#owner !== 'nobody') return;
    this.#owner = 'stream';
    this.#tunnel?.attach(this);
  }
}
