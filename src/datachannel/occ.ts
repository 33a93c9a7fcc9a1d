import { Drop, type Millis } from '../core/machine.ts';
import type { DataChannelEvent } from './data-channel-event.ts';
import { MtuTest } from './mtu-test.ts';
import { OccAnswers } from './occ-answers.ts';
import type { OuterSizes } from './outer-sizes.ts';

const NEVER: Millis = Number.POSITIVE_INFINITY;

/** What an {@link Occ} is made from. */
export interface OccOptions {
  /** Ours; empty: it is not told. */
  readonly optionsString: string;
  readonly sizes: OuterSizes;
  /** What an outer packet has more than the payload in it. */
  readonly overheadBytes: number;
  /** Largest IP packet. */
  readonly mtu: number;
  /** Whether to look how long packets may get. */
  readonly tests: boolean;
}

/** The OCC messages of a session, but for its exits: answers to the peer, and a test of our own. */
export class Occ {
  readonly #answers: OccAnswers;
  readonly #test: MtuTest | undefined;
  #event: DataChannelEvent | undefined;

  constructor({ optionsString, sizes, overheadBytes, mtu, tests }: OccOptions) {
    const longest = mtu + overheadBytes;
    this.#answers = new OccAnswers(optionsString, sizes, overheadBytes, longest);
    this.#test = tests ? new MtuTest(longest, overheadBytes, sizes) : undefined;
  }

  /** @param outerBytes of the packet that `message` came in */
  receive(message: Buffer, outerBytes: number, now: Millis): Drop {
    const result = this.#test?.receive(message);
    if (result === undefined) return this.#answers.receive(message, outerBytes, now);
    this.#event = { kind: 'mtu-tested', result };
    return Drop.NONE;
  }

  /** The next message that is owed. */
  take(): Buffer | undefined {
    return this.#answers.take() ?? this.#test?.take();
  }

  /** What became of the test; told once. */
  takeEvent(): DataChannelEvent | undefined {
    const event = this.#event;
    this.#event = undefined;
    return event;
  }

  nextTimeout(): Millis {
    return this.#test?.nextTimeout() ?? NEVER;
  }

  onTimeout(now: Millis): void {
    if (this.#test?.onTimeout(now)) this.#event = { kind: 'mtu-tested', result: undefined };
  }
}
