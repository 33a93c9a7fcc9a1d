import { Duplex } from 'node:stream';
import type { Scrambler } from './scrambler.ts';
import { StreamDeframer, StreamFramer } from './stream-framing.ts';

/** A stream of frames whose packets are disguised on their way through another one, which it owns. */
export class ScrambleStream extends Duplex {
  readonly #stream: Duplex;
  readonly #down: Way;
  readonly #up: Way;

  constructor(stream: Duplex, scrambler: Scrambler) {
    super();
    this.#stream = stream;
    this.#down = new Way((packet) => scrambler.scramble(packet));
    this.#up = new Way((packet) => scrambler.unscramble(packet));
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('end', () => this.push(null));
    stream.on('error', (error: Error) => this.destroy(error));
    stream.on('close', () => this.destroy());
    stream.pause();
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const scrambled = this.#down.carry(chunk);
    if (this.#down.failure !== undefined) done(this.#down.failure);
    else if (this.#stream.write(scrambled)) done();
    else this.#stream.once('drain', () => done());
  }

  override _final(done: () => void): void {
    this.#stream.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stream.destroy();
    done(error);
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#up.carry(chunk);
    if (bytes.length > 0 && !this.push(bytes)) this.#stream.pause();
    if (this.#up.failure !== undefined) this.destroy(this.#up.failure);
  }
}

/** Frames in one direction. */
class Way {
  readonly #deframer = new StreamDeframer();
  readonly #framer = new StreamFramer();
  readonly #change: (packet: Buffer) => void;

  constructor(change: (packet: Buffer) => void) {
    this.#change = change;
  }

  /** Why the stream can be read no further, or undefined. */
  get failure(): Error | undefined {
    return this.#deframer.failure;
  }

  /** The whole frames that `chunk` completes, changed. */
  carry(chunk: Buffer): Buffer {
    this.#deframer.push(Buffer.from(chunk));
    for (;;) {
      const packet = this.#deframer.take();
      if (packet === undefined) return this.#framer.flush();
      this.#change(packet);
      this.#framer.add(packet);
    }
  }
}
