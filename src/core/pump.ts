import type { Cancel, Clock } from './clock.ts';
import type { Millis } from './machine.ts';

/** Moves items while it can; true when anything moved. */
export type Worker = (now: Millis) => boolean;

/**
 * What a layer gives to the pump. Every part is optional: a layer without timers has no
 * `nextTimeout`.
 */
export interface Service {
  /** The layer's folder name. */
  readonly name: string;
  /** Carries items towards the application. */
  moveUpWorker?(now: Millis): boolean;
  /** Runs once after all that came up has been handled: acknowledgements, stream pushes. */
  endOfBurst?(now: Millis): void;
  /** Carries items towards the network. */
  moveDownWorker?(now: Millis): boolean;
  /** The layer's earliest deadline; `Infinity` for none. */
  nextTimeout?(): Millis;
  onTimeout?(now: Millis): void;
  /** Releases what the layer holds. Called once, top layer first. */
  stop?(): void;
}

/** How many items a worker moves in one call: timers, TLS and the other direction must run too. */
export const BATCH = 64;

/** How often the pump goes round in one turn of the event loop before it lets others run. */
export const MAX_ROUNDS = 8;

/**
 * Runs the workers of one session, in order, in one `setImmediate` after anything arms it:
 *
 *     moveUpWorker bottom…top ─▶ timers ─▶ endOfBurst ─▶ moveDownWorker top…bottom ─┐
 *        ▲                         └── one timer, set to the earliest deadline      │
 *        └───────────────────────────────────────────────── again while it moved ◀──┘
 *
 * Timers wait until nothing more comes up, or for the last round: after a long block of the event
 * loop, what they wait for is there already.
 *
 * Node empties its microtask queue after every datagram, so a promise a worker would wake once per
 * packet and batch nothing; one immediate sees the whole burst.
 */
export class Pump {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  #services: Service[] = [];
  #armed = false;
  #running = false;
  #stopped = false;
  #cancelImmediate: Cancel = nothing;
  #cancelTimer: Cancel = nothing;
  #timerAt: Millis = Number.POSITIVE_INFINITY;
  #runAt: Millis = 0;

  /** @param onError gets what a worker threw; the pump has stopped by then. */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /** The time of the run that is going on, which all its workers are given; else the clock's. */
  get now(): Millis {
    return this.#running ? this.#runAt : this.#clock.now();
  }

  /** Puts `service` on top of those that are there. */
  add(service: Service): void {
    this.#services = [...this.#services, service];
    this.arm();
  }

  /** Takes `service` out; the others keep their order. */
  remove(service: Service): void {
    this.#services = this.#services.filter((other) => other !== service);
  }

  /** Asks for a run after what is ready now. Cheap when it is already asked for. */
  readonly arm = (): void => {
    if (this.#armed || this.#running || this.#stopped) {
      this.#armed = true;
      return;
    }
    this.#armed = true;
    this.#cancelImmediate = this.#clock.setImmediate(this.#turn);
  };

  /** One turn: rounds until nothing moves or the limit is reached, then the timer. */
  run(now: Millis): void {
    if (this.#stopped || this.#running) return;
    this.#running = true;
    this.#runAt = now;
    this.#cancelImmediate();
    try {
      let again = true;
      for (let round = 0; again && round < MAX_ROUNDS; round += 1) {
        this.#armed = false;
        again = this.#round(now, round === MAX_ROUNDS - 1);
      }
      if (again) this.#armed = true;
      if (!this.#stopped) this.#setTimer();
    } catch (error) {
      this.stop();
      this.#onError(error);
      return;
    } finally {
      this.#running = false;
    }
    if (this.#armed && !this.#stopped) this.#cancelImmediate = this.#clock.setImmediate(this.#turn);
  }

  /** No worker runs after this. May be called twice. */
  stop(): void {
    this.#stopped = true;
    this.#cancelImmediate();
    this.#cancelTimer();
  }

  readonly #turn = (): void => this.run(this.#clock.now());

  #round(now: Millis, last: boolean): boolean {
    const services = this.#services;
    let moved = false;
    for (const service of services) {
      if (this.#stopped) return false;
      if (service.moveUpWorker?.(now)) moved = true;
    }
    if ((!moved || last) && this.#runTimers(now)) moved = true;
    for (const service of services) {
      if (this.#stopped) return false;
      service.endOfBurst?.(now);
    }
    for (let index = services.length - 1; index >= 0; index -= 1) {
      if (this.#stopped) return false;
      if (services[index]?.moveDownWorker?.(now)) moved = true;
    }
    return moved;
  }

  /** True when one was due. */
  #runTimers(now: Millis): boolean {
    let due = false;
    for (const service of this.#services) {
      if (this.#stopped) return false;
      if (service.nextTimeout === undefined || service.nextTimeout() > now) continue;
      service.onTimeout?.(now);
      due = true;
    }
    return due;
  }

  #setTimer(): void {
    let earliest: Millis = Number.POSITIVE_INFINITY;
    for (const service of this.#services) {
      const at = service.nextTimeout?.() ?? Number.POSITIVE_INFINITY;
      if (at < earliest) earliest = at;
    }
    if (earliest === this.#timerAt) return;
    this.#cancelTimer();
    this.#timerAt = earliest;
    this.#cancelTimer = nothing;
    if (earliest === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#clock.setTimer(earliest, () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.arm();
    });
  }
}

const nothing: Cancel = () => {};
