import { u8 } from '../core/bytes.ts';
import { Drop, type Millis } from '../core/machine.ts';
import type { IpHeader } from './ip-header.ts';
import { parseIpv4 } from './ipv4.ts';
import { parseIpv6 } from './ipv6.ts';
import type { LocalAddresses } from './local-addresses.ts';
import { Reassembly } from './reassembly.ts';

/** Where a packet came from. */
export type Origin = 'tunnel' | 'loopback';

/** Checks IP headers and addresses, and joins fragments. */
export class IpInput {
  readonly reassembly: Reassembly = new Reassembly();
  readonly #addresses: LocalAddresses;

  constructor(addresses: LocalAddresses) {
    this.#addresses = addresses;
  }

  /**
   * Gives the packet that is to be handled, with its headers in `header`; `Drop.NONE` when it is a
   * fragment that was kept, or why it was refused.
   */
  take(packet: Buffer, origin: Origin, header: IpHeader, now: Millis): Buffer | Drop {
    const drop = parseIp(packet, header);
    if (drop !== Drop.NONE) return drop;
    if (origin === 'tunnel') {
      const refused = this.#addresses.checkFromTunnel(header);
      if (refused !== Drop.NONE) return refused;
    }
    return header.fragment ? this.#join(packet, header, now) : packet;
  }

  #join(fragment: Buffer, header: IpHeader, now: Millis): Buffer | Drop {
    const whole = this.reassembly.add(fragment, header, now);
    if (typeof whole === 'number') return whole;
    const drop = parseIp(whole, header);
    if (drop !== Drop.NONE) return drop;
    return header.fragment ? Drop.MALFORMED : whole;
  }
}

function parseIp(packet: Buffer, header: IpHeader): Drop {
  if (packet.length === 0) return Drop.MALFORMED;
  const version = u8(packet, 0) >>> 4;
  if (version === 4) return parseIpv4(packet, header);
  return version === 6 ? parseIpv6(packet, header) : Drop.MALFORMED;
}
