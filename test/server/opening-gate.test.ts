import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import type { ServerWrapOptions } from '../../src/model/control-wrap-options.ts';
import { sessionIdOf } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import { PacketMuxer } from '../../src/packetmuxer/packet-muxer.ts';
import { TlsCryptV2ServerKey } from '../../src/packetmuxer/tls-crypt-v2.ts';
import { acceptedWrap, openingGate } from '../../src/server/opening-gate.ts';
import { ControlWraps } from '../../src/session/control-wraps.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const key = new Secret(Buffer.from(Array.from({ length: 256 }, (_, at) => at)));
const clientKey = Buffer.alloc(256, 2);
const serverKey = new Secret(Buffer.alloc(128, 3));
const wrappedKey = new TlsCryptV2ServerKey(serverKey.reveal()).wrap(clientKey, Buffer.alloc(9));
const digest = 'SHA256';

const tlsAuth: ServerWrapOptions = { kind: 'tls-auth', key, direction: 0, digest };
const tlsCrypt: ServerWrapOptions = { kind: 'tls-crypt', key };
const tlsCryptV2: ServerWrapOptions = { kind: 'tls-crypt-v2', serverKey };

function gateOf(wrap: ServerWrapOptions) {
  const random = new SeededRandom(3);
  const clock = new VirtualClock();
  return openingGate({ wrap, protocol: 'udp', clock, random, handWindowMs: 60_000 });
}

/** The first packet of a client with this wrap. */
function resetOf(wrap: ConstructorParameters<typeof ControlWraps>[0]['wrap']): Buffer {
  const wraps = new ControlWraps({ wrap, role: 'client', unixSeconds: () => 1_800_000_000 });
  const muxer = new PacketMuxer({
    role: 'client',
    localSessionId: sessionIdOf(Buffer.alloc(8, 4)),
    wrapFor: (keyId) => wraps.forKey(keyId),
    activity: new LinkActivity(0),
  });
  const reset = muxer.takeDown(0);
  const outer = reset && muxer.fromAbove(reset, 0);
  if (outer === undefined) throw new Error('no reset');
  return outer;
}

const SERVERS = { none: { kind: 'none' }, tlsAuth, tlsCrypt, tlsCryptV2 } as const;
const CLIENTS = {
  none: { kind: 'none' },
  tlsAuth: { kind: 'tls-auth', key, direction: 1, digest },
  tlsCrypt: { kind: 'tls-crypt', key },
  tlsCryptV2: { kind: 'tls-crypt-v2', key: new Secret(clientKey), wrappedKey },
} as const;
const NAMES = ['none', 'tlsAuth', 'tlsCrypt', 'tlsCryptV2'] as const;

describe('openingGate', () => {
  test.each(NAMES)('%s: answers its own kind of client, and no other', (own) => {
    for (const name of NAMES) {
      const verdict = gateOf(SERVERS[own]).onPacket(resetOf(CLIENTS[name]), '192.0.2.1 1', 0);
      expect(verdict.kind).toBe(name === own ? 'reply' : 'drop');
    }
  });

  test.each([
    { name: 'the same direction', client: { ...CLIENTS.tlsAuth, direction: 0 } },
    { name: 'no direction', client: { ...CLIENTS.tlsAuth, direction: undefined } },
    { name: 'another digest', client: { ...CLIENTS.tlsAuth, digest: 'SHA1' } },
  ] as const)('tls-auth: refuses a client with $name', ({ client }) => {
    expect(gateOf(tlsAuth).onPacket(resetOf(client), '192.0.2.1 1', 0).kind).toBe('drop');
  });
});

describe('acceptedWrap', () => {
  test.each([{ kind: 'none' } as const, tlsAuth, tlsCrypt])('$kind: the server’s own', (wrap) => {
    expect(acceptedWrap(wrap, undefined)).toBe(wrap);
  });

  test('tls-crypt-v2: the client’s key, which is all that the session needs', () => {
    const wrap = acceptedWrap(tlsCryptV2, wrappedKey);
    if (wrap.kind !== 'tls-crypt-v2') throw new Error('another kind');
    expect(wrap.key.reveal()).toEqual(clientKey);
    expect(wrap.wrappedKey).toHaveLength(0);
  });

  test('tls-crypt-v2: is not asked for a client that the gate did not accept', () => {
    expect(() => acceptedWrap(tlsCryptV2, undefined)).toThrow('the gate accepted');
    expect(() => acceptedWrap(tlsCryptV2, Buffer.alloc(299))).toThrow('the gate accepted');
  });
});
