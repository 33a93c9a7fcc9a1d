import type { Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import type { Netstack } from '../netstack/netstack.ts';
import { NetstackError } from '../netstack/netstack-error.ts';
import { DnsHttps } from './dns-https.ts';
import type { DnsSend } from './dns-query.ts';
import type { DnsTrust } from './dns-secure.ts';
import { DnsStream } from './dns-stream.ts';
import { DnsTls } from './dns-tls.ts';
import type { TunConnectOptions } from './tun-socket-options.ts';

/** Who an exchange reports to; never from inside `open`. */
export interface DnsExchangeEvents {
  /** A message from the address and port that was asked, from nowhere else. */
  message(bytes: Buffer): void;
  /** The server cannot be reached; `cause` where more is known, such as a wrong certificate. */
  failed(cause?: Error): void;
}

/** One question on its way. Nothing is reported after `close`. */
export interface DnsExchange {
  close(): void;
}

export interface DnsTransportParts {
  readonly netstack: Netstack;
  readonly clock: Clock;
  /** Opens a socket inside the tunnel, to an address. */
  readonly connect: (options: TunConnectOptions) => Socket;
  /** Whom DoT and DoH servers are believed by. */
  readonly trust: DnsTrust;
}

/** Carries DNS messages over the netstack, and over nothing else: a name never leaves the tunnel. */
export class DnsTransport {
  readonly #netstack: Netstack;
  readonly #tls: DnsTls;
  readonly #https: DnsHttps;

  constructor({ netstack, clock, connect, trust }: DnsTransportParts) {
    this.#netstack = netstack;
    this.#tls = new DnsTls(connect, trust, clock);
    this.#https = new DnsHttps(connect, trust);
  }

  /**
   * Sends a query: over UDP and TCP from a fresh random port, over TLS and HTTPS on a connection
   * that is kept for a while. Undefined when there is no way to its server.
   */
  open(send: DnsSend, events: DnsExchangeEvents): DnsExchange | undefined {
    try {
      switch (send.carrier) {
        case 'udp':
          return this.#openUdp(send, events);
        case 'tcp':
          return this.#openTcp(send, events);
        case 'tls':
          return this.#tls.open(send, events);
        case 'https':
          return this.#https.open(send, events);
      }
    } catch (error) {
      if (error instanceof NetstackError) return undefined;
      throw error;
    }
  }

  /** Closes the connections that were kept. May be called twice. */
  close(): void {
    this.#tls.close();
    this.#https.close();
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
