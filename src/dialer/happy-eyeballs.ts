import type { Cancel } from '../core/clock.ts';
import type { Millis } from '../core/machine.ts';
import type { FlowTuple } from '../netstack/flow-tuple.ts';
import type { IpAddress } from '../netstack/ip-address.ts';
import { NetstackError } from '../netstack/netstack-error.ts';
import { FIRST_EPHEMERAL_PORT, LAST_EPHEMERAL_PORT } from '../netstack/ports.ts';
import type { TcpEvents, TcpFailure } from '../netstack/tcp/tcp-events.ts';
import type { TcpConnectOptions } from '../netstack/tcp-table.ts';
import { interleaveFamilies, sortAddresses } from './address-order.ts';
import { HostConnection, type StreamConnection } from './host-connection.ts';
import { SocketError, type SocketErrorCode, TCP_FAILURE_CODES } from './socket-error.ts';
import type { TunnelScope } from './tunnel-scope.ts';

/** How long an attempt has before the next address is tried beside it (RFC 8305 §5). Unit: milliseconds. */
export const ATTEMPT_DELAY_MS = 250;
/** Shortest such delay that can be chosen (RFC 8305 §5). Unit: milliseconds. */
export const MIN_ATTEMPT_DELAY_MS = 10;
/** How long IPv4 addresses wait for IPv6 ones that are being asked for (RFC 8305 §3). Unit: milliseconds. */
export const RESOLUTION_DELAY_MS = 50;

const EPHEMERAL_PORTS = LAST_EPHEMERAL_PORT - FIRST_EPHEMERAL_PORT + 1;
/** How often a port is drawn when the one before was taken. */
const PORT_TRIES = 16;

/** Who hears how a {@link HappyEyeballs} race goes; called from inside the netstack. */
export interface RaceEvents {
  attempt(address: IpAddress): void;
  attemptFailed(address: IpAddress, error: Error): void;
  /** The first connection to open; the others are gone. Its events still go nowhere. */
  won(connection: StreamConnection, tuple: FlowTuple): void;
  /** Every address failed: one error, or an `AggregateError` with the code of the first. */
  lost(error: Error): void;
}

export interface RaceOptions extends TcpConnectOptions {
  /** Default: {@link ATTEMPT_DELAY_MS}. Unit: milliseconds. */
  readonly attemptDelayMs?: number | undefined;
}

/**
 * Connects to the first of several addresses that answers. They may come family by family while
 * the race is on: IPv6 begins at once, IPv4 waits a little for it; then the families take turns,
 * sorted, the next address as soon as one fails and {@link ATTEMPT_DELAY_MS} after the last began.
 * Source: RFC 8305.
 */
export class HappyEyeballs {
  readonly #scope: TunnelScope;
  readonly #port: number;
  readonly #options: TcpConnectOptions;
  readonly #attemptDelayMs: number;
  readonly #events: RaceEvents;
  readonly #pending: Set<4 | 6>;
  readonly #running = new Set<Attempt>();
  readonly #errors: SocketError[] = [];
  #waiting: readonly IpAddress[] = [];
  #lastFamily: 4 | 6 | undefined;
  #lastBegan: Millis = 0;
  #cancelTimer: Cancel | undefined;
  #over = false;

  /** @param pending the families for which `add` will be called, each once */
  constructor(
    scope: TunnelScope,
    pending: readonly (4 | 6)[],
    port: number,
    { attemptDelayMs = ATTEMPT_DELAY_MS, ...options }: RaceOptions,
    events: RaceEvents,
  ) {
    this.#scope = scope;
    this.#pending = new Set(pending);
    this.#port = port;
    this.#options = options;
    this.#attemptDelayMs = Math.max(attemptDelayMs, MIN_ATTEMPT_DELAY_MS);
    this.#events = events;
  }

  /** What one family has, none for nothing; the race begins or goes on. */
  add(family: 4 | 6, addresses: readonly IpAddress[]): void {
    if (this.#over) return;
    const sourceFor = (remote: IpAddress) => this.#scope.netstack.localAddressFor(remote);
    const sorted = sortAddresses([...this.#waiting, ...addresses], sourceFor);
    this.#waiting = interleaveFamilies(sorted, this.#lastFamily);
    this.#pending.delete(family);
    if (this.#running.size > 0) {
      if (this.#cancelTimer === undefined) this.#setTimer(this.#lastBegan + this.#attemptDelayMs);
      return;
    }
    const begun = this.#lastFamily !== undefined;
    if (begun || !this.#pending.has(6)) this.#next();
    else if (this.#waiting.length > 0)
      this.#setTimer(this.#scope.clock.now() + RESOLUTION_DELAY_MS);
  }

  /** Ends every attempt. May be called twice. */
  cancel(): void {
    this.#over = true;
    this.#cancelTimer?.();
    const losers = [...this.#running];
    this.#running.clear();
    for (const { connection } of losers) connection?.abort();
  }

  #next(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#over) return;
    const [address, ...others] = this.#waiting;
    if (address === undefined) {
      if (this.#running.size === 0 && this.#pending.size === 0) this.#lose();
      return;
    }
    this.#waiting = others;
    this.#lastFamily = address.family;
    this.#lastBegan = this.#scope.clock.now();
    this.#events.attempt(address);
    const attempt = new Attempt(
      () => this.#onConnected(attempt, address),
      (failure) => this.#onFailed(attempt, address, TCP_FAILURE_CODES[failure]),
    );
    this.#running.add(attempt);
    try {
      this.#open(attempt, address);
    } catch (error) {
      if (!(error instanceof NetstackError)) throw error;
      this.#onFailed(attempt, address, error.code, error);
      return;
    }
    if (this.#waiting.length > 0) this.#setTimer(this.#lastBegan + this.#attemptDelayMs);
  }

  #setTimer(at: Millis): void {
    if (this.#over) return;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#scope.clock.setTimer(at, () => this.#next());
  }

  /** The port is drawn here, and not by the netstack, because the socket has to tell it. */
  #open(attempt: Attempt, address: IpAddress): void {
    const { netstack, random, routing } = this.#scope;
    if (routing.bypasses(address)) {
      attempt.connection = new HostConnection(address, this.#port, attempt, this.#options);
      return;
    }
    for (let tries = 1; ; tries += 1) {
      const drawn = FIRST_EPHEMERAL_PORT + (random.uint32() % EPHEMERAL_PORTS);
      const { localPort = drawn } = this.#options;
      try {
        const options = { ...this.#options, localPort };
        attempt.connection = netstack.connectTcp(address, this.#port, attempt, options);
        attempt.localPort = localPort;
        return;
      } catch (error) {
        const taken = error instanceof NetstackError && error.code === 'EADDRINUSE';
        if (!taken || this.#options.localPort !== undefined || tries === PORT_TRIES) throw error;
      }
    }
  }

  #onConnected(attempt: Attempt, address: IpAddress): void {
    const { connection } = attempt;
    if (this.#over || connection === undefined) return;
    this.#running.delete(attempt);
    this.cancel();
    const { netstack } = this.#scope;
    const host = connection instanceof HostConnection ? connection.local : undefined;
    const local = this.#options.localAddress ?? netstack.localAddressFor(address);
    this.#events.won(connection, {
      localAddress: host?.address ?? local ?? address,
      localPort: host?.port ?? attempt.localPort,
      remoteAddress: address,
      remotePort: this.#port,
    });
  }

  #onFailed(attempt: Attempt, to: IpAddress, code: SocketErrorCode, cause?: Error): void {
    // The end of the tunnel is explained to the socket.
    if (this.#scope.stopping || !this.#running.delete(attempt)) return;
    const error = new SocketError(code, 'connect', {
      address: to.toString(),
      port: this.#port,
      cause,
    });
    this.#errors.push(error);
    this.#events.attemptFailed(to, error);
    this.#next();
  }

  #lose(): void {
    this.#over = true;
    const [first] = this.#errors;
    if (first === undefined) return;
    this.#events.lost(this.#errors.length === 1 ? first : allFailed(this.#errors, first));
  }
}

/** One connection while it is opening. */
class Attempt implements TcpEvents {
  connection: StreamConnection | undefined;
  localPort = 0;
  readonly #onConnected: () => void;
  readonly #onFailed: (failure: TcpFailure) => void;

  constructor(onConnected: () => void, onFailed: (failure: TcpFailure) => void) {
    this.#onConnected = onConnected;
    this.#onFailed = onFailed;
  }

  connected(): void {
    this.#onConnected();
  }

  readable(): void {}

  writable(): void {}

  closed(failure: TcpFailure | undefined): void {
    this.#onFailed(failure ?? 'aborted');
  }
}

function allFailed(errors: readonly SocketError[], first: SocketError): AggregateError {
  const texts = errors.map(({ message }) => message).join('; ');
  return Object.assign(new AggregateError(errors, texts), { code: first.code });
}
