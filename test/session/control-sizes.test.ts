import { describe, expect, test } from 'vitest';
import { sessionIdOf } from '../../src/model/ids.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import { encodeControlPacket } from '../../src/packetmuxer/control-packet-codec.ts';
import { TlsCryptWrap } from '../../src/packetmuxer/tls-crypt.ts';
import { ackV1Limit, MAX_TLS_CHUNK_BYTES } from '../../src/session/control-sizes.ts';

describe('MAX_TLS_CHUNK_BYTES', () => {
  test('keeps the outer datagram within 1,200 bytes', () => {
    const packet = new ControlPacket(Opcode.P_CONTROL_V1, 0, sessionIdOf(Buffer.alloc(8, 1)));
    packet.packetId = 7;
    packet.ackedPacketIds = [1, 2, 3, 4];
    packet.remoteSessionId = sessionIdOf(Buffer.alloc(8, 2));
    packet.payload = Buffer.alloc(MAX_TLS_CHUNK_BYTES);
    const wrap = new TlsCryptWrap({
      key: Buffer.alloc(256, 3),
      role: 'client',
      unixSeconds: () => 1_800_000_000,
    });
    expect(wrap.wrap(encodeControlPacket(packet)).length).toBeLessThanOrEqual(1_200);
  });
});

describe('ackV1Limit', () => {
  test.each([
    { wrapped: true, limit: 8 },
    { wrapped: false, limit: 4 },
  ])('wrapped $wrapped: $limit', ({ wrapped, limit }) => {
    expect(ackV1Limit(wrapped)).toBe(limit);
  });
});
