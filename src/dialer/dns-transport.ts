import { u16 } from '../core/bytes.ts';
import type { Netstack } from '../netstack/netstack.ts';
import { NetstackError } from '../netstack/netstack-error.ts';
import type { TcpConnection } from '../netstack/tcp/connection.ts';
import type { TcpEvents } from '../netstack/tcp/tcp-events.ts';
import type { DnsSend } from './dns-query.ts';

/** Who an exchange reports to; never from inside `open`. */
export interface DnsExchangeEvents {
  /** A message from the address and port that was asked, from nowhere else. */
  message(bytes: Buffer): void;
  /** The server cannot be reached. */
  failed(): void;
}

/** One question on its way. Nothing is reported after `close`. */
export interface DnsExchange {
  close(): void;
}

const LENGTH_BYTES = 2;

/** Carries DNS messages over the netstack, and over nothing else: a name never leaves the tunnel. */
export class DnsTransport {
  readonly #netstack: Netstack;

  constructor(netstack: Netstack) {
    this.#netstack = netstack;
  }

  /** Sends a query from a fresh random port; undefined when there is no way to its server. */
  open(send: DnsSend, events: DnsExchangeEvents): DnsExchange | undefined {
    try {
      return send.transport === 'udp' ? this.#openUdp(send, events) : this.#openTcp(send, events);
    } catch (error) {
      if (error instanceof NetstackError) return undefined;
      throw error;
    }
  }

  #openUdp({ server, message }: DnsSend, events: DnsExchangeEvents): DnsExchange {
    const { address, port } = server;
    const send = () => endpoint.send(message, address, port);
    let waiting = false;
    const endpoint = this.#netstack.openUdp(
      { family: address.family, remote: { address, port } },
      {
        datagram: (payload, from, fromPort) => {
          if (from.equals(address) && fromPort === port) events.message(payload);
        },
        failed: () => events.failed(),
        drained: () => {
          if (waiting) waiting = !send();
        },
      },
    );
    waiting = !send();
    return endpoint;
  }

  #openTcp({ server, message }: DnsSend, events: DnsExchangeEvents): DnsExchange {
    const stream = new DnsStream(message, events);
    stream.connection = this.#netstack.connectTcp(server.address, server.port, stream, {
      noDelay: true,
    });
    return stream;
  }
}

/** A query and its answer over TCP, each behind its length (RFC 7766 §8). */
class DnsStream implements TcpEvents, DnsExchange {
  connection: TcpConnection | undefined;
  readonly #message: Buffer;
  readonly #events: DnsExchangeEvents;
  #received: Buffer = Buffer.alloc(0);
  #open = true;

  constructor(message: Buffer, events: DnsExchangeEvents) {
    this.#message = message;
    this.#events = events;
  }

  connected(): void {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(this.#message.length);
    this.connection?.write(Buffer.concat([length, this.#message]));
  }

  readable(): void {
    for (;;) {
      const chunk = this.#open ? this.connection?.read() : undefined;
      if (chunk === undefined) break;
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#takeMessage();
    }
    if (this.connection?.ended) this.#fail();
  }

  writable(): void {}

  closed(): void {
    this.#fail();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.connection?.abort();
  }

  #takeMessage(): void {
    if (this.#received.length < LENGTH_BYTES) return;
    const end = LENGTH_BYTES + u16(this.#received, 0);
    if (this.#received.length < end) return;
    const message = this.#received.subarray(LENGTH_BYTES, end);
    this.#received = this.#received.subarray(end);
    this.#events.message(message);
  }

  #fail(): void {
    if (!this.#open) return;
    this.#open = false;
    this.connection?.abort();
    this.#events.failed();
  }
}
