import type { Clock } from './clock.ts';
import { toError } from './errors.ts';
import { Pump, type Service } from './pump.ts';

/**
 * The manager of a session's workers: starts the services bottom first, keeps the first error,
 * stops them top first. Whatever ends the session comes through `fail` or `stop`.
 */
export class Workers {
  readonly pump: Pump;
  /** Settles once everything is stopped: with the first error, or undefined after `stop`. */
  readonly done: Promise<Error | undefined>;
  readonly #services: Service[] = [];
  #error: Error | undefined;
  #stopped = false;
  #resolveDone: (error: Error | undefined) => void = () => {};

  constructor(clock: Clock) {
    this.pump = new Pump(clock, (error) => this.fail(toError(error)));
    this.done = new Promise((resolve) => {
      this.#resolveDone = resolve;
    });
  }

  /** The first error, if there was one. */
  get error(): Error | undefined {
    return this.#error;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Puts a layer on top of those that run; after the end it is stopped at once. */
  start(service: Service): void {
    if (this.#stopped) {
      service.stop?.();
      return;
    }
    this.#services.push(service);
    this.pump.add(service);
  }

  /** Ends the session because of `error`. Later errors are consequences and are dropped. */
  fail(error: Error): void {
    if (this.#stopped) return;
    this.#error = error;
    this.stop();
  }

  /** Ends the session. May be called twice. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.pump.stop();
    for (let index = this.#services.length - 1; index >= 0; index -= 1) {
      this.#stopService(this.#services[index]);
    }
    this.#resolveDone(this.#error);
  }

  /** A layer that fails to stop must not keep the others, or `done`, from ending. */
  #stopService(service: Service | undefined): void {
    try {
      service?.stop?.();
    } catch (error) {
      this.#error ??= toError(error);
    }
  }
}
