import type { Millis } from '../core/machine.ts';
import type { Carriage } from '../netstack/carriage.ts';
import { ICMP_HEADER_BYTES } from '../netstack/icmp.ts';
import { HOP_LIMIT } from '../netstack/ip-header.ts';
import { ipHeaderBytes } from '../netstack/ip-output.ts';
import { MIN_PATH_MTU } from '../netstack/path-mtu.ts';
import type { UnreachableKind } from '../netstack/unreachable.ts';
import { Probing } from './probing.ts';
import { SocketError, UDP_FAILURE_CODES } from './socket-error.ts';
import type { TunnelScope } from './tunnel-scope.ts';

/** All times in milliseconds. */
export interface PathMtuOptions {
  /** Which addresses of a name to take. Default: any. */
  readonly family?: 0 | 4 | 6 | undefined;
  /** How long each probe may take. Default: 1,000. */
  readonly timeoutMs?: Millis | undefined;
  /** How many probes of one size must be lost before it counts as too large. Default: 3. */
  readonly attempts?: number | undefined;
  /** Ends the search with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What a search found. */
export interface PathMtu {
  /** The address that was probed. */
  readonly address: string;
  /** Largest packet that arrives and comes back. Unit: bytes, IP header included. */
  readonly mtu: number;
  /** What it means, and what to do; undefined when the whole path takes what the tunnel takes. */
  readonly hint: string | undefined;
}

/**
 * Finds the largest packet that reaches `host` uncut: echo requests that nobody may fragment,
 * between the least MTU of the family and the tunnel's. What a router says about its next link is
 * tried at once; where nothing is said, the range is halved.
 *
 * @throws DnsError; SocketError `ETIMEDOUT` when the host answers no echo request at all,
 *   `EHOSTUNREACH` and the like when a router says so, `ENETUNREACH`, `ENETDOWN`; OvpnError
 *   `OVPN_ABORTED`
 */
export async function searchPathMtu(
  scope: TunnelScope,
  host: string,
  options: PathMtuOptions = {},
): Promise<PathMtu> {
  const { family = 0, timeoutMs = 1000, attempts = 3, signal } = options;
  const target = { syscall: 'path-mtu', host, method: 'icmp', family, timeoutMs, signal } as const;
  const probing = await Probing.of(scope, target);
  try {
    const linkMtu = scope.netstack.mtu;
    const search = new Search(probing, linkMtu, Math.max(attempts, 1));
    const mtu = await search.run();
    const address = probing.remote.toString();
    return { address, mtu, hint: hintFor(mtu, linkMtu, search.silent) };
  } finally {
    probing.close();
  }
}

class Search {
  /** Whether larger packets vanished without a word. */
  silent = false;
  readonly #probing: Probing;
  readonly #headerBytes: number;
  readonly #attempts: number;
  readonly #linkMtu: number;
  readonly #floor: number;

  constructor(probing: Probing, linkMtu: number, attempts: number) {
    const { family } = probing.remote;
    const least = family === 4 ? MIN_PATH_MTU.ipv4 : MIN_PATH_MTU.ipv6;
    this.#probing = probing;
    this.#headerBytes = ipHeaderBytes(family) + ICMP_HEADER_BYTES;
    this.#attempts = attempts;
    this.#linkMtu = linkMtu;
    this.#floor = Math.min(least, linkMtu);
  }

  /** From `low`, which arrives, up to `high`, above which nothing does. */
  async run(): Promise<number> {
    let low = this.#floor;
    let high = this.#linkMtu;
    await this.#expectAnswer(low);
    let size = high;
    while (low < high) {
      const limit = await this.#try(size);
      if (limit >= size) low = size;
      else high = limit;
      // What a router named is tried as it is; else the middle.
      size = limit < size - 1 && limit > low ? limit : Math.ceil((low + high) / 2);
    }
    return low;
  }

  /** Without an answer to the least size nothing can be said of larger ones. */
  async #expectAnswer(size: number): Promise<void> {
    if ((await this.#try(size)) >= size) return;
    const address = this.#probing.remote.toString();
    throw new SocketError('ETIMEDOUT', 'path-mtu', { address, hint: 'no echo reply' });
  }

  /** `size` when it arrives; else the largest size that still may. */
  async #try(size: number): Promise<number> {
    for (let attempt = 0; attempt < this.#attempts; attempt += 1) {
      const { prober } = this.#probing;
      const { reason, mtu } = await prober.probe(size - this.#headerBytes, UNCUT);
      if (reason === 'reply') return size;
      if (reason === 'timed-out') continue;
      if (reason !== 'too-big') throw this.#unreachable(reason);
      this.silent = false;
      // A router that names no MTU that can be (RFC 1191 §3) says only that this is too large.
      return mtu < size && mtu >= this.#floor ? mtu : size - 1;
    }
    this.silent = true;
    return size - 1;
  }

  #unreachable(kind: UnreachableKind): SocketError {
    const address = this.#probing.remote.toString();
    return new SocketError(UDP_FAILURE_CODES[kind], 'path-mtu', { address, hint: kind });
  }
}

function hintFor(mtu: number, linkMtu: number, silent: boolean): string | undefined {
  if (mtu >= linkMtu) return undefined;
  const how = silent ? 'vanish without a word' : 'are refused by a router';
  return `packets over ${mtu} bytes ${how}: tun-mtu ${mtu}, or mssfix for TCP alone`;
}

/** Over IPv4 with Don't Fragment; over IPv6 routers never cut. */
const UNCUT: Carriage = { hopLimit: HOP_LIMIT, fragments: 'forbidden' };
