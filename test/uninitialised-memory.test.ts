import { afterEach, expect, test, vi } from 'vitest';
import { sessionIdOf } from '../src/model/ids.ts';
import { Opcode } from '../src/model/opcode.ts';
import { ControlPacket } from '../src/model/packet.ts';
import { buildEchoRequest, buildError } from '../src/netstack/icmp.ts';
import { StreamFramer } from '../src/networkio/stream-framing.ts';
import { encodeControlPacket } from '../src/packetmuxer/control-packet-codec.ts';
import { TlsCryptKey } from '../src/packetmuxer/tls-crypt-key.ts';
import { connectedPair, sealed } from './datachannel/ends.ts';
import { ipv4Packet } from './datachannel/fixtures.ts';
import { connect, serve } from './netstack/tcp-ends.ts';
import { address, NetstackPair } from './sim/netstack-pair.ts';

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
    yield new TlsCryptKey(Buffer.alloc(256, 5), 'client').seal(plain, 1, 1);
  }
}

function* dataPackets(): Generator<Buffer> {
  const { client } = connectedPair();
  const packet = sealed(client, ipv4Packet(100, 3));
  yield packet;
  const framer = new StreamFramer();
  framer.add(packet);
  yield framer.flush();
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
  { name: 'control packets, plain and under tls-crypt', make: controlPackets, count: 4 },
  { name: 'data packets and frames', make: dataPackets, count: 2 },
  { name: 'ICMP', make: icmpPackets, count: 4 },
  { name: 'TCP, UDP, ping, resets, fragments', make: hostPackets, count: 30 },
])('no byte of $name is what somebody else left in memory', ({ make, count }) => {
  const packets = made(make, 0xdb);
  expect(packets.length).toBeGreaterThanOrEqual(count);
  expect(made(make, 0x24)).toEqual(packets);
});
