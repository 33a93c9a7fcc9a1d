import type { Writable } from 'node:stream';
import type { Millis } from '../core/machine.ts';
import type { TracedLink, Tracer } from '../model/tracer.ts';
import { Direction, fileHeader, packetBlock } from './pcapng.ts';
import { type Endpoint, MAX_UDP_PAYLOAD, udpPacket } from './udp-packet.ts';

/** The most that a capture holds in memory: all of it, or what its stream has not taken yet. */
export const MAX_CAPTURE_BYTES = 67_108_864;

export interface PcapngTraceOptions {
  /** Takes the file as it grows. Default: it is kept in memory, see {@link PcapngTrace.bytes}. */
  readonly sink?: Writable;
  /** Unix time at which the session's clock was 0. Unit: milliseconds. Default: the process's. */
  readonly timeOriginMs?: number;
  /** Bytes after which packets are counted only. Default: {@link MAX_CAPTURE_BYTES}. */
  readonly maxBytes?: number;
}

/**
 * Writes the outer packets of a session as a pcapng capture. Each gets IP and UDP headers with the
 * link's addresses, so that `tshark -d udp.port==1194,openvpn` dissects it; those of a TCP link are
 * shown as datagrams too.
 */
export class PcapngTrace implements Tracer {
  readonly #sink: Writable | undefined;
  readonly #timeOriginMs: number;
  readonly #maxBytes: number;
  readonly #blocks: Buffer[] = [];
  #kept = 0;
  #omitted = 0;
  #local: Endpoint = { address: '0.0.0.0', port: 0 };
  #remote: Endpoint = { address: '0.0.0.0', port: 0 };

  constructor({ sink, timeOriginMs, maxBytes }: PcapngTraceOptions = {}) {
    this.#sink = sink;
    this.#timeOriginMs = timeOriginMs ?? performance.timeOrigin;
    this.#maxBytes = maxBytes ?? MAX_CAPTURE_BYTES;
    this.#write(fileHeader());
  }

  /** Names the addresses of the packets that follow: once the link is there, and after each change. */
  linkOpened({ localAddress, localPort, remoteAddress, remotePort }: TracedLink): void {
    this.#local = { address: localAddress, port: localPort };
    this.#remote = { address: remoteAddress, port: remotePort };
  }

  /** How many packets were left out for want of room. */
  get omitted(): number {
    return this.#omitted;
  }

  /** The capture so far; empty when it goes to a stream. */
  get bytes(): Buffer {
    return Buffer.concat(this.#blocks);
  }

  datagramIn(packet: Uint8Array, now: Millis): void {
    this.#capture(this.#remote, this.#local, packet, Direction.IN, now);
  }

  datagramOut(packet: Uint8Array, now: Millis): void {
    this.#capture(this.#local, this.#remote, packet, Direction.OUT, now);
  }

  #capture(from: Endpoint, to: Endpoint, packet: Uint8Array, way: Direction, now: Millis): void {
    const held = this.#sink === undefined ? this.#kept : this.#sink.writableLength;
    if (packet.length > MAX_UDP_PAYLOAD || held + packet.length > this.#maxBytes) {
      this.#omitted += 1;
      return;
    }
    const micros = Math.round((this.#timeOriginMs + now) * 1000);
    this.#write(packetBlock(udpPacket(from, to, packet), way, micros));
  }

  #write(bytes: Buffer): void {
    if (this.#sink === undefined) {
      this.#blocks.push(bytes);
      this.#kept += bytes.length;
    } else if (this.#sink.writable) this.#sink.write(bytes);
    else this.#omitted += 1;
  }
}
