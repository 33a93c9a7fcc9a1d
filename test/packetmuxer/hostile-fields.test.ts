import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { type SessionId, sessionIdOf } from '../../src/model/ids.ts';
import { MAX_WRAPPED_KEY_BYTES } from '../../src/model/wrapped-key.ts';
import {
  decodeControlPacket,
  MAX_ACKS,
  MAX_CONTROL_PAYLOAD_BYTES,
} from '../../src/packetmuxer/control-packet-codec.ts';
import { decodeEarlyNegotiation } from '../../src/packetmuxer/early-negotiation.ts';
import { ResetCookie } from '../../src/packetmuxer/reset-cookie.ts';
import { splitWrappedKey } from '../../src/packetmuxer/tls-crypt-v2.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

const CONTROL_HEADER = Buffer.from('20aaaaaaaaaaaaaaaa', 'hex');
const ACK_HEADER = Buffer.from('28aaaaaaaaaaaaaaaa', 'hex');

describe('the number of acknowledgements', () => {
  const lengths = [0, 1, 3, 4, 7, 8, 11, 12, 15, 16, 40, 43, 44, 45, 100, 1_100, 2_100];

  test.each([
    { name: 'P_CONTROL_V1', header: CONTROL_HEADER, idBytes: 4, most: MAX_CONTROL_PAYLOAD_BYTES },
    { name: 'P_ACK_V1', header: ACK_HEADER, idBytes: 0, most: 0 },
  ])('0 to 255 before any rest of a $name counts only where it fits', (row) => {
    for (let count = 0; count < 256; count += 1) {
      const ackBytes = count === 0 ? 0 : count * 4 + 8;
      for (const length of lengths) {
        const rest = Buffer.alloc(length, 7);
        const packet = decodeControlPacket(Buffer.concat([row.header, Buffer.of(count), rest]));
        const payloadBytes = length - ackBytes - row.idBytes;
        const fits = count <= MAX_ACKS && payloadBytes >= 0 && payloadBytes <= row.most;
        expect(typeof packet !== 'number', `${count} before ${length} bytes`).toBe(fits);
        if (typeof packet === 'number') expect(packet).toBe(Drop.MALFORMED);
        else expect(packet.ackedPacketIds).toHaveLength(count);
      }
    }
  });
});

describe('the length of a wrapped key', () => {
  test.each([0, 1, 2, 289, 290, 291, 344, 1_024, 1_025, 1_400])(
    'any of 0 to 65,535 at the end of %i bytes is one that the packet holds, or refused',
    (bytes) => {
      const packet = Buffer.alloc(bytes, 7);
      for (let told = 0; told <= 0xffff; told += 1) {
        if (bytes >= 2) packet.writeUInt16BE(told, bytes - 2);
        const split = splitWrappedKey(packet);
        const fits = bytes >= 290 && told >= 290 && told <= MAX_WRAPPED_KEY_BYTES && told <= bytes;
        if ((typeof split !== 'number') !== fits) expect.fail(`${told} of ${bytes}`);
        if (typeof split === 'number') continue;
        if (split.wrappedKey.length !== told) expect.fail(`${told} of ${bytes}`);
      }
    },
  );
});

describe('early negotiation', () => {
  test('lengths that lie about their values are refused, or lead to a value that is there', () => {
    const field = fc.record({
      type: fc.oneof(fc.constant(1), fc.nat(0xffff)),
      told: fc.oneof(fc.nat(8), fc.nat(0xffff)),
      value: fc.uint8Array({ maxLength: 8 }),
    });
    fc.assert(
      fc.property(fc.array(field, { maxLength: 12 }), (fields) => {
        const payload = Buffer.concat(
          fields.flatMap(({ type, told, value }) => {
            const head = Buffer.alloc(4);
            head.writeUInt16BE(type);
            head.writeUInt16BE(told, 2);
            return [head, value];
          }),
        );
        expect(decodeEarlyNegotiation(payload)).toEqual(naiveDecode(payload));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a cookie', () => {
  const id = fc.uint8Array({ minLength: 8, maxLength: 8 }).map(sessionIdOf);
  const remote = fc.tuple(fc.ipV4(), fc.nat(0xffff)).map(([address, port]) => `${address} ${port}`);
  const time = fc.nat(1e9);

  test('is known again for its client, and to nobody else, whatever the ids', () => {
    const cookies = new ResetCookie(new SeededRandom(1), 30_000);
    fc.assert(
      fc.property(remote, remote, id, id, time, (here, there, client, other, now) => {
        const cookie = cookies.issue(here, client, now);
        expect(cookies.verify(cookie, here, client, now)).toBe(true);
        expect(cookies.verify(cookie, there, client, now)).toBe(here === there);
        expect(cookies.verify(cookie, here, other, now)).toBe(client.equals(other));
        expect(cookies.verify(other, here, client, now)).toBe(false);
        expect(cookies.verify(withBitChanged(cookie, now), here, client, now)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

/** The rules in their plainest form. */
function naiveDecode(payload: Buffer): { resendWrappedKey: boolean } | undefined {
  let rest = payload;
  let resendWrappedKey = false;
  while (rest.length > 0) {
    if (rest.length < 4) return undefined;
    const length = rest.readUInt16BE(2);
    if (rest.length < 4 + length) return undefined;
    if (rest.readUInt16BE(0) === 1) {
      if (length !== 2) return undefined;
      if (rest.readUInt16BE(4) % 2 === 1) resendWrappedKey = true;
    }
    rest = rest.subarray(4 + length);
  }
  return { resendWrappedKey };
}

function withBitChanged(cookie: SessionId, bit: number): SessionId {
  const changed = Buffer.from(cookie);
  const at = (bit >>> 3) % changed.length;
  changed.writeUInt8(changed.readUInt8(at) ^ (1 << (bit & 7)), at);
  return sessionIdOf(changed);
}
