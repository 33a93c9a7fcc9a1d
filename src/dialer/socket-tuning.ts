import type { KeepAliveOptions } from '../netstack/tcp/tcp-options.ts';
import type { StreamConnection } from './host-connection.ts';
import type { TunSocketOptions } from './tun-socket-options.ts';

/** What is chosen for a connection, kept for one that is not there yet. */
export class SocketTuning {
  #noDelay: boolean;
  #keepAlive: KeepAliveOptions;
  #connection: StreamConnection | undefined;

  constructor({ noDelay, keepAlive, keepAliveInitialDelay }: TunSocketOptions) {
    this.#noDelay = noDelay ?? false;
    this.#keepAlive = keepAliveOptions(keepAlive ?? false, keepAliveInitialDelay ?? 0);
  }

  get noDelay(): boolean {
    return this.#noDelay;
  }

  /** Tunes `connection`, now and from now on. */
  apply(connection: StreamConnection): void {
    this.#connection = connection;
    connection.setNoDelay(this.#noDelay);
    if (this.#keepAlive.enabled) connection.setKeepAlive(this.#keepAlive);
  }

  setNoDelay(on: boolean): void {
    this.#noDelay = on;
    this.#connection?.setNoDelay(on);
  }

  /** @param initialDelayMs 0 leaves what was set before */
  setKeepAlive(enabled: boolean, initialDelayMs: number): void {
    this.#keepAlive = keepAliveOptions(enabled, initialDelayMs || (this.#keepAlive.idleMs ?? 0));
    this.#connection?.setKeepAlive(this.#keepAlive);
  }

  /** Takes what the options of a `connect` choose; what they leave out stays. */
  update({ noDelay, keepAlive, keepAliveInitialDelay }: TunSocketOptions): void {
    if (noDelay !== undefined) this.setNoDelay(noDelay);
    if (keepAlive !== undefined) this.setKeepAlive(keepAlive, keepAliveInitialDelay ?? 0);
  }
}

/** 0 leaves the default. */
function keepAliveOptions(enabled: boolean, idleMs: number): KeepAliveOptions {
  return idleMs > 0 ? { enabled, idleMs } : { enabled };
}
