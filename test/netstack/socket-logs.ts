import type { EchoReply, EchoUnreachable } from '../../src/netstack/echo.ts';
import { IpProtocol } from '../../src/netstack/ip-header.ts';
import { writeIpv4 } from '../../src/netstack/ipv4.ts';
import { writeIpv6 } from '../../src/netstack/ipv6.ts';
import { NetstackError } from '../../src/netstack/netstack-error.ts';
import { buildUdp } from '../../src/netstack/udp.ts';
import type { UdpEvents, UdpFailure } from '../../src/netstack/udp-endpoint.ts';
import { address } from '../sim/netstack-pair.ts';

/** The two ends of a `NetstackPair`, for suites that run over both families. */
export const FAMILIES = [
  { family: 4, left: '10.8.0.1', right: '10.8.0.2', loopback: '127.0.0.1', headerBytes: 20 },
  { family: 6, left: 'fd00::1', right: 'fd00::2', loopback: '::1', headerBytes: 40 },
] as const;

/** Keeps what a UDP endpoint hears. */
export class UdpLog implements UdpEvents {
  readonly received: { payload: Buffer; from: string; port: number }[] = [];
  readonly failures: UdpFailure[] = [];
  drains = 0;

  datagram(payload: Buffer, from: { toString(): string }, port: number): void {
    this.received.push({ payload, from: String(from), port });
  }

  failed(error: UdpFailure): void {
    this.failures.push(error);
  }

  drained(): void {
    this.drains += 1;
  }
}

/** Keeps what an echo client hears. */
export class EchoLog {
  readonly replies: EchoReply[] = [];
  readonly errors: EchoUnreachable[] = [];

  reply(reply: EchoReply): void {
    this.replies.push(reply);
  }

  unreachable(error: EchoUnreachable): void {
    this.errors.push(error);
  }
}

/** Puts an IP header in front of `packet`, built with room for it. */
export function ip(packet: Buffer, protocol: number, from: string, to: string): Buffer {
  const [source, destination] = [address(from), address(to)];
  if (source.family === 4) writeIpv4(packet, protocol, source, destination, 7, 0);
  else writeIpv6(packet, protocol, source, destination, 0);
  return packet;
}

/** A datagram as an IP packet. */
export function udpPacket(
  from: string,
  fromPort: number,
  to: string,
  toPort: number,
  text = 'x',
): Buffer {
  const packet = buildUdp(address(from), fromPort, address(to), toPort, Buffer.from(text));
  return ip(packet, IpProtocol.UDP, from, to);
}

/** The code of the {@link NetstackError} that `action` throws; `nothing` when it does not throw. */
export function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof NetstackError) return error.code;
    throw error;
  }
  return 'nothing';
}
