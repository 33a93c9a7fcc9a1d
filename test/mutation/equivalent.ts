import type { Mutant, Verdict } from './mutant.ts';

/** A mutant that no test can notice, because it does the same; reviewed by a person. */
export interface Equivalent {
  readonly file: string;
  /** The whole condition in one line, before and after, as the report prints them. */
  readonly original: string;
  readonly mutated: string;
  /** Why nobody can tell the two apart. */
  readonly reason: string;
}

export const EQUIVALENTS: readonly Equivalent[] = [
  {
    file: 'src/datachannel/deferred-carrier.ts',
    original: 'moved < BATCH && !this.#opening.full && !this.#failed',
    mutated: 'moved <= BATCH && !this.#opening.full && !this.#failed',
    reason:
      'the queue is full by then, unless packets were refused: one more of them is taken a turn',
  },
  {
    file: 'src/datachannel/deferred-carrier.ts',
    original: 'moved < BATCH && !this.#sealing.full && !this.#failed && this.#channel.canSeal(now)',
    mutated: 'moved <= BATCH && !this.#sealing.full && !this.#failed && this.#channel.canSeal(now)',
    reason:
      'the queue is full by then, unless packets were refused: one more of them is taken a turn',
  },
  {
    file: 'src/datachannel/epoch-receiver.ts',
    original: 'ahead > 0',
    mutated: 'ahead >= 0',
    reason: 'the present epoch, 0 ahead, was found on the line before',
  },
  {
    file: 'src/datachannel/replay-window.ts',
    original: '(words - 1) * WORD_BITS < packets',
    mutated: '(words - 1) * WORD_BITS <= packets',
    reason: 'a ring of twice the length holds the same window',
  },
  {
    file: 'src/datachannel/replay-window.ts',
    original: 'id - this.#highest > this.#wordMask * WORD_BITS',
    mutated: 'id - this.#highest >= this.#wordMask * WORD_BITS',
    reason: 'the one word more that is cleared holds only ids that have left the window',
  },
  {
    file: 'src/packetmuxer/control-replay.ts',
    original: 'this.#highest - packetId >= this.#packets',
    mutated: 'this.#highest - packetId > this.#packets',
    reason: 'an id as far back as the window is long shares the slot of the highest one: seen',
  },
  {
    file: 'src/packetmuxer/dynamic-tls-crypt.ts',
    original: 'at < exported.length',
    mutated: 'at <= exported.length',
    reason: 'a byte behind the end of a buffer is written nowhere',
  },
  {
    file: 'src/packetmuxer/route.ts',
    original: 'packet.length > 0 && isData(opcodeOf(u8(packet, 0)))',
    mutated: 'packet.length >= 0 && isData(opcodeOf(u8(packet, 0)))',
    reason: 'the byte that an empty packet does not have counts as 0, which is no data opcode',
  },
  {
    file: 'src/tlsstate/certificate.ts',
    original: 'byte < 0x20 || byte === 0x7f || (!utf8 && byte > 0x7f)',
    mutated: 'byte < 0x20 || byte === 0x7f || (!utf8 && byte >= 0x7f)',
    reason: '0x7f is refused by the operand before it',
  },
];

/** Whether a person has found that the mutant does the same. */
export function isEquivalent(mutant: Mutant, list: readonly Equivalent[] = EQUIVALENTS): boolean {
  return list.some((entry) => isOf(entry, mutant));
}

/**
 * Entries that say nothing about a survivor any more: the condition is gone, or a test notices it.
 *
 * @param known every mutant there is in the files that were examined
 * @param verdicts what came of those that were run
 */
export function staleEntries(
  known: readonly Mutant[],
  verdicts: ReadonlyMap<Mutant, Verdict>,
  list: readonly Equivalent[] = EQUIVALENTS,
): Equivalent[] {
  const files = new Set(known.map(({ file }) => file));
  return list.filter((entry) => {
    if (!files.has(entry.file)) return false;
    const same = known.filter((mutant) => isOf(entry, mutant));
    const run = same.filter((mutant) => verdicts.has(mutant));
    if (run.length < same.length) return false;
    return run.every((mutant) => verdicts.get(mutant) !== 'survived');
  });
}

function isOf({ file, original, mutated }: Equivalent, mutant: Mutant): boolean {
  return file === mutant.file && original === mutant.original && mutated === mutant.mutated;
}
