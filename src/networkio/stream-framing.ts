import { EMPTY, setU16, u16 } from '../core/bytes.ts';
import { OvpnProtocolError } from '../core/errors.ts';

/**
 * OpenVPN packets on a byte stream (socket.c `stream_buf`): back to back, each behind its length.
 *
 *     offset  size  field
 *     0       2     length n of the packet, 1 … MAX_FRAME_BYTES
 *     2       n     packet
 */

const LENGTH_BYTES = 2;

/**
 * Longest packet on a stream: a tunnel packet of 9,000 bytes, the largest `tun-mtu` we grant, in
 * the most costly data format; a control packet has less. Unit: bytes.
 */
export const MAX_FRAME_BYTES = 9_256;

/**
 * Cuts a byte stream into packets, however it is chunked. Packets that lie in one chunk are views
 * of it; only those that cross a border are copied. Holds at most one chunk and one packet.
 */
export class StreamDeframer {
  #chunk: Buffer = EMPTY;
  #at = 0;
  /** The packet that the last chunk began: its buffer, and how much of that is filled. */
  #begun: Buffer | undefined;
  #filled = 0;
  #failure: OvpnProtocolError | undefined;

  /** Why the stream can be read no further, or undefined. */
  get failure(): OvpnProtocolError | undefined {
    return this.#failure;
  }

  /** Adds what arrived and keeps it until it is taken. */
  push(chunk: Buffer): void {
    if (this.#failure !== undefined) return;
    const rest = this.#chunk.length - this.#at;
    this.#chunk = rest === 0 ? chunk : Buffer.concat([this.#chunk.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  /** The next whole packet; undefined when more must arrive first, or after a failure. */
  take(): Buffer | undefined {
    if (this.#begun !== undefined) return this.#fill(this.#begun);
    const chunk = this.#chunk;
    const packetAt = this.#at + LENGTH_BYTES;
    if (packetAt > chunk.length) return undefined;
    const length = u16(chunk, this.#at);
    if (length === 0 || length > MAX_FRAME_BYTES) {
      this.#fail(length);
      return undefined;
    }
    this.#at = packetAt;
    if (packetAt + length > chunk.length) return this.#fill(Buffer.allocUnsafe(length));
    this.#at += length;
    return chunk.subarray(packetAt, packetAt + length);
  }

  #fill(packet: Buffer): Buffer | undefined {
    const copied = this.#chunk.copy(packet, this.#filled, this.#at);
    this.#at += copied;
    this.#filled += copied;
    const whole = this.#filled === packet.length;
    this.#begun = whole ? undefined : packet;
    if (whole) this.#filled = 0;
    return whole ? packet : undefined;
  }

  #fail(length: number): void {
    this.#chunk = EMPTY;
    this.#at = 0;
    this.#failure = new OvpnProtocolError(
      `expected a packet of 1 to ${MAX_FRAME_BYTES} bytes on the stream, got ${length}`,
      { layer: 'networkio', retryable: true, reference: 'socket.c stream_buf_added' },
    );
  }
}

/** Gathers packets, so that many leave in one write. A copy of a packet costs less than a vector entry. */
export class StreamFramer {
  #packets: Buffer[] = [];
  #bytes = 0;

  /** What `flush` would give. Unit: bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param packet at most {@link MAX_FRAME_BYTES} long; kept until `flush` */
  add(packet: Buffer): void {
    this.#packets.push(packet);
    this.#bytes += LENGTH_BYTES + packet.length;
  }

  /** The framed packets since the last call, in a buffer of their own. */
  flush(): Buffer {
    const framed = Buffer.allocUnsafe(this.#bytes);
    let at = 0;
    for (const packet of this.#packets) {
      setU16(framed, at, packet.length);
      framed.set(packet, at + LENGTH_BYTES);
      at += LENGTH_BYTES + packet.length;
    }
    this.#packets = [];
    this.#bytes = 0;
    return framed;
  }
}
