const SLAB_BYTES = 64 * 1024;
/** Packets begin at multiples of this. */
const ALIGNMENT = 8;

/**
 * Cuts outgoing packets from large buffers, which costs a third of a buffer for each. Nothing is
 * used twice; a packet keeps its slab alive, so it is for packets that leave soon.
 */
export class PacketSlab {
  #slab = Buffer.alloc(0);
  #used = 0;

  /** A buffer of `bytes` bytes whose content is arbitrary. */
  allocate(bytes: number): Buffer {
    if (bytes > SLAB_BYTES) return Buffer.allocUnsafeSlow(bytes);
    if (this.#used + bytes > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#used = 0;
    }
    const packet = this.#slab.subarray(this.#used, this.#used + bytes);
    this.#used += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return packet;
  }
}
