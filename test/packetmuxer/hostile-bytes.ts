/** What happens to a byte: each single bit of it is changed, then all of them. */
export const MASKS: readonly number[] = [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff];

/** Most bytes that are put behind a packet. */
export const MAX_EXTRA_BYTES = 64;

export type Forgery = 'cut' | 'longer' | 'changed';

/**
 * What `visit` is given: an altered packet in a buffer that it may not keep, what was done to it,
 * and where: its new length, or the byte that was changed.
 */
export type Visit = (forged: Buffer, how: Forgery, at: number) => void;

/** Every truncation, every extension up to {@link MAX_EXTRA_BYTES}, every byte with each mask. */
export function forEachForgery(packet: Buffer, visit: Visit): void {
  for (let length = 0; length < packet.length; length += 1) {
    visit(Buffer.from(packet.subarray(0, length)), 'cut', length);
  }
  for (let more = 1; more <= MAX_EXTRA_BYTES; more += 1) {
    visit(Buffer.concat([packet, Buffer.alloc(more)]), 'longer', packet.length + more);
  }
  const changed = Buffer.from(packet);
  for (const [at, byte] of packet.entries()) {
    for (const mask of MASKS) {
      changed[at] = byte ^ mask;
      visit(changed, 'changed', at);
    }
    changed[at] = byte;
  }
}

/** Lengths at which some reader may stumble: fields, wraps, and the longest datagram there is. */
export const AWKWARD_LENGTHS: readonly number[] = [0, 1, 2, 8, 9, 10, 17, 49, 50, 1_200, 65_507];

/** Bytes behind the first one: what is all zero, all one, and what counts up. */
const FILLINGS: readonly ((at: number) => number)[] = [() => 0, () => 0xff, (at) => at & 0xff];

/** Every opcode with every key id in every one of the {@link AWKWARD_LENGTHS}. */
export function* awkwardPackets(): Generator<Buffer> {
  for (const length of AWKWARD_LENGTHS) {
    for (const filling of FILLINGS) {
      const packet = Buffer.from(Array.from({ length }, (_, at) => filling(at)));
      // One buffer for each: who keeps a part of it keeps what he was given.
      for (let byte0 = 0; byte0 < 256; byte0 += 1) {
        if (length > 0) packet[0] = byte0;
        yield packet;
      }
    }
  }
}
