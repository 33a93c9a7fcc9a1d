import { u8 } from '../core/bytes.ts';
import { Drop, type Millis } from '../core/machine.ts';
import { IpHeader } from './ip-header.ts';
import { parseIpv4 } from './ipv4.ts';
import { parseIpv6 } from './ipv6.ts';
import type { LocalAddresses } from './local-addresses.ts';
import { Reassembly } from './reassembly.ts';
import type { Responder } from './responder.ts';

/** Where a packet came from. */
export type Origin = 'tunnel' | 'loopback';

/** Checks IP headers and addresses, joins fragments, and tells senders what was wrong with them. */
export class IpInput {
  readonly reassembly: Reassembly;
  readonly #addresses: LocalAddresses;
  readonly #responder: Responder;
  readonly #expired = new IpHeader();

  constructor(addresses: LocalAddresses, responder: Responder) {
    this.#addresses = addresses;
    this.#responder = responder;
    this.reassembly = new Reassembly((first, now) => this.#reassemblyTimedOut(first, now));
  }

  /**
   * Gives the packet that is to be handled, with its headers in `header`; `Drop.NONE` when it is a
   * fragment that was kept, or why it was refused.
   */
  take(packet: Buffer, origin: Origin, header: IpHeader, now: Millis): Buffer | Drop {
    const drop = parseIp(packet, header);
    if (drop !== Drop.NONE && header.problem === undefined) return drop;
    if (origin === 'tunnel') {
      const refused = this.#addresses.checkFromTunnel(header);
      if (refused !== Drop.NONE) return refused;
    }
    if (drop !== Drop.NONE) return this.#refuse(drop, packet, header, now);
    return header.fragment ? this.#join(packet, header, now) : packet;
  }

  /** An error is never sent about a fragment. */
  #refuse(drop: Drop, packet: Buffer, header: IpHeader, now: Millis): Drop {
    const { problem, problemAt, fragment } = header;
    if (problem !== undefined && !fragment) {
      this.#responder.sendError(problem, problemAt, packet, header, now);
    }
    return drop;
  }

  /** Told only where the first fragment had come (RFC 1122 §3.3.2, RFC 8200 §4.5). */
  #reassemblyTimedOut(first: Buffer, now: Millis): void {
    const header = this.#expired;
    if (parseIp(first, header) !== Drop.NONE) return;
    this.#responder.sendError('reassembly-timed-out', 0, first, header, now);
  }

  #join(fragment: Buffer, header: IpHeader, now: Millis): Buffer | Drop {
    const whole = this.reassembly.add(fragment, header, now);
    if (typeof whole === 'number') return whole;
    const drop = parseIp(whole, header);
    if (drop !== Drop.NONE) return this.#refuse(drop, whole, header, now);
    return header.fragment ? Drop.MALFORMED : whole;
  }
}

function parseIp(packet: Buffer, header: IpHeader): Drop {
  if (packet.length === 0) return Drop.MALFORMED;
  const version = u8(packet, 0) >>> 4;
  if (version === 4) return parseIpv4(packet, header);
  return version === 6 ? parseIpv6(packet, header) : Drop.MALFORMED;
}
