import { Drop, type Millis } from '../core/machine.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import {
  OCC_HEADER_BYTES,
  OccOpcode,
  occMessage,
  occNumberOf,
  occNumbers,
  occOpcodeOf,
} from './in-band-message.ts';
import type { OuterSizes } from './outer-sizes.ts';

/** Most answers in a second; what is asked beyond is dropped. */
export const OCC_ANSWERS_PER_SECOND = 4;

/** Most bytes of probes that the peer's own ones earn it. */
const MAX_CREDIT_BYTES = 65_536;

/**
 * Answers what the peer asks by OCC: the options string, the longest packets that passed, and probes
 * of a length, of which never more is sent than came. One answer waits at a time.
 */
export class OccAnswers {
  readonly #optionsString: string;
  readonly #sizes: OuterSizes;
  readonly #overheadBytes: number;
  readonly #maxOuterBytes: number;
  readonly #rate = new TokenBucket(OCC_ANSWERS_PER_SECOND);
  #credit = 0;
  #answer: Buffer | undefined;

  /**
   * @param optionsString ours; empty: there is none, and it is not told
   * @param overheadBytes what an outer packet has more than the payload in it
   * @param maxOuterBytes longest probe
   */
  constructor(
    optionsString: string,
    sizes: OuterSizes,
    overheadBytes: number,
    maxOuterBytes: number,
  ) {
    this.#optionsString = optionsString;
    this.#sizes = sizes;
    this.#overheadBytes = overheadBytes;
    this.#maxOuterBytes = maxOuterBytes;
  }

  /** @param outerBytes of the packet that `message` came in */
  receive(message: Buffer, outerBytes: number, now: Millis): Drop {
    this.#credit = Math.min(this.#credit + outerBytes, MAX_CREDIT_BYTES);
    const opcode = occOpcodeOf(message);
    if (opcode === OccOpcode.REQUEST) return this.#owe(this.#reply(), now);
    if (opcode === OccOpcode.MTU_REQUEST) return this.#owe(this.#sizesReply(), now);
    if (opcode !== OccOpcode.MTU_LOAD_REQUEST) return Drop.NONE;
    const asked = occNumberOf(message, 0);
    if (asked === undefined) return Drop.MALFORMED;
    const size = Math.min(asked, this.#maxOuterBytes);
    if (size > this.#credit) return Drop.RATE_LIMITED;
    const drop = this.#owe(probe(size, this.#overheadBytes), now);
    if (drop === Drop.NONE) this.#credit -= size;
    return drop;
  }

  /** The answer that is owed. */
  take(): Buffer | undefined {
    const answer = this.#answer;
    this.#answer = undefined;
    return answer;
  }

  #owe(answer: Buffer | undefined, now: Millis): Drop {
    if (answer === undefined) return Drop.NONE;
    if (!this.#rate.take(now)) return Drop.RATE_LIMITED;
    this.#answer = answer;
    return Drop.NONE;
  }

  #reply(): Buffer | undefined {
    if (this.#optionsString === '') return undefined;
    return Buffer.concat([occMessage(OccOpcode.REPLY), Buffer.from(`${this.#optionsString}\0`)]);
  }

  #sizesReply(): Buffer {
    return occNumbers(OccOpcode.MTU_REPLY, this.#sizes.received, this.#sizes.sent);
  }
}

/** A probe whose outer packet is `outerBytes` long, or as short as one can be. */
export function probe(outerBytes: number, overheadBytes: number): Buffer {
  const contentBytes = Math.max(outerBytes - overheadBytes - OCC_HEADER_BYTES, 0);
  return occMessage(OccOpcode.MTU_LOAD, contentBytes);
}
