import { Drop, type Millis } from '../../core/machine.ts';
import type { TcpConnection } from './connection.ts';
import { Flag, Segment, segmentIsIntact } from './segment.ts';
import type { TcpEvents } from './tcp-events.ts';

export const DEFAULT_BACKLOG = 128;

export interface TcpListenerOptions<Caller> {
  /** Most half-open connections, and most that wait for `accept`. Default: 128. */
  readonly backlog?: number;
  /**
   * Makes the connection for a caller and enters its flow; undefined refuses silently. The
   * listener calls the connection's `accept`.
   */
  readonly makeConnection: (caller: Caller, events: TcpEvents) => TcpConnection | undefined;
  /** A connection waits: call `accept`. */
  readonly onConnection: () => void;
}

/**
 * A port that waits for connections (LISTEN): two bounded queues.
 *
 *     SYN ─▶ half open ─ ACK of our SYN ─▶ open ─ accept() ─▶ the application
 *
 * A SYN that finds either queue full is dropped: its sender tries again. `Caller` is whatever the
 * owner needs to make a connection's path.
 */
export class TcpListener<Caller> {
  readonly #options: TcpListenerOptions<Caller>;
  readonly #backlog: number;
  readonly #segment = new Segment();
  readonly #halfOpen = new Set<TcpConnection>();
  #open: TcpConnection[] = [];
  #closed = false;

  constructor(options: TcpListenerOptions<Caller>) {
    this.#options = options;
    this.#backlog = options.backlog ?? DEFAULT_BACKLOG;
  }

  /** Connections whose handshake is under way. */
  get halfOpen(): number {
    return this.#halfOpen.size;
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
    caller: Caller,
    now: Millis,
  ): Drop {
    const segment = this.#segment;
    if (!segment.read(packet, tcpOffset, tcpLength)) return Drop.MALFORMED;
    if (!segmentIsIntact(packet, tcpOffset, tcpLength, pseudoHeaderSum)) return Drop.BAD_CHECKSUM;
    if (segment.has(Flag.RST)) return Drop.UNEXPECTED;
    if (segment.has(Flag.ACK) || this.#closed) return Drop.NO_SOCKET;
    if (!segment.has(Flag.SYN)) return Drop.UNEXPECTED;
    if (this.#halfOpen.size >= this.#backlog || this.#open.length >= this.#backlog) {
      return Drop.NO_ROOM;
    }
    const events = new HalfOpen(this.#opened, this.#forget);
    const connection = this.#options.makeConnection(caller, events);
    if (connection === undefined) return Drop.NO_ROOM;
    events.connection = connection;
    this.#halfOpen.add(connection);
    connection.accept(packet.subarray(0, tcpOffset + tcpLength), tcpOffset, now);
    return Drop.NONE;
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
    const ended = [...this.#halfOpen, ...this.#open];
    this.#halfOpen.clear();
    this.#open = [];
    for (const connection of ended) connection.abort();
  }

  readonly #opened = (connection: TcpConnection): void => {
    if (!this.#halfOpen.delete(connection)) return;
    this.#open.push(connection);
    this.#options.onConnection();
  };

  readonly #forget = (connection: TcpConnection): void => {
    this.#halfOpen.delete(connection);
    this.#open = this.#open.filter((other) => other !== connection);
  };
}

/** Hears of a connection until it is accepted. */
class HalfOpen implements TcpEvents {
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
