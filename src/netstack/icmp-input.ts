import { Drop, type Millis } from '../core/machine.ts';
import type { EchoClients } from './echo.ts';
import {
  checkIcmp,
  echoIdentifier,
  echoSequence,
  icmpMessage,
  icmpProtocol,
  namedMtu,
  unreachableKind,
} from './icmp.ts';
import { IpHeader, IpProtocol } from './ip-header.ts';
import { parseQuoted } from './quoted-packet.ts';
import type { Responder } from './responder.ts';
import type { TcpTable } from './tcp-table.ts';
import type { UdpTable } from './udp-table.ts';
import type { UnreachableKind } from './unreachable.ts';

/** To whom ICMP messages go. */
export interface IcmpReceivers {
  readonly tcp: TcpTable;
  readonly udp: UdpTable;
  readonly echo: EchoClients;
  readonly responder: Responder;
}

/**
 * Takes ICMP and ICMPv6 messages. An error is believed only as far as the packet that it quotes
 * is one of ours: the flow must live, and TCP checks the sequence number too (RFC 5927).
 */
export class IcmpInput {
  readonly #receivers: IcmpReceivers;
  readonly #quoted = new IpHeader();

  constructor(receivers: IcmpReceivers) {
    this.#receivers = receivers;
  }

  fromBelow(packet: Buffer, header: IpHeader, now: Millis): Drop {
    const drop = checkIcmp(packet, header);
    if (drop !== Drop.NONE) return drop;
    switch (icmpMessage(packet, header)) {
      case 'echo-request':
        return this.#receivers.responder.echo(packet, header, now);
      case 'echo-reply':
        return this.#echoReply(packet, header, now);
      case 'error':
        return this.#error(packet, header, now);
      case 'other':
        return Drop.UNEXPECTED;
    }
  }

  #echoReply(packet: Buffer, header: IpHeader, now: Millis): Drop {
    const identifier = echoIdentifier(packet, header);
    const sequence = echoSequence(packet, header);
    const awaited = this.#receivers.echo.reply(identifier, sequence, header, now);
    return awaited ? Drop.NONE : Drop.NO_SOCKET;
  }

  #error(packet: Buffer, header: IpHeader, now: Millis): Drop {
    const quoted = this.#quoted;
    const kind = unreachableKind(packet, header);
    if (kind === undefined) return Drop.UNEXPECTED;
    if (!parseQuoted(packet, header, quoted)) return Drop.MALFORMED;
    if (quoted.protocol === IpProtocol.TCP) {
      return this.#receivers.tcp.icmpError(kind, namedMtu(packet, header), packet, quoted, now);
    }
    if (quoted.protocol === IpProtocol.UDP) {
      const error = { kind, mtu: namedMtu(packet, header), from: header.source() };
      return this.#receivers.udp.icmpError(error, packet, quoted, now);
    }
    if (quoted.protocol === icmpProtocol(header.family)) {
      return this.#echoError(kind, packet, header);
    }
    return Drop.NO_SOCKET;
  }

  #echoError(kind: UnreachableKind, packet: Buffer, header: IpHeader): Drop {
    const quoted = this.#quoted;
    if (icmpMessage(packet, quoted) !== 'echo-request') return Drop.NO_SOCKET;
    const sequence = echoSequence(packet, quoted);
    const error = { sequence, kind, mtu: namedMtu(packet, header), from: header.source() };
    const identifier = echoIdentifier(packet, quoted);
    const known = this.#receivers.echo.unreachable(identifier, quoted.destination(), error);
    return known ? Drop.NONE : Drop.NO_SOCKET;
  }
}
