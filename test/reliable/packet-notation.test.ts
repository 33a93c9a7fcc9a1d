import { describe, expect, test } from 'vitest';
import { notationOf, packetOf, packetsOf, payloadOf } from '../sim/packet-notation.ts';

describe('short notation of packets', () => {
  test.each([
    '[3] CONTROL_V1 (ack:1,2)',
    '[0] HARD_RESET_SERVER_V2 (ack:0)',
    '[0] SOFT_RESET_V1 key:7',
    '[1] CONTROL_WKC_V1 (ack:0)',
    'ACK_V1 key:2 (ack:3,2,1,0)',
  ])('%s', (notation) => {
    expect(notationOf(packetOf(notation))).toBe(notation);
  });

  test('fills in CONTROL_V1, its payload, and the time', () => {
    const [noted] = packetsOf('[3] +10ms');
    expect(noted).toMatchObject({ afterMs: 10, packet: { keyId: 0, payload: payloadOf(0, 3) } });
  });

  test('a range is a packet for each id', () => {
    const ids = packetsOf('[1..10] CONTROL_V1 (ack:0) +5ms').map(({ packet }) => packet.packetId);
    expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test.each(['[3', 'CONTROL_V9', '[1] key:8', '[1] (ack:)'])('%s means nothing', (notation) => {
    expect(() => packetsOf(notation)).toThrow(notation);
  });
});
