import { Drop, type Millis } from '../../core/machine.ts';
import type { FlowKey } from '../flow-key.ts';
import type { SynQueue } from '../syn-queue.ts';
import type { TcpConnection } from './connection.ts';
import type { HalfOpen } from './half-open.ts';
import { Flag, Segment, segmentIsIntact } from './segment.ts';
import type { TcpEvents } from './tcp-events.ts';

export const DEFAULT_BACKLOG = 128;

export interface TcpListenerOptions {
  /** Most connections that wait for `accept`. Default: 128. */
  readonly backlog?: number;
  /** Where callers wait for the end of the handshake; one for all ports. */
  readonly callers: SynQueue;
  /**
   * Makes the connection for a caller whose handshake ends and enters its flow; undefined refuses
   * silently. The listener calls the connection's `resume`.
   */
  readonly makeConnection: (
    key: FlowKey,
    events: TcpEvents,
    handshake: HalfOpen,
  ) => TcpConnection | undefined;
  /** A connection waits: call `accept`. */
  readonly onConnection: () => void;
}

/**
 * A port that waits for connections (LISTEN): two bounded queues.
 *
 *     SYN ─▶ half open ─ ACK of our SYN ─▶ open ─ accept() ─▶ the application
 *
 * What is half open is no connection yet, and the oldest makes room. While as many connections
 * wait as may, SYNs and the last segments of handshakes are dropped: their senders try again. SYNs
 * are, too, while there is no memory left for what their senders would send.
 */
export class TcpListener {
  readonly #options: TcpListenerOptions;
  readonly #backlog: number;
  readonly #segment = new Segment();
  #open: TcpConnection[] = [];
  #closed = false;

  constructor(options: TcpListenerOptions) {
    this.#options = options;
    this.#backlog = options.backlog ?? DEFAULT_BACKLOG;
  }

  /** Connections that wait for `accept`. */
  get waiting(): number {
    return this.#open.length;
  }

  /**
   * Takes a segment to the port that belongs to no connection. `NO_SOCKET` asks for a RST
   * ({@link resetFor}).
   */
  fromBelow(
    packet: Buffer,
    tcpOffset: number,
    tcpLength: number,
    pseudoHeaderSum: number,
    key: FlowKey,
    now: Millis,
  ): Drop {
    const segment = this.#segment;
    const { callers } = this.#options;
    if (!segment.read(packet, tcpOffset, tcpLength)) return Drop.MALFORMED;
    if (!segmentIsIntact(packet, tcpOffset, tcpLength, pseudoHeaderSum)) return Drop.BAD_CHECKSUM;
    if (!callers.has(key)) return this.#firstSegment(segment, key, now);
    const drop = callers.fromBelow(key, segment, now);
    if (drop !== undefined) return drop;
    const connection = this.#connect(key, now);
    return connection === undefined
      ? Drop.NO_ROOM
      : connection.fromBelow(packet, tcpOffset, tcpLength, now);
  }

  /** The oldest open connection; from now on `events` hears of it. Ask it for data at once. */
  accept(events: TcpEvents): TcpConnection | undefined {
    const connection = this.#open.shift();
    if (connection !== undefined) connection.events = events;
    return connection;
  }

  /** Takes no more connections, and aborts those that were not accepted. May be called twice. */
  close(): void {
    this.#closed = true;
    const ended = this.#open;
    this.#open = [];
    for (const connection of ended) {
      connection.abort();
      connection.close();
    }
  }

  /** A segment of somebody unknown (RFC 9293 §3.10.7.2). */
  #firstSegment(segment: Segment, key: FlowKey, now: Millis): Drop {
    if (segment.has(Flag.RST)) return Drop.UNEXPECTED;
    if (segment.has(Flag.ACK) || this.#closed) return Drop.NO_SOCKET;
    if (!segment.has(Flag.SYN)) return Drop.UNEXPECTED;
    if (this.#full) return Drop.NO_ROOM;
    return this.#options.callers.add(key, segment, now);
  }

  /** The segment that ends the handshake is here: makes the connection, if there is room. */
  #connect(key: FlowKey, now: Millis): TcpConnection | undefined {
    const { callers, makeConnection } = this.#options;
    const handshake = this.#full ? undefined : callers.peek(key, now);
    if (handshake === undefined) return undefined;
    const events = new Unaccepted(this.#opened, this.#forget);
    const connection = makeConnection(key, events, handshake);
    if (connection === undefined) return undefined;
    callers.remove(key);
    events.connection = connection;
    connection.resume(handshake, now);
    return connection;
  }

  get #full(): boolean {
    return this.#open.length >= this.#backlog;
  }

  readonly #opened = (connection: TcpConnection): void => {
    this.#open.push(connection);
    this.#options.onConnection();
  };

  readonly #forget = (connection: TcpConnection): void => {
    this.#open = this.#open.filter((other) => other !== connection);
    // Nobody will read what it received.
    connection.close();
  };
}

/** Hears of a connection until it is accepted. */
class Unaccepted implements TcpEvents {
  connection: TcpConnection | undefined = undefined;
  readonly #opened: (connection: TcpConnection) => void;
  readonly #forget: (connection: TcpConnection) => void;

  constructor(
    opened: (connection: TcpConnection) => void,
    forget: (connection: TcpConnection) => void,
  ) {
    this.#opened = opened;
    this.#forget = forget;
  }

  connected(): void {
    if (this.connection !== undefined) this.#opened(this.connection);
  }

  /** Data may wait; whoever accepts the connection reads it. */
  readable(): void {}

  writable(): void {}

  closed(): void {
    if (this.connection !== undefined) this.#forget(this.connection);
  }
}
