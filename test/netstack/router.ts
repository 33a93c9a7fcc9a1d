import { checksumOf, sumBytes } from '../../src/netstack/checksum.ts';
import type { PairedTun } from '../sim/tun-pair.ts';
import { icmpError, TIME_EXCEEDED, TOO_BIG } from './icmp-error.ts';

/** One router on the way from left to right. */
export interface RouterSpec {
  /** What the link behind it takes. Default: everything. Unit: bytes. */
  readonly mtu?: number;
  /** The MTU that it names instead of the true one. */
  readonly names?: number;
  /** Whether it tells of what it drops. Default: `tells`. */
  readonly manner?: 'tells' | 'silent';
  /** Answers everything with this type and code instead of forwarding it. */
  readonly refuses?: number;
}

/**
 * Routers in a row: hop limits are counted down, packets that are too long for a link are refused,
 * and the sender is told by ICMP. Router `n` is 10.9.0.n and fd09::n; the way back is free.
 */
export class RouterPath {
  readonly #routers: readonly RouterSpec[];
  #sender: PairedTun | undefined;

  constructor(routers: readonly RouterSpec[]) {
    this.#routers = routers;
  }

  /** Where errors go: the end that sends. */
  attach(sender: PairedTun): void {
    this.#sender = sender;
  }

  /** For `tunPair`. */
  readonly filter = (packet: Buffer, from: 'left' | 'right'): Buffer | undefined => {
    if (from === 'right') return packet;
    const onItsWay = Buffer.from(packet);
    for (const [
      index,
      { mtu = Number.POSITIVE_INFINITY, manner, refuses, names },
    ] of this.#routers.entries()) {
      const family = (packet[0] ?? 0) >>> 4 === 4 ? 4 : 6;
      const tell = (typeAndCode: number, body = 0): undefined => {
        if (manner === 'silent') return;
        const [net, sender] = family === 4 ? ['10.9.0.', '10.8.0.1'] : ['fd09::', 'fd00::1'];
        const error = { typeAndCode, body, from: `${net}${index + 1}`, to: sender };
        this.#sender?.inject(icmpError(onItsWay, error));
      };
      if (refuses !== undefined) return tell(refuses);
      if (countDown(onItsWay, family) === 0) return tell(TIME_EXCEEDED[family]);
      if (packet.length > mtu && mayNotBeCut(packet, family))
        return tell(TOO_BIG[family], names ?? mtu);
    }
    return onItsWay;
  };
}

/** The hop limit that is left. */
function countDown(packet: Buffer, family: 4 | 6): number {
  const at = family === 4 ? 8 : 7;
  const left = packet.readUInt8(at) - 1;
  packet.writeUInt8(left, at);
  if (family === 4) {
    packet.writeUInt16BE(0, 10);
    packet.writeUInt16BE(checksumOf(sumBytes(packet, 0, 20)), 10);
  }
  return left;
}

function mayNotBeCut(packet: Buffer, family: 4 | 6): boolean {
  return family === 6 || (packet.readUInt16BE(6) & 0x4000) !== 0;
}
