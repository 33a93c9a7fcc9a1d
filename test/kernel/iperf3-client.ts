import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { TunSocket } from '../../src/dialer/tun-socket.ts';

/** `iperf_api.h`: one byte each on the control connection; who sends it. */
const State = {
  TEST_START: 1,
  TEST_RUNNING: 2,
  /** The client. */
  TEST_END: 4,
  PARAM_EXCHANGE: 9,
  CREATE_STREAMS: 10,
  EXCHANGE_RESULTS: 13,
  DISPLAY_RESULTS: 14,
  /** The client. */
  IPERF_DONE: 16,
} as const;

/** 36 characters and a NUL: the first bytes of every connection of one test. */
const COOKIE_CHARACTERS = 36;
const WRITE = Buffer.alloc(128 * 1024, 'iperf3');

export interface Iperf3Options {
  /** The server sends. Default: false. */
  readonly reverse?: boolean;
  /** How long data flows. */
  readonly durationMs: number;
  /** Connections side by side. Default: 1. */
  readonly parallel?: number;
  /** The server's congestion control. Default: its own. */
  readonly congestion?: string;
}

/** What both ends counted. */
export interface Iperf3Result {
  readonly megabitsPerSecond: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Segments that the server sent again; 0 when it received. */
  readonly retransmits: number;
  /** Processor time of this process. Unit: milliseconds for each 10⁶ bytes. */
  readonly cpuMsPerMegabyte: number;
}

/** One test of iperf3's protocol, as its client; the server is Debian's. */
export async function iperf3(
  connect: () => TunSocket,
  options: Iperf3Options,
): Promise<Iperf3Result> {
  const test = new Iperf3Test(connect, options);
  try {
    return await test.run();
  } finally {
    test.end();
  }
}

class Iperf3Test {
  readonly #connect: () => TunSocket;
  readonly #options: Iperf3Options;
  readonly #cookie = `${randomBytes(COOKIE_CHARACTERS / 2).toString('hex')}\0`;
  readonly #streams: TunSocket[] = [];
  #control: Control | undefined;
  #received = 0;
  #sent = 0;

  constructor(connect: () => TunSocket, options: Iperf3Options) {
    this.#connect = connect;
    this.#options = options;
  }

  async run(): Promise<Iperf3Result> {
    const control = new Control(await this.#open());
    this.#control = control;
    await control.expect(State.PARAM_EXCHANGE);
    control.sendJson(this.#parameters());
    await control.expect(State.CREATE_STREAMS);
    for (let made = 0; made < (this.#options.parallel ?? 1); made += 1) {
      const stream = await this.#open();
      // iperf3 resets what it has not read at the end of a test; before it, the control tells.
      stream.on('error', () => {});
      this.#streams.push(stream);
    }
    await control.expect(State.TEST_START);
    await control.expect(State.TEST_RUNNING);
    const { cpuMs, elapsedMs } = await this.#measure();
    control.sendState(State.TEST_END);
    await control.expect(State.EXCHANGE_RESULTS);
    control.sendJson(this.#results(elapsedMs));
    const theirs = (await control.readJson()) as Results;
    await control.expect(State.DISPLAY_RESULTS);
    control.sendState(State.IPERF_DONE);

    const { reverse = false } = this.#options;
    const bytes = sum(theirs.streams.map((stream) => stream.bytes));
    const receivedBytes = reverse ? this.#received : bytes;
    return {
      megabitsPerSecond: (receivedBytes * 8) / 1000 / elapsedMs,
      sentBytes: reverse ? bytes : this.#sent,
      receivedBytes,
      retransmits: reverse ? sum(theirs.streams.map((stream) => stream.retransmits)) : 0,
      cpuMsPerMegabyte: (cpuMs * 1e6) / receivedBytes,
    };
  }

  end(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#control?.end();
  }

  async #open(): Promise<TunSocket> {
    const socket = this.#connect();
    await once(socket, 'connect');
    socket.write(this.#cookie);
    return socket;
  }

  async #measure(): Promise<{ cpuMs: number; elapsedMs: number }> {
    const startedAt = performance.now();
    const cpu = process.cpuUsage();
    for (const stream of this.#streams) {
      if (this.#options.reverse) stream.on('data', (chunk) => this.#count(chunk));
      else this.#flood(stream, startedAt + this.#options.durationMs);
    }
    await new Promise((resolve) => setTimeout(resolve, this.#options.durationMs));
    const { user, system } = process.cpuUsage(cpu);
    return { cpuMs: (user + system) / 1000, elapsedMs: performance.now() - startedAt };
  }

  #count(chunk: Buffer): void {
    this.#received += chunk.length;
  }

  #flood(stream: TunSocket, until: number): void {
    while (performance.now() < until) {
      this.#sent += WRITE.length;
      if (!stream.write(WRITE)) {
        stream.once('drain', () => this.#flood(stream, until));
        return;
      }
    }
  }

  #parameters(): object {
    const { reverse = false, durationMs, parallel = 1, congestion } = this.#options;
    return {
      tcp: true,
      omit: 0,
      time: Math.ceil(durationMs / 1000),
      num: 0,
      blockcount: 0,
      parallel,
      len: WRITE.length,
      pacing_timer: 1000,
      client_version: '3.12',
      ...(reverse && { reverse }),
      ...(congestion && { congestion }),
    };
  }

  /** iperf3 numbers its streams 1, 3, 4, 5 … */
  #results(elapsedMs: number): object {
    const { reverse = false } = this.#options;
    const total = reverse ? this.#received : this.#sent;
    const bytes = total / this.#streams.length;
    const streams = this.#streams.map((_, index) => ({
      id: index === 0 ? 1 : index + 2,
      bytes,
      retransmits: reverse ? -1 : 0,
      jitter: 0,
      errors: 0,
      packets: 0,
      start_time: 0,
      end_time: elapsedMs / 1000,
    }));
    const cpu = { cpu_util_total: 0, cpu_util_user: 0, cpu_util_system: 0 };
    return { ...cpu, sender_has_retransmits: reverse ? -1 : 0, streams };
  }
}

/** What iperf3 tells of its side. */
interface Results {
  readonly streams: readonly { readonly bytes: number; readonly retransmits: number }[];
}

/** The control connection: states, and JSON behind its length in four bytes. */
class Control {
  readonly #socket: TunSocket;

  constructor(socket: TunSocket) {
    this.#socket = socket;
    socket.pause();
  }

  sendState(state: number): void {
    this.#socket.write(Buffer.of(state));
  }

  sendJson(value: object): void {
    const text = JSON.stringify(value);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    this.#socket.write(Buffer.concat([length, Buffer.from(text)]));
  }

  async expect(state: number): Promise<void> {
    const got = (await this.#read(1)).readInt8(0);
    if (got !== state) throw new Error(`expected state ${state} of iperf3, got ${got}`);
  }

  async readJson(): Promise<unknown> {
    const length = (await this.#read(4)).readUInt32BE(0);
    return JSON.parse((await this.#read(length)).toString());
  }

  end(): void {
    this.#socket.end();
    this.#socket.resume();
  }

  async #read(bytes: number): Promise<Buffer> {
    for (;;) {
      const chunk: Buffer | null = this.#socket.read(bytes);
      if (chunk !== null) {
        if (chunk.length < bytes) throw new Error('expected more from iperf3');
        return chunk;
      }
      if (this.#socket.readableEnded || this.#socket.destroyed) throw new Error('iperf3 has ended');
      await once(this.#socket, 'readable');
    }
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
