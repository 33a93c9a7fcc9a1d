import { describe, expect, test } from 'vitest';
import { type Role, type SessionId, sessionIdOf } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import { type ControlWrap, plainWrap } from '../../src/packetmuxer/control-wrap.ts';
import { PacketMuxer } from '../../src/packetmuxer/packet-muxer.ts';
import { SessionWrap } from '../../src/packetmuxer/session-wrap.ts';
import {
  TlsCryptV2ClientWrap,
  TlsCryptV2ServerWrap,
} from '../../src/packetmuxer/tls-crypt-v2-wraps.ts';
import { type Capture, type RecordedPacket, readCaptures } from './captures.ts';
import { keyOf } from './captures-keys.ts';
import { tlsCryptV2Key } from './wrap-vectors.ts';

describe('recorded sessions', () => {
  const unixSeconds = () => 1_800_000_000;
  const sessions = readCaptures().filter(({ name }) => name !== '33-server-sigusr1');

  /** The wraps of one end: that of key id 0, and that of all later ones. */
  function wrapsOf(capture: Capture, role: Role): (keyId: number) => ControlWrap | undefined {
    const wrapOf = (recorded: RecordedPacket | undefined): ControlWrap | undefined => {
      if (recorded === undefined) return undefined;
      const key = keyOf(capture, recorded, role);
      if (key === undefined) return plainWrap;
      if (capture.wrap !== 'tls-crypt-v2' || recorded.key_id > 0) {
        return new SessionWrap({ key, unixSeconds });
      }
      const { key: clientKey, wrappedKey } = tlsCryptV2Key();
      return role === 'client'
        ? new TlsCryptV2ClientWrap({ key: clientKey, wrappedKey, unixSeconds })
        : new TlsCryptV2ServerWrap({ key: clientKey, unixSeconds });
    };
    const first = wrapOf(capture.control.find(({ key_id }) => key_id === 0));
    const renegotiation = capture.control.find(({ key_id }) => key_id > 0);
    const later = renegotiation?.wrap === undefined ? first : wrapOf(renegotiation);
    return (keyId) => (keyId === 0 ? first : later);
  }

  function sessionIdIn({ control }: Capture, dir: 'C' | 'S'): SessionId {
    const hex = control.find((packet) => packet.dir === dir)?.session_id ?? '';
    return sessionIdOf(Buffer.from(hex, 'hex'));
  }

  test.each(sessions)('$name: a client takes all that the server sent', (capture) => {
    const muxer = new PacketMuxer({
      role: 'client',
      localSessionId: sessionIdIn(capture, 'C'),
      wrapFor: wrapsOf(capture, 'client'),
      activity: new LinkActivity(0),
    });
    const fromServer = capture.control.filter(({ dir }) => dir === 'S');
    expect(fromServer.length).toBeGreaterThanOrEqual(3);
    for (const { hex } of fromServer) {
      expect(muxer.fromBelow(Buffer.from(hex, 'hex'), 1)).toBeInstanceOf(ControlPacket);
    }
  });

  test.each(sessions)('$name: a server takes all that the client sent, but resets', (capture) => {
    const muxer = new PacketMuxer({
      role: 'server',
      localSessionId: sessionIdIn(capture, 'S'),
      remoteSessionId: sessionIdIn(capture, 'C'),
      wrapFor: wrapsOf(capture, 'server'),
      activity: new LinkActivity(0),
    });
    for (const { hex, op } of capture.control.filter(({ dir }) => dir === 'C')) {
      const result = muxer.fromBelow(Buffer.from(hex, 'hex'), 1);
      if (op.startsWith('HARD_RESET')) expect(result).toBeTypeOf('number');
      else expect(result).toBeInstanceOf(ControlPacket);
    }
  });
});
