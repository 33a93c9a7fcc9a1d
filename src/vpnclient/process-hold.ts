import { MAX_TIMER_DELAY_MS } from '../core/clock.ts';

/** Keeps the process alive between `begin` and `end`, as an open socket does, unless `unref`ed. */
export class ProcessHold {
  #timer: NodeJS.Timeout | undefined;
  #referenced = true;

  begin(): void {
    this.#timer ??= setInterval(() => {}, MAX_TIMER_DELAY_MS);
    if (!this.#referenced) this.#timer.unref();
  }

  /** May be called twice. */
  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  get referenced(): boolean {
    return this.#referenced;
  }

  ref(): void {
    this.#referenced = true;
    this.#timer?.ref();
  }

  unref(): void {
    this.#referenced = false;
    this.#timer?.unref();
  }
}
