import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import type { ControlWrap } from '../../src/packetmuxer/control-wrap.ts';

/** Two ends of one wrap, made afresh for every test. */
export interface WrapPair {
  readonly client: ControlWrap;
  readonly server: ControlWrap;
}

const HEADER_BYTES = 9;
const reset = Buffer.from('3801020304050607080000000000', 'hex');
const control = Buffer.concat([
  Buffer.from('2001020304050607080000000001', 'hex'),
  Buffer.alloc(1200, 0x16),
]);

/** What every {@link ControlWrap} keeps. `addedBytes`: by how much a CONTROL_V1 grows. */
export function controlWrapContract(
  name: string,
  addedBytes: number,
  makePair: () => WrapPair,
): void {
  describe(`ControlWrap: ${name}`, () => {
    test.each([
      { what: 'a reset', plain: reset },
      { what: 'a full packet', plain: control },
    ])('brings $what back, either way', ({ plain }) => {
      const { client, server } = makePair();
      expect(server.unwrap(client.wrap(Buffer.from(plain)))).toEqual(plain);
      expect(client.unwrap(server.wrap(Buffer.from(plain)))).toEqual(plain);
    });

    test('brings any packet back, either way', () => {
      const { client, server } = makePair();
      const packets = fc.uint8Array({ minLength: HEADER_BYTES, maxLength: 300 });
      fc.assert(
        fc.property(packets, (bytes) => {
          const plain = Buffer.from(bytes);
          expect(server.unwrap(client.wrap(Buffer.from(plain)))).toEqual(plain);
          expect(client.unwrap(server.wrap(Buffer.from(plain)))).toEqual(plain);
        }),
      );
    });

    test('adds what its format adds, and its overhead at most', () => {
      const { client, server } = makePair();
      expect(client.wrap(Buffer.from(control))).toHaveLength(control.length + addedBytes);
      expect(server.wrap(Buffer.from(control))).toHaveLength(control.length + addedBytes);
      for (let opcode = 0; opcode < 32; opcode += 1) {
        const plain = Buffer.from(control);
        plain[0] = opcode << 3;
        const added = client.wrap(Buffer.from(plain)).length - plain.length;
        expect(added).toBeLessThanOrEqual(client.overheadBytes);
        expect(added).toBeLessThanOrEqual(server.overheadBytes);
      }
    });

    test('leaves opcode, key id and session id in clear and in front', () => {
      const { client } = makePair();
      const wrapped = client.wrap(Buffer.from(control));
      expect(wrapped.subarray(0, HEADER_BYTES)).toEqual(control.subarray(0, HEADER_BYTES));
    });

    test('refuses every truncation by a code or by what the codec refuses, never by a throw', () => {
      const { client, server } = makePair();
      const packet = client.wrap(Buffer.from(reset));
      for (let length = 0; length < packet.length; length += 1) {
        const result = server.unwrap(Buffer.from(packet.subarray(0, length)));
        if (typeof result !== 'number') expect(result.length).toBeLessThan(reset.length);
      }
    });

    test('no bytes make it throw', () => {
      const { client, server } = makePair();
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
          for (const end of [client, server]) {
            const result = end.unwrap(Buffer.from(bytes));
            expect(typeof result === 'number' || Buffer.isBuffer(result)).toBe(true);
          }
        }),
      );
    });

    test('takes a packet that was wrapped twice as two', () => {
      const { client, server } = makePair();
      const first = client.wrap(Buffer.from(reset));
      const again = client.wrap(Buffer.from(reset));
      expect(server.unwrap(first)).toEqual(reset);
      expect(server.unwrap(again)).toEqual(reset);
    });
  });
}

/** What an authenticating wrap keeps beside that. */
export function sealedWrapContract(name: string, addedBytes: number, makePair: () => WrapPair) {
  controlWrapContract(name, addedBytes, makePair);

  describe(`sealing ControlWrap: ${name}`, () => {
    test('refuses every packet with one bit changed, and then takes the packet itself', () => {
      const { client, server } = makePair();
      const packet = client.wrap(reset);
      for (let bit = 0; bit < packet.length * 8; bit += 1) {
        expect(server.unwrap(withBitFlipped(packet, bit))).toBe(Drop.BAD_AUTH);
      }
      expect(server.unwrap(packet)).toEqual(reset);
    });

    test('refuses every truncation', () => {
      const { client, server } = makePair();
      const packet = client.wrap(reset);
      for (let length = 0; length < packet.length; length += 1) {
        const isShort = length < HEADER_BYTES + addedBytes;
        const result = server.unwrap(packet.subarray(0, length));
        expect(result).toBe(isShort ? Drop.MALFORMED : Drop.BAD_AUTH);
      }
    });

    test('refuses extensions by 1 to 64 bytes', () => {
      const { client, server } = makePair();
      const packet = client.wrap(reset);
      for (let more = 1; more <= 64; more += 1) {
        const extended = Buffer.concat([packet, Buffer.alloc(more)]);
        expect(server.unwrap(extended)).toBe(Drop.BAD_AUTH);
      }
    });

    test('refuses a packet that it has seen', () => {
      const { client, server } = makePair();
      const [fromClient, fromServer] = [client.wrap(reset), server.wrap(reset)];
      expect(server.unwrap(fromClient)).toEqual(reset);
      expect(server.unwrap(fromClient)).toBe(Drop.REPLAY);
      expect(client.unwrap(fromServer)).toEqual(reset);
      expect(client.unwrap(fromServer)).toBe(Drop.REPLAY);
    });

    test('refuses plain packets', () => {
      const { client, server } = makePair();
      expect(server.unwrap(control)).toBe(Drop.BAD_AUTH);
      expect(client.unwrap(control)).toBe(Drop.BAD_AUTH);
    });
  });
}

/** `packet` with one bit changed, counted from the front. */
export function withBitFlipped(packet: Buffer, bit: number): Buffer {
  const changed = Buffer.from(packet);
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
}
