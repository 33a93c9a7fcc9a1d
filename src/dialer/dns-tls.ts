import type { TLSSocket } from 'node:tls';
import { u16 } from '../core/bytes.ts';
import type { Cancel, Clock } from '../core/clock.ts';
import { DnsFraming, framed } from './dns-framing.ts';
import type { DnsSend } from './dns-query.ts';
import { type ConnectInside, connectSecurely, type DnsTrust } from './dns-secure.ts';
import type { DnsServer } from './dns-server.ts';
import type { DnsExchange, DnsExchangeEvents } from './dns-transport.ts';

/** How long a connection is kept without a question. Unit: milliseconds. */
export const SESSION_IDLE_MS = 10_000;

/** DNS over TLS (RFC 7858): one connection a server, for all questions that are on their way. */
export class DnsTls {
  readonly #connect: ConnectInside;
  readonly #trust: DnsTrust;
  readonly #clock: Clock;
  readonly #sessions = new Map<DnsServer, DnsTlsSession>();

  constructor(connect: ConnectInside, trust: DnsTrust, clock: Clock) {
    this.#connect = connect;
    this.#trust = trust;
    this.#clock = clock;
  }

  open({ server, message }: DnsSend, events: DnsExchangeEvents): DnsExchange {
    return this.#session(server).ask(message, events);
  }

  /** May be called twice. */
  close(): void {
    for (const session of [...this.#sessions.values()]) session.close();
  }

  #session(server: DnsServer): DnsTlsSession {
    const kept = this.#sessions.get(server);
    if (kept !== undefined) return kept;
    const socket = connectSecurely(this.#connect, server, this.#trust, 'dot');
    const session: DnsTlsSession = new DnsTlsSession(socket, this.#clock, (orphans) => {
      if (this.#sessions.get(server) === session) this.#sessions.delete(server);
      for (const orphan of orphans) this.#session(server).adopt(orphan);
    });
    this.#sessions.set(server, session);
    return session;
  }
}

/** A question on a connection. */
interface Asked {
  readonly message: Buffer;
  readonly events: DnsExchangeEvents;
  /** Where it waits; undefined once it is over. */
  session: DnsTlsSession | undefined;
}

/** One connection: questions go out at once, answers come in any order (RFC 7766 §6.2.1.1). */
class DnsTlsSession {
  readonly #socket: TLSSocket;
  readonly #clock: Clock;
  readonly #onGone: (orphans: readonly Asked[]) => void;
  readonly #framing = new DnsFraming();
  readonly #asked = new Set<Asked>();
  #secure = false;
  #answered = 0;
  #cancelIdle: Cancel = () => {};
  #error: Error | undefined;

  /** @param onGone gets the questions that deserve a fresh connection */
  constructor(socket: TLSSocket, clock: Clock, onGone: (orphans: readonly Asked[]) => void) {
    this.#socket = socket;
    this.#clock = clock;
    this.#onGone = onGone;
    socket.on('secureConnect', () => this.#onSecure());
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#onClose());
  }

  ask(message: Buffer, events: DnsExchangeEvents): DnsExchange {
    const asked: Asked = { message, events, session: this };
    this.adopt(asked);
    const before = this.#answered;
    return {
      close: () => {
        const { session } = asked;
        asked.session = undefined;
        if (session !== undefined) session.#forget(asked, before);
      },
    };
  }

  adopt(asked: Asked): void {
    asked.session = this;
    this.#cancelIdle();
    this.#asked.add(asked);
    if (this.#secure) this.#socket.write(framed(asked.message));
  }

  close(): void {
    this.#socket.destroy();
  }

  /** A connection that is open and told nothing meanwhile is dead: the next question gets another. */
  #forget(asked: Asked, answeredBefore: number): void {
    if (!this.#asked.delete(asked)) return;
    if (this.#secure && this.#answered === answeredBefore) this.#socket.destroy();
    this.#keepWhileIdle();
  }

  #keepWhileIdle(): void {
    if (this.#asked.size > 0 || this.#socket.destroyed) return;
    const until = this.#clock.now() + SESSION_IDLE_MS;
    this.#cancelIdle();
    this.#cancelIdle = this.#clock.setTimer(until, () => this.#socket.destroy());
  }

  #onSecure(): void {
    this.#secure = true;
    for (const { message } of this.#asked) this.#socket.write(framed(message));
  }

  #onData(chunk: Buffer): void {
    this.#framing.push(chunk);
    for (let message = this.#framing.take(); message; message = this.#framing.take()) {
      this.#onMessage(message);
    }
  }

  /** Ids may meet: whoever has this one looks whether the question is its own. */
  #onMessage(message: Buffer): void {
    this.#answered += 1;
    if (message.length < ID_BYTES) return;
    for (const { message: question, events } of [...this.#asked]) {
      if (u16(question, 0) === u16(message, 0)) events.message(message);
    }
  }

  /** The end of a connection that has answered is its server's thrift, not a failure. */
  #onClose(): void {
    this.#cancelIdle();
    const left = [...this.#asked];
    this.#asked.clear();
    const wasKept = this.#answered > 0 && this.#error === undefined;
    this.#onGone(wasKept ? left : []);
    if (wasKept) return;
    for (const asked of left) {
      asked.session = undefined;
      asked.events.failed(this.#error);
    }
  }
}

const ID_BYTES = 2;
