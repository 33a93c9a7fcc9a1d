import type { Clock } from '../core/clock.ts';
import { OvpnUsageError } from '../core/errors.ts';
import type { Millis } from '../core/machine.ts';
import { Pump, type Service } from '../core/pump.ts';
import type { TunDevice } from '../model/tun-device.ts';
import type { TunnelTenant } from '../model/tunnel-tenant.ts';
import type { Session } from '../session/session.ts';
import { LastingTun } from '../tun/lasting-tun.ts';

/**
 * The inner end of a client's tunnel, which stays while sessions come and go: the tun device, and
 * the tenant that runs on it.
 *
 *     empty ──join──▶ on a session's pump ──the session ends──▶ frozen ──standBy──▶ on its own pump
 *                              ▲                                  │                      │
 *                              └──────────────join────────────────┴──────────────────────┘
 */
export class LastingTunnel {
  readonly #tun = new LastingTun();
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  #tenant: TunnelTenant | undefined;
  #session: Session | undefined;
  #standby: Pump | undefined;
  #standsBy = false;
  #ended = false;

  /** @param onError gets what the tenant threw while there was no session */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  get tun(): TunDevice {
    return this.#tun;
  }

  /** Runs `tenant` from now on. Once. */
  attach(tenant: TunnelTenant): void {
    if (this.#tenant !== undefined) {
      throw new OvpnUsageError('expected a tunnel without a tenant', 'vpnclient');
    }
    if (this.#ended) {
      tenant.stop?.();
      return;
    }
    this.#tenant = tenant;
    if (this.#session === undefined && this.#standsBy) this.standBy();
    this.arm();
  }

  /** Asks for a turn of whoever runs the tenant. */
  arm(): void {
    if (this.#session !== undefined) this.#session.arm();
    else this.#standby?.arm();
  }

  /** A session is up: the tenant runs on its pump. */
  join(session: Session): void {
    this.#stopStandby();
    this.#session = session;
    this.#tun.use(session.tun);
    this.#tenant?.renewed?.(session.info);
    session.attach(
      new Seat(
        () => this.#tenant,
        () => this.#vacate(session),
      ),
    );
  }

  /**
   * The session has ended because of `cause`.
   * @param persists whether what stands on the tunnel lives on
   */
  left(cause: Error, { persists }: { readonly persists: boolean }): void {
    if (!persists) this.#tenant?.interrupted?.(cause);
  }

  /** Keeps the tenant's timers going while there is no session. */
  standBy(): void {
    if (this.#session !== undefined || this.#standby !== undefined || this.#ended) return;
    this.#standsBy = true;
    if (this.#tenant === undefined) return;
    this.#standby = new Pump(this.#clock, this.#onError);
    this.#standby.add(this.#tenant);
  }

  /** Lets the tenant's timers rest, too. */
  freeze(): void {
    this.#stopStandby();
  }

  /** Stops the tenant; nothing passes any more. May be called twice. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopStandby();
    this.#session = undefined;
    this.#tun.close();
    this.#tenant?.stop?.();
  }

  /** The session stops: what it had not sent is lost. */
  #vacate(session: Session): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#tun.use(undefined);
  }

  #stopStandby(): void {
    this.#standsBy = false;
    this.#standby?.stop();
    this.#standby = undefined;
  }
}

/** The tenant's place on top of one session: it leaves when the session stops, and is not stopped. */
class Seat implements Service {
  readonly name = 'vpnclient';
  readonly #tenant: () => TunnelTenant | undefined;
  readonly #onStop: () => void;

  constructor(tenant: () => TunnelTenant | undefined, onStop: () => void) {
    this.#tenant = tenant;
    this.#onStop = onStop;
  }

  moveUpWorker(now: Millis): boolean {
    return this.#tenant()?.moveUpWorker?.(now) ?? false;
  }

  endOfBurst(now: Millis): void {
    this.#tenant()?.endOfBurst?.(now);
  }

  moveDownWorker(now: Millis): boolean {
    return this.#tenant()?.moveDownWorker?.(now) ?? false;
  }

  nextTimeout(): Millis {
    return this.#tenant()?.nextTimeout?.() ?? Number.POSITIVE_INFINITY;
  }

  onTimeout(now: Millis): void {
    this.#tenant()?.onTimeout?.(now);
  }

  stop(): void {
    this.#onStop();
  }
}
