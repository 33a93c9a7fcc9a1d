import type { Clock } from '../../src/core/clock.ts';
import type { Link, LinkAddresses, LinkPort } from '../../src/networkio/link.ts';
import { LossyLink, type LossyLinkOptions } from './lossy-link.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What one direction does to datagrams; nothing by default. */
export interface LineOptions extends Omit<LossyLinkOptions<Buffer>, 'corrupt' | 'rate'> {
  /** Longer datagrams are lost. Unit: bytes. Default: none are. */
  readonly mtu?: number;
  /** A bottleneck with a queue in front that drops what does not fit. */
  readonly rate?: { readonly bytesPerMs: number; readonly queueBytes: number };
}

/**
 * One direction of a line: what is put in comes out at `deliver`, or does not. Without `options`
 * it comes out at once; otherwise as a copy that is the receiver's own.
 */
export function simLine(
  clock: Clock,
  seed: number,
  options: LineOptions | undefined,
  deliver: (datagram: Buffer) => void,
): (datagram: Buffer) => void {
  if (options === undefined) return deliver;
  const { mtu = Number.POSITIVE_INFINITY, rate, ...others } = options;
  const line = new LossyLink<Buffer>(
    clock,
    seed,
    { ...others, corrupt: flipBit, ...(rate && { rate: { ...rate, sizeOf: lengthOf } }) },
    (datagram) => deliver(Buffer.from(datagram)),
  );
  return (datagram) => {
    if (datagram.length <= mtu) line.send(datagram);
  };
}

/** One end of a simulated line, as the datagram {@link Link} of a session. */
export class SimLink implements Link {
  readonly protocol = 'udp';
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly writable = true;
  bytesRead = 0;
  bytesWritten = 0;
  overflows = 0;
  readonly #transmit: (datagram: Buffer) => void;
  #port: LinkPort | undefined;
  #waiting: Buffer[] = [];
  #closed = false;

  constructor(addresses: LinkAddresses, transmit: (datagram: Buffer) => void) {
    this.localAddress = addresses.localAddress;
    this.localPort = addresses.localPort;
    this.remoteAddress = addresses.remoteAddress;
    this.remotePort = addresses.remotePort;
    this.#transmit = transmit;
  }

  open(port: LinkPort): void {
    this.#port = port;
    for (const datagram of this.#waiting.splice(0)) this.deliver(datagram);
  }

  /** Gives a datagram from the line to the session, or keeps it until there is one. */
  deliver(datagram: Buffer): void {
    if (this.#closed) return;
    if (this.#port === undefined) {
      this.#waiting.push(datagram);
      return;
    }
    this.bytesRead += datagram.length;
    if (!this.#port.receive(datagram)) this.overflows += 1;
  }

  send(datagram: Buffer): void {
    if (this.#closed) return;
    this.bytesWritten += datagram.length;
    this.#transmit(datagram);
  }

  resume(): void {}

  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting = [];
  }
}

/** A copy with one bit changed, wherever it is. */
function flipBit(datagram: Buffer, random: SeededRandom): Buffer {
  const changed = Buffer.from(datagram);
  const bit = random.uint32() % (changed.length * 8);
  changed.writeUInt8(changed.readUInt8(bit >>> 3) ^ (1 << (bit & 7)), bit >>> 3);
  return changed;
}

function lengthOf(datagram: Buffer): number {
  return datagram.length;
}
