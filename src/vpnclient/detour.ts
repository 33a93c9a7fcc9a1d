/** What a user asks of a tunnel that lives. */
export type Wish = 'suspend' | 'reconnect';

/**
 * The user's word on the way from one session to the next. A wish ends the leg that is going on, a
 * try or a pause, by its signal; whoever goes the way takes it before the next leg.
 */
export class Detour {
  #leg = new AbortController();
  #wish: Wish | undefined;
  #stopped: Error | undefined;
  #wake: () => void = () => {};

  /** Aborted by a wish, or by `stop`. */
  get signal(): AbortSignal {
    return this.#leg.signal;
  }

  /** What was asked for and not taken yet. */
  get wish(): Wish | undefined {
    return this.#wish;
  }

  ask(wish: Wish): void {
    if (this.#stopped !== undefined) return;
    this.#wish = wish;
    this.#leg.abort(new Error(`asked to ${wish}`));
  }

  /** Nothing goes on any more. */
  stop(reason: Error): void {
    this.#wish = undefined;
    this.#stopped ??= reason;
    this.#leg.abort(reason);
  }

  /** The next leg begins; gives what was asked for. */
  begin(): Wish | undefined {
    const wish = this.#wish;
    this.#wish = undefined;
    this.#leg = new AbortController();
    if (this.#stopped !== undefined) this.#leg.abort(this.#stopped);
    return wish;
  }

  /** Waits for `wake`. @throws the reason, when the leg ends before */
  async rest(): Promise<void> {
    const { signal } = this;
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve;
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      if (signal.aborted) reject(signal.reason);
    });
  }

  /** Ends a rest, also one that has not begun. */
  wake(): void {
    if (this.#wish === 'suspend') this.#wish = 'reconnect';
    this.#wake();
  }
}
