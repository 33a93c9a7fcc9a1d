import { Duplex } from 'node:stream';

/** One end of a stream in memory: what is written here is read there. */
class DuplexEnd extends Duplex {
  peer: DuplexEnd | undefined;
  #resume: (() => void) | undefined;

  override _read(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const { peer } = this;
    if (peer === undefined || peer.push(chunk)) done();
    else peer.#resume = done;
  }

  override _final(done: () => void): void {
    this.peer?.push(null);
    done();
  }
}

/** Two joined streams in memory, with backpressure and half-close. */
export function duplexPair(): readonly [Duplex, Duplex] {
  const near = new DuplexEnd();
  const far = new DuplexEnd();
  near.peer = far;
  far.peer = near;
  return [near, far];
}
