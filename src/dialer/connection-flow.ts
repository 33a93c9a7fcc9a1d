import type { Duplex } from 'node:stream';
import type { TcpEvents, TcpFailure } from '../netstack/tcp/tcp-events.ts';
import { copyJoined } from './copy-joined.ts';
import type { StreamConnection } from './host-connection.ts';
import { readJoined } from './read-joined.ts';

export type WriteCallback = (error?: Error | null) => void;

/** What a flow tells the stream it belongs to. */
export interface FlowEvents {
  /** Bytes went either way. */
  moved(): void;
  /** The connection is gone; what had arrived is pushed. */
  closed(failure: TcpFailure | undefined): void;
}

/**
 * Moves bytes between a stream and its TCP connection, both ways with back-pressure: it takes from
 * the connection only what the stream wants, so that the rest closes the peer's window, and it
 * calls a write back only once the connection has room for more.
 *
 * The connection's events come from inside the pump. They are handled on the next tick: code of
 * the user must not run in the pump, it might throw.
 */
export class ConnectionFlow {
  readonly #stream: Duplex;
  readonly #events: FlowEvents;
  #connection: StreamConnection | undefined;
  #opened = false;
  #wanted = false;
  #pullScheduled = false;
  #pushedEnd = false;
  #unwritten: readonly Buffer[] = NOTHING;
  #onWritten: WriteCallback | undefined;
  #bytesRead = 0;
  #bytesTaken = 0;
  /** What the connection has taken while the stream still counts it as waiting. */
  #bytesHeld = 0;

  constructor(stream: Duplex, events: FlowEvents) {
    this.#stream = stream;
    this.#events = events;
  }

  get connection(): StreamConnection | undefined {
    return this.#connection;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** What was given to the connection or waits for it. */
  get bytesWritten(): number {
    return this.#bytesTaken + this.#stream.writableLength - this.#bytesHeld;
  }

  /** Takes a connection, from which nothing flows before `open`; gives who hears of it. */
  attach(connection: StreamConnection): TcpEvents {
    this.#connection = connection;
    return {
      connected: () => {},
      readable: () => this.#schedulePull(),
      writable: () => process.nextTick(() => this.#written(null)),
      closed: (failure) =>
        process.nextTick(() => {
          this.#pull();
          this.#events.closed(failure);
        }),
    };
  }

  open(): void {
    this.#opened = true;
    this.#give();
    this.#pull();
  }

  /** The stream wants to read. */
  read(): void {
    this.#wanted = true;
    this.#pull();
  }

  /** The stream wants to write, and waits for `callback`. */
  write(chunks: readonly Buffer[], callback: WriteCallback): void {
    this.#unwritten = chunks;
    this.#onWritten = callback;
    this.#give();
  }

  /** Sends our end behind what was written. */
  end(): void {
    this.#connection?.shutdown();
  }

  /** The stream is gone: RST if it left something unread, else FIN. */
  close(error: Error | null): void {
    this.#connection?.close();
    process.nextTick(() => this.#written(error));
  }

  #schedulePull(): void {
    if (this.#pullScheduled) return;
    this.#pullScheduled = true;
    process.nextTick(() => {
      this.#pullScheduled = false;
      this.#pull();
    });
  }

  #pull(): void {
    const connection = this.#connection;
    if (connection === undefined || !this.#opened) return;
    while (this.#wanted && !this.#stream.destroyed) {
      const chunks = readJoined(connection);
      if (chunks.length === 0) break;
      this.#wanted = false;
      this.#events.moved();
      for (const chunk of chunks) {
        this.#bytesRead += chunk.length;
        if (this.#stream.push(chunk)) this.#wanted = true;
      }
    }
    if (!connection.ended || !this.#wanted || this.#pushedEnd) return;
    this.#pushedEnd = true;
    this.#stream.push(null);
  }

  #give(): void {
    const connection = this.#connection;
    if (connection === undefined || !this.#opened || this.#onWritten === undefined) return;
    let room = true;
    for (const chunk of copyJoined(this.#unwritten)) {
      room = connection.write(chunk);
      this.#bytesTaken += chunk.length;
      this.#bytesHeld += chunk.length;
    }
    this.#unwritten = NOTHING;
    this.#events.moved();
    if (room) this.#written(null);
  }

  #written(error: Error | null): void {
    const callback = this.#onWritten;
    this.#onWritten = undefined;
    this.#bytesHeld = 0;
    callback?.(error);
  }
}

const NOTHING: readonly Buffer[] = [];
