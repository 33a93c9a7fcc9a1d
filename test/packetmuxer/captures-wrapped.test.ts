import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import type { ControlKey } from '../../src/packetmuxer/control-key.ts';
import { splitWrappedKey } from '../../src/packetmuxer/tls-crypt-v2.ts';
import { type Capture, plainOf, type RecordedPacket, readCaptures } from './captures.ts';
import { keyOf } from './captures-keys.ts';
import { tlsCryptV2Key } from './wrap-vectors.ts';

/** The recorded packet without the client's wrapped key, where it brings one. */
function wrappedPart({ op, hex }: RecordedPacket): Buffer {
  const packet = Buffer.from(hex, 'hex');
  if (op !== 'HARD_RESET_CLIENT_V3' && op !== 'CONTROL_WKC_V1') return packet;
  const split = splitWrappedKey(packet);
  if (typeof split === 'number') throw new Error(`${op} brings no wrapped key`);
  expect(split.wrappedKey).toEqual(tlsCryptV2Key().wrappedKey);
  return split.packet;
}

function ends(capture: Capture, recorded: RecordedPacket) {
  const client = keyOf(capture, recorded, 'client');
  const server = keyOf(capture, recorded, 'server');
  return recorded.dir === 'C' ? [client, server] : [server, client];
}

function expectBothWays(sender: ControlKey, receiver: ControlKey, packet: Buffer, plain: Buffer) {
  expect(receiver.open(packet)).toEqual(plain);
  const packetId = packet.readUInt32BE(receiver.replayIdAt);
  const netTime = packet.readUInt32BE(receiver.replayIdAt + 4);
  expect(sender.seal(plain, packetId, netTime)).toEqual(packet);
}

describe('recorded sessions', () => {
  const captures = readCaptures();

  test.each(captures)(
    '$name: every control packet opens, and seals to the same bytes',
    (capture) => {
      expect(capture.control.length).toBeGreaterThanOrEqual(11);
      for (const recorded of capture.control) {
        const [sender, receiver] = ends(capture, recorded);
        const packet = wrappedPart(recorded);
        const plain = plainOf(recorded);
        if (sender === undefined || receiver === undefined) expect(packet).toEqual(plain);
        else expectBothWays(sender, receiver, packet, plain);
      }
    },
  );

  test('hold every wrap, and dynamic tls-crypt over none and over tls-crypt-v2', () => {
    const kinds = captures.flatMap(({ wrap, control }) =>
      control.map((recorded) => `${wrap} / ${recorded.wrap ?? 'its own'}`),
    );
    expect([...new Set(kinds)].sort()).toEqual([
      'none / dynamic tls-crypt',
      'none / its own',
      'tls-auth / its own',
      'tls-crypt / its own',
      'tls-crypt-v2 / dynamic tls-crypt',
      'tls-crypt-v2 / its own',
    ]);
  });

  test('no end opens its own packets, but with tls-auth without direction', () => {
    for (const capture of captures) {
      const symmetric = capture.wrap === 'tls-auth' && capture.direction === undefined;
      for (const recorded of capture.control) {
        const [sender] = ends(capture, recorded);
        const isOwn = recorded.wrap === undefined;
        const opened = sender?.open(wrappedPart(recorded)) ?? Drop.BAD_AUTH;
        if (symmetric && isOwn) expect(opened).toEqual(plainOf(recorded));
        else expect(opened).toBe(Drop.BAD_AUTH);
      }
    }
  });
});
