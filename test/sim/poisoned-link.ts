import type { LinkAddresses } from '../../src/networkio/link.ts';
import { SimLink } from './sim-link.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What buffers hold that nobody may look at any more. */
export const POISON = 0xdb;

/** So many of them in a row are no accident. */
export const POISON_RUN: Buffer = Buffer.alloc(8, POISON);

/**
 * An end of a line whose buffers are poison once they are used: what was sent when it is on its
 * way, what was received when the session has had its turn with it.
 */
export class PoisonedLink extends SimLink {
  readonly #clock: VirtualClock;

  /** @param transmit is given copies */
  constructor(clock: VirtualClock, addresses: LinkAddresses, transmit: (datagram: Buffer) => void) {
    super(addresses, (datagram) => {
      transmit(Buffer.from(datagram));
      clock.setImmediate(() => datagram.fill(POISON));
    });
    this.#clock = clock;
  }

  override deliver(datagram: Buffer): void {
    const own = Buffer.from(datagram);
    super.deliver(own);
    // The session's run was asked for by now, and comes first.
    this.#clock.setImmediate(() => own.fill(POISON));
  }
}
