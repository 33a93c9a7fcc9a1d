import type { Millis } from '../core/machine.ts';
import { OccOpcode, occMessage, occNumberOf, occNumbers, occOpcodeOf } from './in-band-message.ts';
import { probe } from './occ-answers.ts';
import type { OuterSizes } from './outer-sizes.ts';

/** Time between two probes. */
export const PROBE_INTERVAL_MS: Millis = 250;

/** How much shorter than the longest packet the probes are (occ.c), each tried twice both ways. */
const REDUCTIONS = [1000, 750, 500, 400, 300, 200, 150, 100, 50, 0];
const TRIES = 2;
/** How often the peer is asked what came. */
const QUESTIONS = 10;
/** No test begins with probes that are shorter. */
const MIN_PROBE_BYTES = 100;

/** What `mtu-test` found: the longest outer packets that were sent, and that arrived. Unit: bytes. */
export interface MtuTestResult {
  readonly toPeer: { readonly tried: number; readonly arrived: number };
  readonly fromPeer: { readonly tried: number; readonly arrived: number };
}

/**
 * `mtu-test`: sends probes of growing length, asks the peer for the same, and at last for the longest
 * that it sent and received.
 *
 *     probing ── all were sent ──▶ asking ── reply ──▶ done
 *                                     └── no reply to ten questions ──▶ done
 */
export class MtuTest {
  readonly #steps: readonly Buffer[];
  readonly #sizes: OuterSizes;
  #step = 0;
  /** The first message is due at once. */
  #dueAt: Millis = 0;
  #owed: Buffer | undefined;

  /**
   * @param longestBytes the longest outer packet that the tunnel would send
   * @param overheadBytes what an outer packet has more than the payload in it
   */
  constructor(longestBytes: number, overheadBytes: number, sizes: OuterSizes) {
    this.#steps = [
      ...probes(longestBytes, overheadBytes),
      ...new Array<Buffer>(QUESTIONS).fill(occMessage(OccOpcode.MTU_REQUEST)),
    ];
    this.#sizes = sizes;
  }

  /** `Infinity` once it is done. */
  nextTimeout(): Millis {
    return this.#dueAt;
  }

  /** Whether the peer left the last question unanswered; says so once. */
  onTimeout(now: Millis): boolean {
    if (now < this.#dueAt) return false;
    this.#owed = this.#steps[this.#step];
    this.#step += 1;
    const isOver = this.#owed === undefined;
    this.#dueAt = isOver ? Number.POSITIVE_INFINITY : now + PROBE_INTERVAL_MS;
    return isOver;
  }

  /** The message that is due. */
  take(): Buffer | undefined {
    const owed = this.#owed;
    this.#owed = undefined;
    return owed;
  }

  /** The result, if `message` is what was asked for. */
  receive(message: Buffer): MtuTestResult | undefined {
    if (this.#dueAt === Number.POSITIVE_INFINITY) return undefined;
    if (occOpcodeOf(message) !== OccOpcode.MTU_REPLY) return undefined;
    const arrived = occNumberOf(message, 0) ?? 0;
    const tried = occNumberOf(message, 1) ?? 0;
    if (arrived === 0 || tried === 0) return undefined;
    this.#dueAt = Number.POSITIVE_INFINITY;
    const { sent, received } = this.#sizes;
    return Object.freeze({
      toPeer: Object.freeze({ tried: sent, arrived }),
      fromPeer: Object.freeze({ tried, arrived: received }),
    });
  }
}

/** A line about what came of `mtu-test`. */
export function mtuTestText(result: MtuTestResult | undefined): string {
  if (result === undefined) return 'mtu-test: expected an answer of the peer, got none';
  const { toPeer, fromPeer } = result;
  return (
    `mtu-test: of ${toPeer.tried} bytes sent, ${toPeer.arrived} arrived; ` +
    `of ${fromPeer.tried} the peer sent, ${fromPeer.arrived} came (longest outer packets)`
  );
}

/** The probes in their order; what a peer sends of a length was paid for by one of ours. */
function* probes(longestBytes: number, overheadBytes: number): Generator<Buffer> {
  for (const reduction of REDUCTIONS) {
    const size = longestBytes - reduction;
    if (size < MIN_PROBE_BYTES) continue;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      yield probe(size, overheadBytes);
      yield occNumbers(OccOpcode.MTU_LOAD_REQUEST, size);
    }
  }
}
