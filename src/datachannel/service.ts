import { u8 } from '../core/bytes.ts';
import type { Channel } from '../core/channel.ts';
import { type OvpnTimeoutError, toError } from '../core/errors.ts';
import { Drop, DropCounter, type Millis } from '../core/machine.ts';
import { BATCH, type Service } from '../core/pump.ts';
import type { DataChannelKey } from '../model/data-channel-key.ts';
import type { Tracer } from '../model/tracer.ts';
import type { DataChannel } from './data-channel.ts';
import { type CarrierEvents, DeferredCarrier } from './deferred-carrier.ts';
import type { KeepaliveOptions } from './keepalive.ts';
import type { MtuTestResult } from './mtu-test.ts';
import type { PayloadFormat } from './payload-codec.ts';

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
  /** The data channel cannot go on: a refused key, no packet id left, a cipher that fails. */
  failed(error: Error): void;
  /** A later key than the first is in place. */
  rekeyed(keyId: number): void;
  /** `mtu-test` is over; undefined: the peer did not answer. At most once. */
  mtuTested?(result: MtuTestResult | undefined): void;
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
  /** Carries packets where ciphers answer with promises; the workers do it themselves elsewhere. */
  readonly #deferred: DeferredCarrier | undefined;
  #packetsUp = 0;
  #bytesUp = 0;
  #packetsDown = 0;
  #bytesDown = 0;

  /** @param arm asks for a run of the workers; never called where ciphers answer at once */
  constructor(
    channel: DataChannel,
    ports: DataChannelPorts,
    events: DataChannelServiceEvents,
    tracer: Tracer = {},
    arm: () => void = nothing,
  ) {
    this.#channel = channel;
    this.#ports = ports;
    this.#events = events;
    this.#tracer = tracer;
    this.#deferred = channel.defers
      ? new DeferredCarrier(channel, ports, this.#carrierEvents(), arm)
      : undefined;
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

  /** Bytes of the IP packets that were carried, both ways. */
  get dataBytes(): number {
    return this.#bytesUp + this.#bytesDown;
  }

  /** Whether packets to be sent are still with their cipher, in no channel. */
  get isSealing(): boolean {
    return this.#deferred?.isSealing ?? false;
  }

  /** Sets the keepalive times. Called from inside the pump, or followed by `arm`. */
  configure(options: KeepaliveOptions): void {
    this.#channel.configure(options);
  }

  /** Sends and takes payloads like this from now on: once the push is known, before the first packet. */
  useFormat(format: PayloadFormat): void {
    this.#channel.useFormat(format);
  }

  /** Says goodbye on the data channel. Called from inside the pump, or followed by `arm`. */
  sendExit(): void {
    this.#channel.sendExit();
  }

  /** keyReady → keys; muxerToData → open → dataToTun */
  moveUpWorker(now: Millis): boolean {
    const keyed = this.keyWorker(now);
    const moved = this.#deferred === undefined ? this.#carryUp(now) : this.#deferred.carryUp(now);
    this.#report();
    return keyed || moved > 0;
  }

  /** pings, exits, OCC → dataToMuxer; tunToData → seal → dataToMuxer */
  moveDownWorker(now: Millis): boolean {
    const moved =
      this.#deferred === undefined ? this.#carryDown(now) : this.#deferred.carryDown(now);
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
    this.#deferred?.stop();
    this.#channel.close();
  }

  #carryUp(now: Millis): number {
    const { muxerToData, dataToTun } = this.#ports;
    let moved = 0;
    while (moved < BATCH && !dataToTun.full) {
      const packet = muxerToData.take();
      if (packet === undefined) break;
      const opened = this.#channel.open(packet, now);
      if (typeof opened === 'number') this.#refuse(opened, packet, now);
      else if (dataToTun.push(opened)) this.#countUp(opened);
      moved += 1;
    }
    return moved;
  }

  #carryDown(now: Millis): number {
    const { tunToData, dataToMuxer } = this.#ports;
    let moved = this.#sendMessages(now);
    while (moved < BATCH && !dataToMuxer.full && this.#channel.canSeal(now)) {
      const packet = tunToData.take();
      if (packet === undefined) break;
      const sealed = this.#channel.seal(packet, now);
      if (typeof sealed === 'number') this.#refuse(sealed, packet, now);
      else if (dataToMuxer.push(sealed)) this.#countDown(packet);
      moved += 1;
      if (this.#channel.hasParts) moved += this.#sendMessages(now);
    }
    return moved;
  }

  #sendMessages(now: Millis): number {
    const { dataToMuxer } = this.#ports;
    let moved = 0;
    while (!dataToMuxer.full) {
      const message = this.#channel.takeMessage(now);
      if (message === undefined) break;
      dataToMuxer.push(message);
      moved += 1;
    }
    return moved;
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

  #carrierEvents(): CarrierEvents {
    return {
      carriedUp: (packet) => this.#countUp(packet),
      carriedDown: (packet) => this.#countDown(packet),
      refused: (drop, packet, now) => this.#refuse(drop, packet, now),
      failed: (error) => this.#events.failed(error),
    };
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
      else if (event.kind === 'mtu-tested') this.#events.mtuTested?.(event.result);
      else if (event.kind === 'ping-timeout') this.#events.pingTimeout(event.error);
      else this.#events.failed(event.error);
    }
  }
}

const nothing = (): void => {};
