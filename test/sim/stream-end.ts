import { createHash } from 'node:crypto';
import type { TcpConnection } from '../../src/netstack/tcp/connection.ts';
import type { TcpEvents, TcpFailure } from '../../src/netstack/tcp/tcp-events.ts';

const CHUNK_BYTES = 65_536;

/**
 * The application at one end of a TCP connection: sends so many bytes of a pattern and then FIN,
 * reads and hashes all that comes, and closes when the peer has.
 */
export class StreamEnd implements TcpEvents {
  connection: TcpConnection | undefined;
  receivedBytes = 0;
  connects = 0;
  ended = false;
  /** How often `closed` came, and what it said. */
  readonly closings: (TcpFailure | undefined)[] = [];
  readonly #hash = createHash('sha256');
  readonly #pattern: Buffer;
  #left: number;

  constructor(sendBytes: number, fill = 0) {
    this.#left = sendBytes;
    this.#pattern = patternOf(fill);
  }

  /** Begins on a connection that is open, or as soon as it is. */
  start(connection: TcpConnection): this {
    this.connection = connection;
    this.writable();
    this.readable();
    return this;
  }

  /** SHA-256 of what was received. */
  get digest(): string {
    return this.#hash.copy().digest('hex');
  }

  connected(): void {
    this.connects += 1;
  }

  readable(): void {
    const connection = this.connection;
    for (let chunk = connection?.read(); chunk !== undefined; chunk = connection?.read()) {
      this.receivedBytes += chunk.length;
      this.#hash.update(chunk);
    }
    this.ended ||= connection?.ended ?? false;
  }

  writable(): void {
    const { connection } = this;
    if (connection === undefined) return;
    while (this.#left > 0) {
      const chunk = this.#pattern.subarray(0, Math.min(this.#left, CHUNK_BYTES));
      this.#left -= chunk.length;
      if (!connection.write(chunk)) break;
    }
    if (this.#left === 0) connection.shutdown();
  }

  closed(failure: TcpFailure | undefined): void {
    this.closings.push(failure);
  }
}

/** SHA-256 of what a {@link StreamEnd} of these arguments sends. */
export function digestOf(sendBytes: number, fill = 0): string {
  const hash = createHash('sha256');
  const pattern = patternOf(fill);
  for (let left = sendBytes; left > 0; left -= CHUNK_BYTES) {
    hash.update(pattern.subarray(0, Math.min(left, CHUNK_BYTES)));
  }
  return hash.digest('hex');
}

const patterns = new Map<number, Buffer>();

/** One buffer a pattern, however many ends send it. */
function patternOf(fill: number): Buffer {
  const pattern = patterns.get(fill) ?? Buffer.alloc(CHUNK_BYTES, `pattern ${fill} `);
  patterns.set(fill, pattern);
  return pattern;
}
