import type { Millis } from '../../src/core/machine.ts';
import type { TcpInfo } from '../../src/netstack/tcp/tcp-info.ts';
import type { TcpOptions } from '../../src/netstack/tcp/tcp-options.ts';
import { IP_HEADER_BYTES, TcpPair } from '../netstack/tcp/tcp-pair.ts';
import type { LossyLinkOptions } from './lossy-link.ts';

const CHUNK = Buffer.alloc(65_536);
/** Packets that are longer carry data. */
const LONGEST_BARE_PACKET = IP_HEADER_BYTES + 80;

export interface BulkFlowOptions {
  readonly seed?: number;
  /** Both directions of the line. */
  readonly link: LossyLinkOptions<Buffer>;
  readonly client?: Partial<TcpOptions>;
  readonly server?: Partial<TcpOptions>;
}

/** A connection whose client always has something to send, and whose server reads all at once. */
export class BulkFlow {
  readonly #pair: TcpPair;

  constructor(options: BulkFlowOptions) {
    this.#pair = new TcpPair(options).connect();
    const { client, server } = this.#pair;
    const deaf = { connected() {}, readable() {}, writable() {}, closed() {} };
    const refill = () => {
      while (client.connection.write(CHUNK));
    };
    const drain = () => {
      while (server.connection.read() !== undefined);
    };
    client.connection.events = { ...deaf, writable: refill };
    server.connection.events = { ...deaf, readable: drain };
    refill();
  }

  get now(): Millis {
    return this.#pair.clock.now();
  }

  get info(): TcpInfo {
    return this.#pair.client.connection.info();
  }

  /** What the server has received. Unit: bytes. */
  get received(): number {
    return this.#pair.server.connection.info().bytesReceived;
  }

  /** Lets it run for `durationMs`; gives the goodput meanwhile, in bytes a millisecond. */
  run(durationMs: Millis, afterStep: () => void = () => {}): number {
    const { clock } = this.#pair;
    const end = clock.now() + durationMs;
    const before = this.received;
    clock.settle();
    while (clock.nextAt <= end && clock.step()) afterStep();
    return (this.received - before) / durationMs;
  }

  /** Lets it run for `durationMs`; gives the congestion window after each step, in segments. */
  watch(durationMs: Millis): { readonly at: Millis; readonly cwnd: number }[] {
    const samples: { at: Millis; cwnd: number }[] = [];
    this.run(durationMs, () => {
      const { cwnd, mss } = this.info;
      samples.push({ at: this.now, cwnd: cwnd / mss });
    });
    return samples;
  }
}

/** Loses the data packets of these numbers, the first is 1, and from then on one in every `period`. */
export function losePackets(
  numbers: readonly number[],
  period: number = Number.POSITIVE_INFINITY,
): (packet: Buffer) => boolean {
  const last = numbers.at(-1) ?? 0;
  let count = 0;
  return (packet) => {
    if (packet.length <= LONGEST_BARE_PACKET) return false;
    count += 1;
    return numbers.includes(count) || (count > last && (count - last) % period === 0);
  };
}
