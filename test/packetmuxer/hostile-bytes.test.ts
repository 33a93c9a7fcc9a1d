import { describe, expect, test } from 'vitest';
import { DROP_NAMES, Drop } from '../../src/core/machine.ts';
import { type Role, sessionIdOf } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import { isData, Opcode, opcodeOf } from '../../src/model/opcode.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import type { ControlKey } from '../../src/packetmuxer/control-key.ts';
import {
  decodeControlPacket,
  encodeControlPacket,
} from '../../src/packetmuxer/control-packet-codec.ts';
import { type ControlWrap, plainWrap } from '../../src/packetmuxer/control-wrap.ts';
import {
  HardResetResponder,
  type ResponderVerdict,
} from '../../src/packetmuxer/hard-reset-responder.ts';
import { PacketMuxer } from '../../src/packetmuxer/packet-muxer.ts';
import { SessionWrap } from '../../src/packetmuxer/session-wrap.ts';
import { StatelessWrap } from '../../src/packetmuxer/stateless-wrap.ts';
import { TlsAuthKey } from '../../src/packetmuxer/tls-auth-key.ts';
import { TlsCryptKey } from '../../src/packetmuxer/tls-crypt-key.ts';
import type { TlsCryptV2OpeningOptions } from '../../src/packetmuxer/tls-crypt-v2-opening.ts';
import {
  TlsCryptV2ClientWrap,
  TlsCryptV2ServerWrap,
} from '../../src/packetmuxer/tls-crypt-v2-wraps.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { awkwardPackets, forEachForgery } from './hostile-bytes.ts';
import {
  tlsAuthKeyBytes,
  tlsCryptKeyBytes,
  tlsCryptV2Key,
  wrappedKeyVectors,
} from './wrap-vectors.ts';

const CLIENT = sessionIdOf(Buffer.alloc(8, 0xaa));
const SERVER = sessionIdOf(Buffer.alloc(8, 0xbb));
const HERE = '192.0.2.7 1194';
const unixSeconds = () => 1_800_000_000;

/** One wrap in both roles, and in the hand of a server that knows nobody. */
interface Wrapping {
  readonly name: string;
  readonly wrapOf: (role: Role) => ControlWrap;
  readonly opening:
    | { readonly wrap: ControlWrap }
    | { readonly tlsCryptV2: TlsCryptV2OpeningOptions };
  readonly resetOpcode: Opcode;
  readonly completingOpcode: Opcode;
}

const V2_KEY = tlsCryptV2Key();
const V2_SERVER_KEY =
  wrappedKeyVectors().find(({ key }) => key.equals(V2_KEY.key))?.serverKey ?? expect.fail();

const SHARED = {
  resetOpcode: Opcode.P_CONTROL_HARD_RESET_CLIENT_V2,
  completingOpcode: Opcode.P_CONTROL_V1,
};

const WRAPPINGS: readonly Wrapping[] = [
  { name: 'none', wrapOf: () => plainWrap, opening: { wrap: plainWrap }, ...SHARED },
  ...['SHA1', 'SHA256', 'SHA512'].map((digest) =>
    shared(`tls-auth ${digest}`, (role) => {
      const direction = role === 'client' ? 1 : 0;
      return new TlsAuthKey({ key: tlsAuthKeyBytes(), direction, digest });
    }),
  ),
  shared('tls-crypt', (role) => new TlsCryptKey(tlsCryptKeyBytes(), role)),
  {
    name: 'tls-crypt-v2',
    wrapOf: (role) =>
      role === 'client'
        ? new TlsCryptV2ClientWrap({ ...V2_KEY, unixSeconds })
        : new TlsCryptV2ServerWrap({ key: V2_KEY.key, unixSeconds }),
    opening: { tlsCryptV2: { serverKey: V2_SERVER_KEY, protocol: 'udp', unixSeconds } },
    resetOpcode: Opcode.P_CONTROL_HARD_RESET_CLIENT_V3,
    completingOpcode: Opcode.P_CONTROL_WKC_V1,
  },
];

function shared(name: string, keyOf: (role: Role) => ControlKey): Wrapping {
  return {
    name,
    wrapOf: (role) => new SessionWrap({ key: keyOf(role), unixSeconds }),
    opening: { wrap: new StatelessWrap({ key: keyOf('server'), unixSeconds }) },
    ...SHARED,
  };
}

describe('every opcode and key id, in awkward lengths', () => {
  test.each(WRAPPINGS)('$name: both roles drop it, and know nobody by it', ({ wrapOf }) => {
    for (const role of ['opening client', 'client', 'server'] as const) {
      const { muxer, activity } = muxerOf(role, wrapOf);
      const before = { ids: muxer.sessionIds, receivedAt: activity.receivedAt };
      for (const packet of awkwardPackets()) {
        const outcome = muxer.fromBelow(packet, 9);
        if (typeof outcome !== 'number' || outcome === Drop.NONE) {
          expect.fail(`${role}: ${packet.toString('hex', 0, 20)} was taken`);
        }
        if (packet.length > 0 && isData(opcodeOf(packet.readUInt8(0)))) {
          expect(outcome).toBe(Drop.BAD_OPCODE);
        }
      }
      expect({ ids: muxer.sessionIds, receivedAt: activity.receivedAt }).toEqual(before);
    }
  });

  test.each(WRAPPINGS)('$name: a server without sessions accepts nobody by it', (wrapping) => {
    const responder = responderOf(wrapping);
    for (const packet of awkwardPackets()) {
      const verdict = responder.onPacket(packet, HERE, 0);
      if (verdict.kind === 'drop') continue;
      // What nothing protects is a reset by its first byte, and is answered like one.
      expect(wrapping.name).toBe('none');
      expect(verdict.kind).toBe('reply');
      expect(opcodeOf(packet.readUInt8(0))).toBe(wrapping.resetOpcode);
    }
  });

  test.each(WRAPPINGS)('$name: what belongs to a session is told without a throw', (wrapping) => {
    const responder = responderOf(wrapping);
    const ids = { local: SERVER, remote: CLIENT };
    for (const packet of awkwardPackets()) {
      const isItsData = packet.length > 0 && isData(opcodeOf(packet.readUInt8(0)));
      expect(responder.belongsTo(packet, ids)).toBe(isItsData);
    }
  });
});

describe('every truncation, extension and changed byte of an opening', () => {
  test.each(WRAPPINGS)('$name: of a reset, is no reason to answer', (wrapping) => {
    const responder = responderOf(wrapping, 1);
    const reset = clientPacket(wrapping, wrapping.resetOpcode, 0);
    const patient = responderOf(wrapping);
    const verdicts = new Set<string>();
    forEachForgery(reset, (forged) => {
      const verdict = (wrapping.name === 'none' ? patient : responder).onPacket(forged, HERE, 0);
      verdicts.add(nameOf(verdict));
    });
    // A server that is asked in clear answers whoever asks, and only that.
    expect(verdicts.has('reply')).toBe(wrapping.name === 'none');
    expect(verdicts.has('accept')).toBe(false);
    expect(responder.onPacket(reset, HERE, 0).kind).toBe('reply');
  });

  test.each(WRAPPINGS)('$name: of the packet behind it, opens no session', (wrapping) => {
    const responder = responderOf(wrapping, 1);
    const cookie = cookieFrom(responder, wrapping);
    const completing = clientPacket(wrapping, wrapping.completingOpcode, 1, cookie);
    forEachForgery(completing, (forged, how, at) => {
      const verdict = responder.onPacket(forged, HERE, 0);
      if (verdict.kind === 'drop') return;
      if (wrapping.name !== 'none') expect.fail(`${how} at ${at}: ${verdict.kind}`);
      // In clear only the ids can be checked.
      expect(verdict).toMatchObject({ kind: 'accept', ids: { local: cookie, remote: CLIENT } });
    });
    expect(responder.onPacket(completing, HERE, 0)).toMatchObject({
      kind: 'accept',
      ids: { local: cookie, remote: CLIENT },
    });
  });
});

function muxerOf(role: Role | 'opening client', wrapOf: (role: Role) => ControlWrap) {
  const activity = new LinkActivity(0);
  const wrap = wrapOf(role === 'server' ? 'server' : 'client');
  const common = { wrapFor: () => wrap, activity };
  const muxer = new PacketMuxer(
    role === 'server'
      ? { role, localSessionId: SERVER, remoteSessionId: CLIENT, ...common }
      : { role: 'client', localSessionId: CLIENT, ...common },
  );
  if (role === 'client') {
    const answer = new ControlPacket(Opcode.P_CONTROL_HARD_RESET_SERVER_V2, 0, SERVER);
    answer.packetId = 0;
    answer.ackedPacketIds = [0];
    answer.remoteSessionId = CLIENT;
    const packet = wrapOf('server').wrap(encodeControlPacket(answer));
    expect(muxer.fromBelow(packet, 1)).toBeInstanceOf(ControlPacket);
  }
  return { muxer, activity };
}

function responderOf({ opening }: Wrapping, maxReplies?: number): HardResetResponder {
  return new HardResetResponder({
    ...opening,
    random: new SeededRandom(1),
    maxReplies: maxReplies ?? Number.POSITIVE_INFINITY,
  });
}

/** A packet of a client that opens a session. */
function clientPacket(
  { wrapOf }: Wrapping,
  opcode: Opcode,
  packetId: number,
  cookie?: typeof SERVER,
): Buffer {
  const packet = new ControlPacket(opcode, 0, CLIENT);
  packet.packetId = packetId;
  packet.ackedPacketIds = cookie === undefined ? [] : [0];
  packet.remoteSessionId = cookie;
  packet.payload = Buffer.alloc(packetId * 40, 0x16);
  return wrapOf('client').wrap(encodeControlPacket(packet));
}

function cookieFrom(responder: HardResetResponder, wrapping: Wrapping) {
  const reset = clientPacket(wrapping, wrapping.resetOpcode, 0);
  const verdict = responder.onPacket(reset, HERE, 0);
  if (verdict.kind !== 'reply') return expect.fail(`no reply: ${nameOf(verdict)}`);
  const plain = wrapping.wrapOf('client').unwrap(verdict.packet);
  const answer = typeof plain === 'number' ? plain : decodeControlPacket(plain);
  return typeof answer === 'number' ? expect.fail(DROP_NAMES[answer]) : answer.sessionId;
}

function nameOf(verdict: ResponderVerdict): string {
  return verdict.kind === 'drop' ? (DROP_NAMES[verdict.drop] ?? '') : verdict.kind;
}
