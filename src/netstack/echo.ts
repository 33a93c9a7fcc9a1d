import type { Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import { type Carriage, ORDINARY } from './carriage.ts';
import { buildEchoRequest, ICMP_HEADER_BYTES, icmpProtocol } from './icmp.ts';
import type { IpAddress } from './ip-address.ts';
import { type IpHeader, MAX_PACKET_BYTES } from './ip-header.ts';
import { NetstackError } from './netstack-error.ts';
import type { UnreachableKind } from './unreachable.ts';

/** An answer to one of our echo requests. */
export interface EchoReply {
  readonly sequence: number;
  /** Length of the echoed payload. */
  readonly bytes: number;
  /** Hop limit that was left. */
  readonly ttl: number;
  readonly receivedAt: Millis;
  readonly from: IpAddress;
}

/** An error about one of our echo requests. */
export interface EchoUnreachable {
  readonly sequence: number;
  readonly kind: UnreachableKind;
  /** What a `too-big` error names. Unit: bytes. */
  readonly mtu: number;
  /** Who says so: a router on the way. */
  readonly from: IpAddress;
}

/** Who pings hears these, called directly. */
export interface EchoEvents {
  reply(reply: EchoReply): void;
  unreachable(error: EchoUnreachable): void;
}

/** Places a finished message for the network; false when there is no room. */
export type SendMessage = (
  packet: Buffer,
  protocol: number,
  source: IpAddress,
  destination: IpAddress,
  carriage: Carriage,
) => boolean;

/** Largest payload of an echo request. Unit: bytes. */
export const MAX_ECHO_BYTES: number = MAX_PACKET_BYTES - 20 - ICMP_HEADER_BYTES;

/** Sends echo requests to one address, under an identifier of its own. */
export class EchoClient {
  readonly remote: IpAddress;
  readonly events: EchoEvents;
  #local: IpAddress;
  readonly #identifier: number;
  readonly #clients: EchoClients;
  readonly #send: SendMessage;

  constructor(
    remote: IpAddress,
    local: IpAddress,
    identifier: number,
    events: EchoEvents,
    clients: EchoClients,
    send: SendMessage,
  ) {
    this.remote = remote;
    this.events = events;
    this.#local = local;
    this.#identifier = identifier;
    this.#clients = clients;
    this.#send = send;
  }

  /**
   * Sends one request, in fragments where it is larger than the MTU. One that finds no room is
   * lost, as in a full router.
   *
   * @param sequence 0 … 65,535
   * @param payloadBytes 0 … {@link MAX_ECHO_BYTES}
   * @throws NetstackError `EMSGSIZE` for a larger payload
   */
  send(sequence: number, payloadBytes: number, carriage: Carriage = ORDINARY): void {
    if (payloadBytes > MAX_ECHO_BYTES) {
      throw new NetstackError('EMSGSIZE', 'send', `${payloadBytes} bytes do not fit`);
    }
    if (this.#clients.of(this.#identifier) !== this) return;
    const payload = Buffer.alloc(payloadBytes, PATTERN);
    const packet = buildEchoRequest(
      this.#local,
      this.remote,
      this.#identifier,
      sequence & 0xffff,
      payload,
    );
    this.#send(packet, icmpProtocol(this.#local.family), this.#local, this.remote, carriage);
  }

  /** From which address it asks from now on. */
  set local(local: IpAddress) {
    this.#local = local;
  }

  /** Hears no more. May be called twice. */
  close(): void {
    this.#clients.remove(this.#identifier, this);
  }
}

/** Counting bytes, as `ping` sends them. */
const PATTERN = Buffer.from(Uint8Array.from({ length: 256 }, (_, index) => index));

/** The echo clients by identifier. */
export class EchoClients {
  readonly #random: RandomSource;
  readonly #send: SendMessage;
  readonly #clients = new Map<number, EchoClient>();

  constructor(random: RandomSource, send: SendMessage) {
    this.#random = random;
    this.#send = send;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** @throws NetstackError `ENOBUFS` when all identifiers are taken */
  open(remote: IpAddress, local: IpAddress, events: EchoEvents): EchoClient {
    if (this.#clients.size === IDENTIFIERS) {
      throw new NetstackError('ENOBUFS', 'connect', 'too many echo clients');
    }
    let identifier = this.#random.uint32() % IDENTIFIERS;
    while (this.#clients.has(identifier)) identifier = (identifier + 1) % IDENTIFIERS;
    const client = new EchoClient(remote, local, identifier, events, this, this.#send);
    this.#clients.set(identifier, client);
    return client;
  }

  /** Our addresses have changed; one that has none any more keeps asking from the old one, in vain. */
  followAddresses(sourceFor: (remote: IpAddress) => IpAddress | undefined): void {
    for (const client of this.#clients.values()) {
      const source = sourceFor(client.remote);
      if (source !== undefined) client.local = source;
    }
  }

  of(identifier: number): EchoClient | undefined {
    return this.#clients.get(identifier);
  }

  /** A reply came from where `header` says; false when nobody waits for it. */
  reply(identifier: number, sequence: number, header: IpHeader, now: Millis): boolean {
    const from = header.source();
    const client = this.#clients.get(identifier);
    if (!client?.remote.equals(from)) return false;
    client.events.reply({
      sequence,
      bytes: header.payloadLength - ICMP_HEADER_BYTES,
      ttl: header.hopLimit,
      receivedAt: now,
      from,
    });
    return true;
  }

  /** An error came about a request to `destination`; false when nobody sent it. */
  unreachable(identifier: number, destination: IpAddress, error: EchoUnreachable): boolean {
    const client = this.#clients.get(identifier);
    if (!client?.remote.equals(destination)) return false;
    client.events.unreachable(error);
    return true;
  }

  remove(identifier: number, client: EchoClient): void {
    if (this.#clients.get(identifier) === client) this.#clients.delete(identifier);
  }

  clear(): void {
    this.#clients.clear();
  }
}

const IDENTIFIERS = 0x1_0000;
