/** How far behind the newest packet one may come, in packets and in time. */
export interface ReplayLimits {
  /** Default: 64. 0 accepts rising ids only. */
  readonly packets: number;
  /** Unit: milliseconds. Default: 15,000. */
  readonly ms: number;
}

/** OpenVPN's defaults of `replay-window`. */
export const DEFAULT_REPLAY_LIMITS: ReplayLimits = { packets: 64, ms: 15_000 };

const NEVER = -1;

/**
 * Refuses control packets that were seen before (packet_id.c). A packet's place is the pair
 * (net_time, packet_id), net_time first:
 *
 *     older net_time                  refused
 *     newer net_time                  accepted, the window begins anew
 *     same net_time, higher id        accepted
 *     same net_time, id in window     accepted once, unless a later id came too long ago
 *     id 0                            refused
 */
export class ControlReplay {
  readonly #packets: number;
  readonly #seconds: number;
  /** When an id was received, at `id % length`; only the window's ids count. */
  readonly #receivedAt: number[];
  #netTime = NEVER;
  #highest = 0;

  constructor({ packets, ms }: ReplayLimits = DEFAULT_REPLAY_LIMITS) {
    this.#packets = packets;
    this.#seconds = ms / 1000;
    this.#receivedAt = new Array<number>(Math.max(packets, 1)).fill(NEVER);
  }

  /**
   * Whether the packet is new; it is remembered then. Call it for authentic packets only.
   *
   * @param nowSeconds our clock; never compared with `netTime`, which is the peer's
   */
  accept(netTime: number, packetId: number, nowSeconds: number): boolean {
    if (packetId === 0 || netTime < this.#netTime) return false;
    if (netTime > this.#netTime) {
      this.#netTime = netTime;
      this.#highest = 0;
      this.#receivedAt.fill(NEVER);
    }
    if (packetId > this.#highest) this.#advance(packetId);
    else if (this.#isLateOrSeen(packetId, nowSeconds)) return false;
    this.#receivedAt[packetId % this.#receivedAt.length] = nowSeconds;
    return true;
  }

  #advance(packetId: number): void {
    const length = this.#receivedAt.length;
    const skipped = Math.min(packetId - this.#highest, length);
    for (let id = packetId; id > packetId - skipped; id -= 1) this.#receivedAt[id % length] = NEVER;
    this.#highest = packetId;
  }

  #isLateOrSeen(packetId: number, nowSeconds: number): boolean {
    if (this.#highest - packetId >= this.#packets) return true;
    if (this.#timeOf(packetId) !== NEVER) return true;
    for (let later = packetId + 1; later <= this.#highest; later += 1) {
      const at = this.#timeOf(later);
      if (at !== NEVER && nowSeconds - at > this.#seconds) return true;
    }
    return false;
  }

  #timeOf(packetId: number): number {
    return this.#receivedAt[packetId % this.#receivedAt.length] ?? NEVER;
  }
}
