import type { Millis } from '../core/machine.ts';
import type { IpAddress } from './ip-address.ts';

/** Destinations whose path is remembered. */
export const MAX_PATHS = 1024;
/** After this a larger packet is tried again (RFC 1191 §6.3, RFC 8201 §4). */
export const PATH_MTU_AGE_MS: Millis = 600_000;
/** No path is believed to be narrower (RFC 1191 §3, RFC 8201 §4), by family. */
export const MIN_PATH_MTU = { ipv4: 576, ipv6: 1280 } as const;

interface Path {
  readonly mtu: number;
  /** When it is forgotten. */
  readonly until: Millis;
}

/**
 * What is known of the paths out of the tunnel: the largest packet that each destination takes,
 * shared by all that send there. Only narrower paths than the tunnel are remembered, and only for
 * a while. Who calls `lower` has checked that the news is about a packet of ours.
 */
export class PathMtus {
  #linkMtu: number;
  /** Least recently lowered first. */
  readonly #paths = new Map<string, Path>();

  /** @param linkMtu largest packet of the tunnel */
  constructor(linkMtu: number) {
    this.#linkMtu = linkMtu;
  }

  get size(): number {
    return this.#paths.size;
  }

  /** The tunnel takes other packets: what was known of its paths no longer holds. */
  set linkMtu(mtu: number) {
    this.#linkMtu = mtu;
    this.#paths.clear();
  }

  /** Largest packet to `address`, as far as is known. */
  mtuTo(address: IpAddress, now: Millis): number {
    if (this.#paths.size === 0) return this.#linkMtu;
    const path = this.#find(`${address}`, now);
    return path === undefined ? this.#linkMtu : path.mtu;
  }

  /**
   * When a larger packet to `address` may be tried again; `Infinity` when nothing is known that
   * would keep one back.
   */
  knownUntil(address: IpAddress, now: Millis): Millis {
    if (this.#paths.size === 0) return Number.POSITIVE_INFINITY;
    return this.#find(`${address}`, now)?.until ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Packets to `address` longer than `mtu` do not arrive. Never raises, and never goes below the
   * least MTU of the family.
   *
   * @param age how long that holds
   * @returns what holds from now on
   */
  lower(address: IpAddress, mtu: number, now: Millis, age: Millis = PATH_MTU_AGE_MS): number {
    const floor = address.family === 4 ? MIN_PATH_MTU.ipv4 : MIN_PATH_MTU.ipv6;
    const before = this.mtuTo(address, now);
    const lowered = Math.min(Math.max(mtu, floor), before);
    if (lowered === before) return before;
    const key = `${address}`;
    this.#paths.delete(key);
    if (this.#paths.size >= MAX_PATHS) this.#forgetOldest();
    this.#paths.set(key, { mtu: lowered, until: now + age });
    return lowered;
  }

  clear(): void {
    this.#paths.clear();
  }

  #find(key: string, now: Millis): Path | undefined {
    const path = this.#paths.get(key);
    if (path === undefined || now < path.until) return path;
    this.#paths.delete(key);
    return undefined;
  }

  #forgetOldest(): void {
    for (const key of this.#paths.keys()) {
      this.#paths.delete(key);
      return;
    }
  }
}
