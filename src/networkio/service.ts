import type { Channel } from '../core/channel.ts';
import type { Clock } from '../core/clock.ts';
import type { Millis } from '../core/machine.ts';
import { BATCH, type Service } from '../core/pump.ts';
import type { Tracer } from '../model/tracer.ts';
import type { Link, LinkPort } from './link.ts';

export interface NetworkIoPorts {
  readonly networkToMuxer: Channel<Buffer>;
  readonly muxerToNetwork: Channel<Buffer>;
}

export interface NetworkIoParts {
  /** Opened here, and closed when the service stops. */
  readonly link: Link;
  readonly clock: Clock;
  /** Asks the pump for a run: the link can take packets again, or has ended. */
  readonly arm: () => void;
  /** The link ended by itself, and what had arrived before has been worked on. Called once. */
  readonly onEnded: (error: Error) => void;
  readonly tracer?: Tracer | undefined;
}

/** What passed a link. Bytes as {@link Link} counts them. */
export interface NetworkIoCounters {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly packetsRead: number;
  readonly packetsWritten: number;
  readonly overflows: number;
}

/**
 * How long the session works on what came before the link's end: a server that says why it hangs
 * up does so in the last packets, and TLS takes a few turns of the event loop. Unit: milliseconds.
 */
export const END_GRACE_MS = 20;

/** Carries outer packets between a link, which lives outside the pump, and the muxer. */
export class NetworkIoService implements Service, LinkPort {
  readonly name = 'networkio';
  readonly #link: Link;
  readonly #ports: NetworkIoPorts;
  readonly #clock: Clock;
  readonly #arm: () => void;
  readonly #onEnded: (error: Error) => void;
  readonly #tracer: Tracer | undefined;
  #packetsRead = 0;
  #packetsWritten = 0;
  /** The link holds back a packet because networkToMuxer was full. */
  #refused = false;
  #end: Error | undefined;
  #endAt: Millis = Number.POSITIVE_INFINITY;

  constructor({ link, clock, arm, onEnded, tracer }: NetworkIoParts, ports: NetworkIoPorts) {
    this.#link = link;
    this.#ports = ports;
    this.#clock = clock;
    this.#arm = arm;
    this.#onEnded = onEnded;
    this.#tracer = tracer;
    link.open(this);
  }

  get counters(): NetworkIoCounters {
    const { bytesRead, bytesWritten, overflows } = this.#link;
    return {
      bytesRead,
      bytesWritten,
      packetsRead: this.#packetsRead,
      packetsWritten: this.#packetsWritten,
      overflows,
    };
  }

  /** link → networkToMuxer */
  receive(packet: Buffer): boolean {
    if (!this.#ports.networkToMuxer.push(packet)) {
      this.#refused = true;
      return false;
    }
    this.#packetsRead += 1;
    this.#tracer?.datagramIn?.(packet, this.#clock.now());
    return true;
  }

  drained(): void {
    this.#arm();
  }

  ended(error: Error): void {
    this.#end = error;
    this.#endAt = this.#clock.now() + END_GRACE_MS;
    this.#arm();
  }

  /** link, which waited for room → networkToMuxer */
  moveUpWorker(): boolean {
    const { networkToMuxer } = this.#ports;
    if (!this.#refused || networkToMuxer.closed) return false;
    if (networkToMuxer.size > networkToMuxer.slots / 2) return false;
    this.#refused = false;
    this.#link.resume();
    return true;
  }

  /** muxerToNetwork → link */
  moveDownWorker(now: Millis): boolean {
    let moved = 0;
    while (moved < BATCH && this.#sendOne(now)) moved += 1;
    return moved > 0;
  }

  nextTimeout(): Millis {
    return this.#endAt;
  }

  onTimeout(now: Millis): void {
    if (this.#end === undefined || now < this.#endAt) return;
    this.#endAt = Number.POSITIVE_INFINITY;
    this.#onEnded(this.#end);
  }

  /** Sends what the layers above have handed over, then closes the link. */
  stop(): void {
    while (this.#sendOne(this.#clock.now()));
    void this.#link.close();
  }

  #sendOne(now: Millis): boolean {
    if (!this.#link.writable) return false;
    const packet = this.#ports.muxerToNetwork.take();
    if (packet === undefined) return false;
    this.#tracer?.datagramOut?.(packet, now);
    this.#packetsWritten += 1;
    this.#link.send(packet);
    return true;
  }
}
