import type { IpAddress } from './ip-address.ts';
import type { IpHeader } from './ip-header.ts';
import type { TcpListening } from './tcp-listening.ts';

/** The listening ports. A port of an address is given once. */
export class TcpListeners {
  readonly #byPort = new Map<number, TcpListening[]>();

  /** The listening that takes packets with these headers to `port`; one bound to the address wins. */
  find(header: IpHeader, port: number): TcpListening | undefined {
    const all = this.#byPort.get(port);
    if (all === undefined) return undefined;
    const bound = all.find(
      (listening) => listening.address !== undefined && listening.takes(header),
    );
    return bound ?? all.find((listening) => listening.takes(header));
  }

  /** Whether anybody listens on `port`. */
  has(port: number): boolean {
    return this.#byPort.has(port);
  }

  /** Whether `address`:`port`, undefined being any address, would meet one that is there. */
  isTaken(address: IpAddress | undefined, port: number): boolean {
    return (this.#byPort.get(port) ?? []).some(
      (other) =>
        address === undefined || other.address === undefined || other.address.equals(address),
    );
  }

  add(listening: TcpListening): void {
    const others = this.#byPort.get(listening.port) ?? [];
    this.#byPort.set(listening.port, [...others, listening]);
  }

  remove(listening: TcpListening): void {
    const others = this.#byPort.get(listening.port)?.filter((other) => other !== listening) ?? [];
    if (others.length === 0) this.#byPort.delete(listening.port);
    else this.#byPort.set(listening.port, others);
  }

  all(): TcpListening[] {
    return [...this.#byPort.values()].flat();
  }
}
