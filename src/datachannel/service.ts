import { u8 } from '../core/bytes.ts';
import type { Channel } from '../core/channel.ts';
import { type OvpnTimeoutError, toError } from '../core/errors.ts';
import { Drop, DropCounter, type Millis } from '../core/machine.ts';
import { BATCH, type Service } from '../core/pump.ts';
import type { DataChannelKey } from '../model/data-channel-key.ts';
import type { Tracer } from '../model/tracer.ts';
import type { DataChannel } from './data-channel.ts';
import type { KeepaliveOptions } from './keepalive.ts';

export interface DataChannelPorts {
  readonly muxerToData: Channel<Buffer>;
  readonly dataToTun: Channel<Buffer>;
  readonly tunToData: Channel<Buffer>;
  readonly dataToMuxer: Channel<Buffer>;
  readonly keyReady: Channel<DataChannelKey>;
  readonly rekeyDue: Channel<string>;
}

/** Called synchronously, from inside a worker. */
export interface DataChannelServiceEvents {
  /** The peer said goodbye on the data channel. At most once. */
  peerExit(): void;
  /** `ping-restart` or `ping-exit` ran out; the error's `phase` says which. */
  pingTimeout(error: OvpnTimeoutError): void;
  /** The data channel cannot go on: a refused key, or no packet id left. */
  failed(error: Error): void;
  /** A later key than the first is in place. */
  rekeyed(keyId: number): void;
}

/** IP packets that were carried. Counters only grow. */
export interface DataChannelStats {
  readonly packetsUp: number;
  readonly bytesUp: number;
  readonly packetsDown: number;
  readonly bytesDown: number;
  /** Refused packets by reason. */
  readonly drops: Readonly<Record<string, number>>;
}

/** Carries packets between the muxer and the tun device, and keys from the TLS layer. */
export class DataChannelService implements Service {
  readonly name = 'datachannel';
  readonly #channel: DataChannel;
  readonly #ports: DataChannelPorts;
  readonly #events: DataChannelServiceEvents;
  readonly #tracer: Tracer;
  readonly #drops = new DropCounter();
  #packetsUp = 0;
  #bytesUp = 0;
  #packetsDown = 0;
  #bytesDown = 0;

  constructor(
    channel: DataChannel,
    ports: DataChannelPorts,
    events: DataChannelServiceEvents,
    tracer: Tracer = {},
  ) {
    this.#channel = channel;
    this.#ports = ports;
    this.#events = events;
    this.#tracer = tracer;
  }

  get stats(): DataChannelStats {
    return {
      packetsUp: this.#packetsUp,
      bytesUp: this.#bytesUp,
      packetsDown: this.#packetsDown,
      bytesDown: this.#bytesDown,
      drops: this.#drops.snapshot(),
    };
  }

  /** Sets the keepalive times. Called from inside the pump, or followed by `arm`. */
  configure(options: KeepaliveOptions): void {
    this.#channel.configure(options);
  }

  /** Says goodbye on the data channel. Called from inside the pump, or followed by `arm`. */
  sendExit(): void {
    this.#channel.sendExit();
  }

  /** keyReady → keys; muxerToData → open → dataToTun */
  moveUpWorker(now: Millis): boolean {
    const { muxerToData, dataToTun } = this.#ports;
    const keyed = this.keyWorker(now);
    let moved = 0;
    while (moved < BATCH && !dataToTun.full) {
      const packet = muxerToData.take();
      if (packet === undefined) break;
      const opened = this.#channel.open(packet, now);
      if (typeof opened === 'number') this.#refuse(opened, packet, now);
      else if (dataToTun.push(opened)) this.#countUp(opened);
      moved += 1;
    }
    this.#report();
    return keyed || moved > 0;
  }

  /** pings, exits → dataToMuxer; tunToData → seal → dataToMuxer */
  moveDownWorker(now: Millis): boolean {
    const { tunToData, dataToMuxer } = this.#ports;
    let moved = 0;
    while (!dataToMuxer.full) {
      const message = this.#channel.takeMessage(now);
      if (message === undefined) break;
      dataToMuxer.push(message);
      moved += 1;
    }
    while (moved < BATCH && !dataToMuxer.full && this.#channel.canSeal(now)) {
      const packet = tunToData.take();
      if (packet === undefined) break;
      const sealed = this.#channel.seal(packet, now);
      if (typeof sealed === 'number') this.#refuse(sealed, packet, now);
      else if (dataToMuxer.push(sealed)) this.#countDown(packet);
      moved += 1;
    }
    this.#report();
    return moved > 0;
  }

  /** keyReady → keys */
  keyWorker(now: Millis): boolean {
    let moved = false;
    for (;;) {
      const key = this.#ports.keyReady.take();
      if (key === undefined) return moved;
      moved = true;
      try {
        this.#channel.install(key, now);
      } catch (error) {
        this.#events.failed(toError(error));
      }
    }
  }

  nextTimeout(): Millis {
    return this.#channel.nextTimeout();
  }

  onTimeout(now: Millis): void {
    this.#channel.onTimeout(now);
  }

  stop(): void {
    this.#channel.close();
  }

  #refuse(drop: Drop, packet: Buffer, now: Millis): void {
    if (drop === Drop.NONE) return;
    this.#drops.count(drop);
    const byte0 = packet.length === 0 ? -1 : u8(packet, 0);
    this.#tracer.dropped?.(this.name, drop, byte0, packet.length, now);
  }

  #countUp(packet: Buffer): void {
    this.#packetsUp += 1;
    this.#bytesUp += packet.length;
  }

  #countDown(packet: Buffer): void {
    this.#packetsDown += 1;
    this.#bytesDown += packet.length;
  }

  /** Tells what the batch brought beside packets. */
  #report(): void {
    this.#channel.endOfBatch();
    if (!this.#ports.rekeyDue.full) {
      const reason = this.#channel.takeRekeyReason();
      if (reason !== undefined) this.#ports.rekeyDue.push(reason);
    }
    for (;;) {
      const event = this.#channel.takeEvent();
      if (event === undefined) return;
      if (event.kind === 'rekeyed') this.#events.rekeyed(event.keyId);
      else if (event.kind === 'peer-exit') this.#events.peerExit();
      else if (event.kind === 'ping-timeout') this.#events.pingTimeout(event.error);
      else this.#events.failed(event.error);
    }
  }
}
