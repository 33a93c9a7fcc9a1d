import type { TcpConnection } from '../netstack/tcp/connection.ts';
import type { TcpEvents } from '../netstack/tcp/tcp-events.ts';
import { DnsFraming, framed } from './dns-framing.ts';
import type { DnsExchange, DnsExchangeEvents } from './dns-transport.ts';

/** A query and its answer over a TCP connection of their own (RFC 7766). */
export class DnsStream implements TcpEvents, DnsExchange {
  connection: TcpConnection | undefined;
  readonly #message: Buffer;
  readonly #events: DnsExchangeEvents;
  readonly #framing = new DnsFraming();
  #open = true;

  constructor(message: Buffer, events: DnsExchangeEvents) {
    this.#message = message;
    this.#events = events;
  }

  connected(): void {
    this.connection?.write(framed(this.#message));
  }

  readable(): void {
    for (;;) {
      const chunk = this.#open ? this.connection?.read() : undefined;
      if (chunk === undefined) break;
      this.#framing.push(chunk);
      this.#takeMessages();
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

  #takeMessages(): void {
    while (this.#open) {
      const message = this.#framing.take();
      if (message === undefined) return;
      this.#events.message(message);
    }
  }

  #fail(): void {
    if (!this.#open) return;
    this.#open = false;
    this.connection?.abort();
    this.#events.failed();
  }
}
