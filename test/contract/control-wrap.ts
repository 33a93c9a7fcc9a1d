import { describe, expect, test } from 'vitest';
import type { ControlWrap } from '../../src/packetmuxer/control-wrap.ts';

/** Two ends of one wrap, made afresh for every test. */
export interface WrapPair {
  readonly client: ControlWrap;
  readonly server: ControlWrap;
}

/** What every {@link ControlWrap} keeps. */
export function controlWrapContract(name: string, makePair: () => WrapPair): void {
  const reset = Buffer.from('380102030405060708000000000000', 'hex').subarray(0, 14);
  const control = Buffer.concat([
    Buffer.from('2001020304050607080000000001', 'hex'),
    Buffer.alloc(1200, 0x16),
  ]);

  describe(`ControlWrap: ${name}`, () => {
    test.each([
      { what: 'a reset', plain: reset },
      { what: 'a full packet', plain: control },
    ])('brings $what back, either way', ({ plain }) => {
      const { client, server } = makePair();
      expect(server.unwrap(client.wrap(Buffer.from(plain)))).toEqual(plain);
      expect(client.unwrap(server.wrap(Buffer.from(plain)))).toEqual(plain);
    });

    test('adds exactly its overhead', () => {
      const { client } = makePair();
      expect(client.wrap(Buffer.from(control)).length).toBe(control.length + client.overheadBytes);
    });

    test('leaves opcode, key id and session id in clear and in front', () => {
      const { client } = makePair();
      expect(client.wrap(Buffer.from(control)).subarray(0, 9)).toEqual(control.subarray(0, 9));
    });

    test('refuses every truncation by a code or by what the codec refuses, never by a throw', () => {
      const { client, server } = makePair();
      const packet = client.wrap(Buffer.from(reset));
      for (let length = 0; length < packet.length; length += 1) {
        const result = server.unwrap(Buffer.from(packet.subarray(0, length)));
        if (typeof result !== 'number') expect(result.length).toBeLessThan(reset.length);
      }
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
