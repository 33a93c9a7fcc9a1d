/**
 * Big-endian integers in buffers: the only code that indexes one. The caller has checked the
 * bounds; a read outside them gives a wrong number, never an exception, so check first.
 */
type Bytes = Uint8Array & { readonly [index: number]: number };

export function u8(bytes: Uint8Array, at: number): number {
  return (bytes as Bytes)[at] as number;
}

export function u16(bytes: Uint8Array, at: number): number {
  const b = bytes as Bytes;
  return ((b[at] as number) << 8) | (b[at + 1] as number);
}

export function u24(bytes: Uint8Array, at: number): number {
  const b = bytes as Bytes;
  return ((b[at] as number) << 16) | ((b[at + 1] as number) << 8) | (b[at + 2] as number);
}

export function u32(bytes: Uint8Array, at: number): number {
  const b = bytes as Bytes;
  return (
    (((b[at] as number) << 24) |
      ((b[at + 1] as number) << 16) |
      ((b[at + 2] as number) << 8) |
      (b[at + 3] as number)) >>>
    0
  );
}

export function setU8(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
}

export function setU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function setU24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 16;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value;
}

export function setU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** No bytes. */
export const EMPTY: Buffer = Buffer.alloc(0);
