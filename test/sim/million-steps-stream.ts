import type { Service } from '../../src/core/pump.ts';
import { DATA_CIPHERS } from '../../src/model/ciphers.ts';
import type { DataChannelKey } from '../../src/model/data-channel-key.ts';
import type { Role } from '../../src/model/ids.ts';
import type { Channels } from '../../src/session/channels.ts';
import { SeededRandom } from './seeded-random.ts';

/** What both ends know of the keys that they would agree on. */
export interface DataKind {
  readonly cipher: string;
  readonly epoch: boolean;
  /** undefined: DATA_V1 */
  readonly peerId: number | undefined;
}

export interface ScriptedTlsOptions {
  readonly role: Role;
  readonly data: DataKind;
  readonly channels: Channels;
  readonly arm: () => void;
  /** How much the peer has written in a generation; -1 for one that it does not know. */
  readonly peerWrote: (generation: number) => number;
  readonly fault: (text: string) => void;
  /** Key id 0 is complete. */
  readonly settled: () => void;
}

/** Bytes each way under one key id. */
export interface StreamTotals {
  readonly keyId: number;
  readonly wrote: number;
  readonly received: number;
}

/** As in `tlsstate`: the sessions that are kept. */
const MAX_STREAMS = 3;
const MAX_CHUNK_BYTES = 1_000;

/** Longest flight of the handshake; shorter than a send window, or longer. Unit: bytes. */
const MAX_FLIGHT_BYTES = 8_000;

/** More would keep the handshake of the next key id waiting. */
const MAX_WAITING_BYTES = 5_000;

/** What a stream consists of: a prime number of bytes, so that no two places are alike for long. */
const PERIOD = 8_191;
const TEXT = new SeededRandom(PERIOD).bytes(PERIOD);
const PERIODIC = Buffer.concat([TEXT, TEXT.subarray(0, MAX_CHUNK_BYTES)]);

/**
 * Stands where TLS would be: every key id has a byte stream each way, whose bytes follow from
 * sender and generation, and a handshake of four flights:
 *
 *     client ──hello──▶ ──finish──▶               server: established after both
 *              ◀──hello── ◀──finish── server      client: established after both
 */
export class ScriptedTls implements Service {
  readonly name = 'scripted-tls';
  /** Renegotiations that are complete at this end. */
  established = -1;
  /** The key id of the last of them. */
  newestKeyId = -1;
  readonly #options: ScriptedTlsOptions;
  /** newest last */
  readonly #streams: Stream[] = [];
  #generations = 0;

  constructor(options: ScriptedTlsOptions) {
    this.#options = options;
  }

  /** Bytes that were written to a stream; -1 when it is not kept. */
  wrote(generation: number): number {
    return this.#streams.find((stream) => stream.generation === generation)?.wrote ?? -1;
  }

  /** What came of each stream that is kept, newest last. */
  get totals(): StreamTotals[] {
    return this.#streams.map(({ keyId, wrote, received }) => ({ keyId, wrote, received }));
  }

  /** Everything that was to be written has gone to the layer below. */
  get flushed(): boolean {
    return this.#streams.every((stream) => stream.wrote === stream.allowed);
  }

  /** Writes `length` bytes to the newest stream that is established, unless much waits there. */
  write(length: number): void {
    const stream = this.#streams.findLast(({ isEstablished }) => isEstablished);
    if (stream === undefined || stream.allowed - stream.wrote > MAX_WAITING_BYTES) return;
    stream.allowed += length;
    this.#options.arm();
  }

  moveUpWorker(now: number): boolean {
    const { hardResetDone, softReset, controlToTls } = this.#options.channels;
    let moved = false;
    if (hardResetDone.take() !== undefined) moved = this.#begin(0, now);
    for (let keyId = softReset.take(); keyId !== undefined; keyId = softReset.take()) {
      moved = this.#begin(keyId, now);
    }
    for (let chunk = controlToTls.take(); chunk !== undefined; chunk = controlToTls.take()) {
      const { keyId, bytes } = chunk;
      const stream = this.#streams.findLast((candidate) => candidate.keyId === keyId);
      // A stream that was given up may still have something on its way.
      if (stream !== undefined) this.#receive(stream, bytes);
      moved = true;
    }
    return moved;
  }

  moveDownWorker(): boolean {
    const { tlsToControl } = this.#options.channels;
    let moved = false;
    for (const stream of this.#streams) {
      while (!tlsToControl.full && stream.wrote < stream.allowed) {
        const length = Math.min(stream.allowed - stream.wrote, MAX_CHUNK_BYTES);
        const bytes = textOf(this.#options.role, stream.generation, stream.wrote, length);
        tlsToControl.push({ keyId: stream.keyId, bytes });
        stream.wrote += length;
        moved = true;
      }
    }
    return moved;
  }

  #begin(keyId: number, now: number): boolean {
    const stream = new Stream(keyId, this.#generations, now);
    this.#generations += 1;
    this.#streams.push(stream);
    if (this.#streams.length > MAX_STREAMS) this.#streams.shift();
    if (this.#options.role === 'client') stream.allowed = stream.flights.clientHello;
    return true;
  }

  #receive(stream: Stream, bytes: Buffer): void {
    const { role, fault, peerWrote } = this.#options;
    const { generation, received, keyId } = stream;
    const peer = role === 'client' ? 'server' : 'client';
    if (!bytes.equals(textOf(peer, generation, received, bytes.length))) {
      fault(`${role}: key id ${keyId}, byte ${received}: not what was written`);
    }
    stream.received += bytes.length;
    const written = peerWrote(generation);
    if (written >= 0 && stream.received > written) {
      fault(`${role}: key id ${keyId}: ${stream.received} bytes of ${written}`);
    }
    if (!stream.isEstablished) this.#advance(stream);
  }

  #advance(stream: Stream): void {
    const { clientHello, clientFinish, serverHello, serverFinish } = stream.flights;
    const [first, last, hello, finish] =
      this.#options.role === 'client'
        ? [serverHello, serverFinish, clientHello, clientFinish]
        : [clientHello, clientFinish, serverHello, serverFinish];
    if (stream.received >= first) {
      const isServerHello = this.#options.role === 'server';
      stream.allowed = Math.max(stream.allowed, isServerHello ? hello : hello + finish);
    }
    if (stream.received < first + last) return;
    stream.allowed = Math.max(stream.allowed, hello + finish);
    this.#establish(stream);
  }

  #establish(stream: Stream): void {
    const { channels, role, data, fault, settled } = this.#options;
    const { keyId, generation } = stream;
    stream.isEstablished = true;
    this.established = generation;
    this.newestKeyId = keyId;
    const key: DataChannelKey = {
      keyId,
      role,
      cipher: cipherOf(data),
      peerId: data.peerId,
      epoch: data.epoch,
      material: new SeededRandom(generation + 1).bytes(256),
      startedAt: stream.startedAt,
    };
    if (keyId === 0) settled();
    if (!channels.keyReady.push(key) || !channels.keyEstablished.push(keyId)) {
      fault(`${role}: no room for key id ${keyId}`);
    }
  }
}

/** One generation of keys: what was written and read under its key id. */
class Stream {
  readonly keyId: number;
  readonly generation: number;
  readonly startedAt: number;
  readonly flights: Record<'clientHello' | 'clientFinish' | 'serverHello' | 'serverFinish', number>;
  isEstablished = false;
  /** How much may be written, and how much was. */
  allowed = 0;
  wrote = 0;
  received = 0;

  constructor(keyId: number, generation: number, startedAt: number) {
    const random = new SeededRandom(~generation);
    const length = () => 1 + Math.floor(random.fraction() ** 2 * MAX_FLIGHT_BYTES);
    this.keyId = keyId;
    this.generation = generation;
    this.startedAt = startedAt;
    this.flights = {
      clientHello: length(),
      clientFinish: length(),
      serverHello: length(),
      serverFinish: length(),
    };
  }
}

/** At most {@link MAX_CHUNK_BYTES} bytes of a stream; a view that nobody may change. */
function textOf(from: Role, generation: number, at: number, length: number): Buffer {
  const shift = generation * 613 + (from === 'client' ? 0 : 307);
  const start = (at + shift) % PERIOD;
  return PERIODIC.subarray(start, start + length);
}

function cipherOf({ cipher: name }: DataKind): DataChannelKey['cipher'] {
  const cipher = DATA_CIPHERS.get(name);
  if (cipher === undefined) throw new Error(`no such cipher: ${name}`);
  return cipher;
}
