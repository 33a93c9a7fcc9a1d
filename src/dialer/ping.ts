import type { Cancel } from '../core/clock.ts';
import type { Millis } from '../core/machine.ts';
import type { EchoClient, EchoReply, EchoUnreachable } from '../netstack/echo.ts';
import { IpAddress } from '../netstack/ip-address.ts';
import { NetstackError } from '../netstack/netstack-error.ts';
import type { UnreachableKind } from '../netstack/unreachable.ts';
import { abortError } from './abortable.ts';
import { SocketError } from './socket-error.ts';
import type { TunnelScope } from './tunnel-scope.ts';

/** All times in milliseconds. */
export interface PingOptions {
  /** How many requests. Default: without end. */
  readonly count?: number | undefined;
  /** Time between two requests, at least 1. Default: 1,000. */
  readonly intervalMs?: Millis | undefined;
  /** How long each may take. Default: 2,000. */
  readonly timeoutMs?: Millis | undefined;
  /** Unit: bytes. Default: 56. */
  readonly payloadBytes?: number | undefined;
  /** Ends the iteration with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What became of one request. */
export interface PingReply {
  /** 1, 2, 3 … */
  readonly sequence: number;
  /** Who answered; or a router that says why nobody will. */
  readonly from: string | undefined;
  /** Length of the echoed payload. */
  readonly bytes: number;
  /** The hop limit that was left; undefined without an answer. */
  readonly ttl: number | undefined;
  /** Round-trip time; undefined without an answer. Unit: milliseconds. */
  readonly timeMs: Millis | undefined;
  /** Why there was no answer; undefined when there was one. */
  readonly error: 'timed-out' | UnreachableKind | undefined;
}

const SEQUENCES = 0x1_0000;

/** {@link PingOptions} with the defaults filled in. */
interface PingSettings {
  readonly count: number;
  readonly intervalMs: Millis;
  readonly timeoutMs: Millis;
  readonly payloadBytes: number;
}

interface Request {
  readonly sequence: number;
  readonly sentAt: Millis;
  readonly cancelTimer: Cancel;
}

/**
 * Sends echo requests at an even pace and gives what became of each as it becomes known. Ends by
 * itself after `count`; `close` ends it early.
 */
export class Ping {
  readonly #scope: TunnelScope;
  readonly #options: PingSettings;
  readonly #echo: EchoClient;
  readonly #open = new Map<number, Request>();
  readonly #replies: PingReply[] = [];
  #sent = 0;
  #cancelSend: Cancel = () => {};
  #wake: () => void = () => {};
  #closed = false;
  #error: unknown;

  /** @throws NetstackError when there is no way to `remote` */
  constructor(scope: TunnelScope, remote: IpAddress, options: PingOptions) {
    this.#scope = scope;
    this.#options = {
      count: options.count ?? Number.POSITIVE_INFINITY,
      intervalMs: Math.max(options.intervalMs ?? 1000, 1),
      timeoutMs: options.timeoutMs ?? 2000,
      payloadBytes: options.payloadBytes ?? 56,
    };
    this.#echo = scope.netstack.openEcho(remote, {
      reply: (reply) => this.#onReply(reply),
      unreachable: (error) => this.#onUnreachable(error),
    });
    scope.hold(this.#onTunnelEnd);
    this.#send();
  }

  /** The next result; undefined when all are told. Rejects with what `close` was given. */
  async next(): Promise<PingReply | undefined> {
    for (;;) {
      const reply = this.#replies.shift();
      if (reply !== undefined) return reply;
      if (this.#error !== undefined) throw this.#error;
      if (this.#closed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** May be called twice. */
  close(error?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#cancelSend();
    for (const { cancelTimer } of this.#open.values()) cancelTimer();
    this.#open.clear();
    this.#echo.close();
    this.#scope.release(this.#onTunnelEnd);
    this.#wake();
  }

  readonly #onTunnelEnd = (cause: Error | undefined): void => {
    this.close(cause);
  };

  #send(): void {
    const { clock } = this.#scope;
    const { intervalMs, timeoutMs, payloadBytes, count } = this.#options;
    if (this.#sent >= count) {
      this.close();
      return;
    }
    const now = clock.now();
    this.#sent += 1;
    const sequence = this.#sent;
    const key = sequence % SEQUENCES;
    const cancelTimer = clock.setTimer(now + timeoutMs, () => {
      this.#settle(key, { from: undefined, error: 'timed-out' });
    });
    this.#open.set(key, { sequence, sentAt: now, cancelTimer });
    this.#echo.send(key, payloadBytes);
    if (this.#sent < count) {
      this.#cancelSend = clock.setTimer(now + intervalMs, () => this.#send());
    }
  }

  #onReply({ sequence, bytes, ttl, receivedAt, from }: EchoReply): void {
    const request = this.#open.get(sequence);
    if (request === undefined) return;
    const timeMs = receivedAt - request.sentAt;
    this.#settle(sequence, { from: from.toString(), bytes, ttl, timeMs });
  }

  #onUnreachable({ sequence, kind, from }: EchoUnreachable): void {
    this.#settle(sequence, { from: from.toString(), error: kind });
  }

  #settle(key: number, outcome: Partial<PingReply>): void {
    const request = this.#open.get(key);
    if (request === undefined) return;
    request.cancelTimer();
    this.#open.delete(key);
    const { sequence } = request;
    this.#replies.push({ ...NO_REPLY, ...outcome, sequence });
    if (this.#open.size === 0 && this.#sent >= this.#options.count) this.close();
    else this.#wake();
  }
}

const NO_REPLY = { from: undefined, bytes: 0, ttl: undefined, timeMs: undefined, error: undefined };

/**
 * Pings `host`; a name is resolved inside the tunnel.
 *
 * @throws DnsError; SocketError `ENETUNREACH`; OvpnError `OVPN_ABORTED`
 */
export async function* pingReplies(
  scope: TunnelScope,
  host: string,
  options: PingOptions = {},
): AsyncGenerator<PingReply, void> {
  const { signal } = options;
  const what = `ping of ${host}`;
  const [found] = await scope.resolver.lookup(host, { signal });
  const remote = IpAddress.parse(found?.address ?? '');
  if (signal?.aborted) throw abortError(what, signal);
  if (remote === undefined) return;
  const ping = openPing(scope, remote, options);
  const abort = () => ping.close(abortError(what, signal));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for (;;) {
      const reply = await ping.next();
      if (reply === undefined) return;
      yield reply;
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    ping.close();
  }
}

function openPing(scope: TunnelScope, remote: IpAddress, options: PingOptions): Ping {
  const address = remote.toString();
  if (scope.ended) throw new SocketError('ENETDOWN', 'ping', { address, cause: scope.cause });
  try {
    return new Ping(scope, remote, options);
  } catch (error) {
    if (!(error instanceof NetstackError)) throw error;
    throw new SocketError(error.code, 'ping', { address, cause: error });
  }
}
