import fc from 'fast-check';

/** Literals, then a match: `count` bytes from `distance` back. */
export interface Step {
  readonly literals: Buffer;
  readonly distance: number;
  readonly count: number;
}

interface Stream {
  readonly block: Buffer;
  /** Naively copied; empty where it was not asked for. */
  readonly text: Buffer;
}

/** Rows of steps, every match of which begins inside the text so far. */
export const steps: fc.Arbitrary<readonly Step[]> = fc
  .array(
    fc.record({
      literals: fc.oneof(
        fc.uint8Array({ minLength: 4, maxLength: 12 }),
        fc.uint8Array({ minLength: 4, maxLength: 600 }),
      ),
      back: fc.double({ min: 0, max: 1, noNaN: true }),
      count: fc.oneof(fc.integer({ min: 4, max: 40 }), fc.integer({ min: 4, max: 3000 })),
    }),
    { maxLength: 12 },
  )
  .map((rows) => {
    let length = 0;
    return rows.map(({ literals, back, count }) => {
      length += literals.length;
      const distance = Math.min(1 + Math.floor(back * (length - 1)), 49_151);
      length += count;
      return { literals: Buffer.from(literals), distance, count };
    });
  });

/** The steps as an LZ4 block. Its last sequence is four literals. */
export function lz4Stream(given: readonly Step[], withText = true): Stream {
  const last = Buffer.from('last');
  const parts: Buffer[] = [];
  for (const { literals, distance, count } of given) {
    const match = count - 4;
    const token = (Math.min(literals.length, 15) << 4) | Math.min(match, 15);
    const offset = Buffer.of(distance & 0xff, distance >>> 8);
    parts.push(Buffer.of(token), lz4More(literals.length), literals, offset, lz4More(match));
  }
  parts.push(Buffer.of(last.length << 4), last);
  return { block: Buffer.concat(parts), text: withText ? textOf(given, last) : last };
}

function lz4More(length: number): Buffer {
  if (length < 15) return Buffer.alloc(0);
  const rest = length - 15;
  return Buffer.concat([Buffer.alloc(Math.floor(rest / 255), 0xff), Buffer.of(rest % 255)]);
}

/** The steps as an LZO1X block. */
export function lzoStream(given: readonly Step[], withText = true): Stream {
  const parts: Buffer[] = [];
  for (const { literals, distance, count } of given) {
    parts.push(lzoCode(0, literals.length - 3, 15), literals, lzoMatch(distance, count));
  }
  parts.push(Buffer.of(0x11, 0, 0));
  return {
    block: Buffer.concat(parts),
    text: withText ? textOf(given, Buffer.alloc(0)) : Buffer.alloc(0),
  };
}

function lzoMatch(distance: number, count: number): Buffer {
  if (count <= 8 && distance <= 2048) {
    const back = distance - 1;
    return Buffer.of(((count - 1) << 5) | ((back & 7) << 2), back >>> 3);
  }
  if (distance <= 16_384) {
    return Buffer.concat([lzoCode(0x20, count - 2, 31), word((distance - 1) << 2)]);
  }
  const back = distance - 16_384;
  const high = back >>> 14 === 0 ? 0 : 8;
  return Buffer.concat([lzoCode(0x10 | high, count - 2, 7), word((back & 0x3fff) << 2)]);
}

function lzoCode(code: number, length: number, most: number): Buffer {
  if (length <= most) return Buffer.of(code | length);
  const rest = length - most - 1;
  return Buffer.concat([
    Buffer.of(code),
    Buffer.alloc(Math.floor(rest / 255)),
    Buffer.of((rest % 255) + 1),
  ]);
}

function word(value: number): Buffer {
  return Buffer.of(value & 0xff, value >>> 8);
}

function textOf(given: readonly Step[], last: Buffer): Buffer {
  const bytes: number[] = [];
  for (const { literals, distance, count } of given) {
    bytes.push(...literals);
    for (let each = 0; each < count; each += 1) bytes.push(bytes[bytes.length - distance] ?? 0);
  }
  return Buffer.from([...bytes, ...last]);
}
