import { afterEach, expect, test, vi } from 'vitest';
import type { Drop } from '../src/core/machine.ts';
import { framingOf } from '../src/datachannel/compression-framing.ts';
import { sessionIdOf } from '../src/model/ids.ts';
import { Opcode } from '../src/model/opcode.ts';
import { ControlPacket } from '../src/model/packet.ts';
import { buildEchoRequest, buildError } from '../src/netstack/icmp.ts';
import { StreamFramer } from '../src/networkio/stream-framing.ts';
import type { ControlKey } from '../src/packetmuxer/control-key.ts';
import { encodeControlPacket } from '../src/packetmuxer/control-packet-codec.ts';
import { HardResetResponder } from '../src/packetmuxer/hard-reset-responder.ts';
import { TlsAuthKey } from '../src/packetmuxer/tls-auth-key.ts';
import { TlsCryptKey } from '../src/packetmuxer/tls-crypt-key.ts';
import { TlsCryptV2ServerKey } from '../src/packetmuxer/tls-crypt-v2.ts';
import { TlsCryptV2ClientWrap } from '../src/packetmuxer/tls-crypt-v2-wraps.ts';
import { codecPair, FORMATS, sealedBy } from './datachannel/codecs.ts';
import { ipv4Packet } from './datachannel/fixtures.ts';
import { connect, serve } from './netstack/tcp-ends.ts';
import { address, NetstackPair } from './sim/netstack-pair.ts';
import { SeededRandom } from './sim/seeded-random.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** All that `make` gives, as hex, while memory that nobody has written to holds `poison`. */
function made(make: () => Iterable<Buffer>, poison: number): string[] {
  vi.spyOn(Buffer, 'allocUnsafe').mockImplementation((size) => Buffer.alloc(size, poison));
  vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((size) => Buffer.alloc(size, poison));
  const packets = [...make()].map((packet) => packet.toString('hex'));
  vi.restoreAllMocks();
  return packets;
}

function* controlPackets(): Generator<Buffer> {
  for (const opcode of [Opcode.P_CONTROL_V1, Opcode.P_ACK_V1]) {
    const packet = new ControlPacket(opcode, 1, sessionIdOf(Buffer.alloc(8, 1)));
    packet.ackedPacketIds = [1, 2, 3];
    packet.remoteSessionId = sessionIdOf(Buffer.alloc(8, 2));
    packet.packetId = opcode === Opcode.P_ACK_V1 ? packet.packetId : 7;
    packet.payload = Buffer.from('payload');
    const plain = encodeControlPacket(packet);
    yield plain;
    for (const [client, server] of CONTROL_KEYS) {
      const wrapped = client.seal(plain, 1, 1);
      yield wrapped;
      yield opened(server.open(wrapped));
    }
  }
}

const STATIC_KEY = Buffer.alloc(256, 5);
const SERVER_KEY = Buffer.alloc(128, 6);

/** Both ends' use of a key. */
const CONTROL_KEYS: readonly (readonly [ControlKey, ControlKey])[] = [
  [new TlsCryptKey(STATIC_KEY, 'client'), new TlsCryptKey(STATIC_KEY, 'server')],
  ...['SHA1', 'SHA256', 'SHA512'].map((digest) => {
    const key = new TlsAuthKey({ key: STATIC_KEY, direction: undefined, digest });
    return [key, key] as const;
  }),
];

function opened(plain: Buffer | Drop): Buffer {
  return typeof plain === 'number' ? expect.fail(`dropped: ${plain}`) : plain;
}

/** Every format of data packets, sealed, in a frame, and opened again. */
function* dataPackets(): Generator<Buffer> {
  for (const format of FORMATS) {
    const { client, server } = codecPair({ ...format, random: new SeededRandom(1) });
    const packet = sealedBy(client, ipv4Packet(100, 3));
    yield packet;
    const framer = new StreamFramer();
    framer.add(packet);
    yield framer.flush();
    yield Buffer.from(opened(server.open(packet, 0)));
  }
}

/** The opening of a client under tls-crypt-v2, and what it is answered. */
function* openingPackets(): Generator<Buffer> {
  const wrappedKey = new TlsCryptV2ServerKey(SERVER_KEY).wrap(STATIC_KEY, Buffer.of(0, 1));
  yield wrappedKey;
  const unixSeconds = () => 1;
  const wrap = new TlsCryptV2ClientWrap({ key: STATIC_KEY, wrappedKey, unixSeconds });
  const reset = new ControlPacket(
    Opcode.P_CONTROL_HARD_RESET_CLIENT_V3,
    0,
    sessionIdOf(Buffer.alloc(8, 1)),
  );
  reset.packetId = 0;
  const packet = wrap.wrap(encodeControlPacket(reset));
  yield packet;
  for (const protocol of ['udp', 'tcp'] as const) {
    const responder = new HardResetResponder({
      random: new SeededRandom(1),
      tlsCryptV2: { serverKey: SERVER_KEY, protocol, unixSeconds },
    });
    const verdict = responder.onPacket(packet, 'there', 0);
    if (verdict.kind !== 'reply') expect.fail(verdict.kind);
    yield verdict.packet;
  }
}

/** A first byte that the newest framing has to escape. */
const STUB_V2_MARKER = 0x50;

/** All that packets are framed in. */
function* framedPackets(): Generator<Buffer> {
  for (const kind of ['comp-lzo-no', 'stub', 'stub-v2'] as const) {
    const framed = framingOf(kind)?.frame(Buffer.alloc(100, STUB_V2_MARKER));
    if (framed !== undefined) yield framed;
  }
}

function* icmpPackets(): Generator<Buffer> {
  for (const [from, to] of [
    ['10.8.0.1', '10.8.0.2'],
    ['fd00::1', 'fd00::2'],
  ] as const) {
    const [source, destination] = [address(from), address(to)];
    // The IP header is written by who sends it.
    const headerBytes = source.family === 4 ? 20 : 40;
    const echo = buildEchoRequest(source, destination, 1, 2, Buffer.from('ping'));
    yield echo.subarray(headerBytes);
    yield buildError('port-unreachable', ipv4Packet(60), 0, source, destination).subarray(
      headerBytes,
    );
  }
}

/** Every packet of two hosts that speak TCP, UDP and ping, in fragments too. */
function hostPackets(): Buffer[] {
  const packets: Buffer[] = [];
  const pair = new NetstackPair({
    filter: (packet) => {
      packets.push(Buffer.from(packet));
      return packet;
    },
  });
  const nothing = () => {};
  const events = { datagram: nothing, failed: nothing, drained: nothing };
  for (const [family, remote] of [
    [4, '10.8.0.2'],
    [6, 'fd00::2'],
  ] as const) {
    serve(pair, family);
    connect(pair, remote, family, 5000);
    pair.left.openUdp({ family }, events).send(Buffer.alloc(3000, 1), address(remote), 9);
    pair.left.openEcho(address(remote), { reply: nothing, unreachable: nothing }).send(1, 2000);
    connect(pair, remote, 1);
  }
  pair.advance(5000);
  return packets;
}

test.each([
  { name: 'control packets, plain and wrapped', make: controlPackets, count: 14 },
  { name: 'the opening under tls-crypt-v2', make: openingPackets, count: 4 },
  { name: 'data packets of every format', make: dataPackets, count: 100 },
  { name: 'what compression framings frame', make: framedPackets, count: 3 },
  { name: 'ICMP', make: icmpPackets, count: 4 },
  { name: 'TCP, UDP, ping, resets, fragments', make: hostPackets, count: 30 },
])('no byte of $name is what somebody else left in memory', ({ make, count }) => {
  const packets = made(make, 0xdb);
  expect(packets.length).toBeGreaterThanOrEqual(count);
  expect(made(make, 0x24)).toEqual(packets);
});
