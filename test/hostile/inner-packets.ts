import { checksumOf, sumBytes } from '../../src/netstack/checksum.ts';
import type { SeededRandom } from '../sim/seeded-random.ts';

export const CLIENT_ADDRESS = '10.8.0.2';
export const SERVER_ADDRESS = '10.8.0.1';

const IPV4_HEADER = 20;
const ICMP = 1;
const TCP = 6;
const UDP = 17;
const MTU = 1500;

/** An IPv4 packet with a right header checksum around `body`. */
export function ipv4(protocol: number, from: string, to: string, body: Buffer): Buffer {
  const packet = Buffer.alloc(IPV4_HEADER + body.length);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt16BE(packet.length, 2);
  packet.writeUInt8(64, 8);
  packet.writeUInt8(protocol, 9);
  addressBytes(from).copy(packet, 12);
  addressBytes(to).copy(packet, 16);
  body.copy(packet, IPV4_HEADER);
  return withHeaderSum(packet);
}

/** The answer to an ICMP echo request; undefined for any other packet. */
export function echoReplyTo(packet: Buffer): Buffer | undefined {
  const isRequest =
    packet.length >= 28 && packet[0] === 0x45 && packet[9] === ICMP && packet[20] === 8;
  if (!isRequest) return undefined;
  const icmp = Buffer.from(packet.subarray(IPV4_HEADER));
  icmp.writeUInt8(0, 0);
  icmp.writeUInt16BE(0, 2);
  icmp.writeUInt16BE(checksumOf(sumBytes(icmp, 0, icmp.length)), 2);
  const [from, to] = [packet.subarray(16, 20), packet.subarray(12, 16)];
  return ipv4(ICMP, [...from].join('.'), [...to].join('.'), icmp);
}

/** A TCP segment with a right checksum. */
export function tcpSegment(
  { from = SERVER_ADDRESS, port = 80, to = CLIENT_ADDRESS, toPort = 80 },
  { sequence = 0, acknowledgment = 0, flags = 0x02, window = 0xffff },
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const segment = Buffer.alloc(20 + payload.length);
  segment.writeUInt16BE(port, 0);
  segment.writeUInt16BE(toPort, 2);
  segment.writeUInt32BE(sequence >>> 0, 4);
  segment.writeUInt32BE(acknowledgment >>> 0, 8);
  segment.writeUInt8(0x50, 12);
  segment.writeUInt8(flags, 13);
  segment.writeUInt16BE(window, 14);
  payload.copy(segment, 20);
  const pseudo = Buffer.concat([addressBytes(from), addressBytes(to), Buffer.alloc(4)]);
  pseudo.writeUInt8(TCP, 9);
  pseudo.writeUInt16BE(segment.length, 10);
  const summed = sumBytes(pseudo, 0, pseudo.length) + sumBytes(segment, 0, segment.length);
  segment.writeUInt16BE(checksumOf(summed), 16);
  return ipv4(TCP, from, to, segment);
}

/** Sources that nobody may have, seen from `10.8.0.2`. */
export const MARTIANS: readonly string[] = [
  '0.0.0.0',
  '0.1.2.3',
  '127.0.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '10.8.0.255',
  CLIENT_ADDRESS,
];

type Make = (random: SeededRandom) => Buffer;

const upTo = (random: SeededRandom, limit: number): number => random.uint32() % limit;
const someBytes: Make = (random) => random.bytes(upTo(random, 200));
const someAddress: Make = (random) => random.bytes(4);

function changed(packet: Buffer, change: (packet: Buffer) => void): Buffer {
  change(packet);
  return packet;
}

/** What comes out of a server that means harm, by the way in which it is wrong. */
export const INNER_GARBAGE: readonly (readonly [name: string, make: Make])[] = [
  ['nothing', () => Buffer.alloc(0)],
  ['random bytes', (random) => random.bytes(upTo(random, 1400))],
  [
    'IPv4 by its first byte',
    (random) => changed(random.bytes(1 + upTo(random, 90)), (packet) => packet.writeUInt8(0x45, 0)),
  ],
  [
    'IPv6 by its first byte',
    (random) => changed(random.bytes(1 + upTo(random, 90)), (packet) => packet.writeUInt8(0x60, 0)),
  ],
  [
    'a cut IPv4 packet',
    (random) =>
      ipv4(UDP, SERVER_ADDRESS, CLIENT_ADDRESS, random.bytes(64)).subarray(0, upTo(random, 84)),
  ],
  [
    'an IPv4 length of the wrong size',
    (random) =>
      changed(ipv4(UDP, SERVER_ADDRESS, CLIENT_ADDRESS, someBytes(random)), (packet) =>
        withHeaderSum(changed(packet, () => packet.writeUInt16BE(upTo(random, 0x1_0000), 2))),
      ),
  ],
  [
    'any IPv4 header length',
    (random) =>
      changed(ipv4(UDP, SERVER_ADDRESS, CLIENT_ADDRESS, random.bytes(60)), (packet) =>
        withHeaderSum(changed(packet, () => packet.writeUInt8(0x40 | upTo(random, 16), 0))),
      ),
  ],
  [
    'a source that nobody has',
    (random) =>
      ipv4(ICMP, MARTIANS[upTo(random, MARTIANS.length)] ?? '', CLIENT_ADDRESS, someBytes(random)),
  ],
  [
    'not for us',
    (random) => ipv4(UDP, SERVER_ADDRESS, [...someAddress(random)].join('.'), someBytes(random)),
  ],
  [
    'a fragment',
    (random) =>
      changed(
        ipv4(UDP, SERVER_ADDRESS, CLIENT_ADDRESS, random.bytes(8 * (1 + upTo(random, 20)))),
        (packet) =>
          withHeaderSum(
            changed(packet, () => {
              packet.writeUInt16BE(upTo(random, 0x1_0000), 4);
              packet.writeUInt16BE(upTo(random, 0x4000), 6);
            }),
          ),
      ),
  ],
  [
    'any protocol',
    (random) => ipv4(upTo(random, 256), SERVER_ADDRESS, CLIENT_ADDRESS, someBytes(random)),
  ],
  [
    'any ICMP',
    (random) =>
      ipv4(
        ICMP,
        SERVER_ADDRESS,
        CLIENT_ADDRESS,
        changed(random.bytes(8 + upTo(random, 60)), (icmp) => {
          icmp.writeUInt16BE(0, 2);
          icmp.writeUInt16BE(checksumOf(sumBytes(icmp, 0, icmp.length)), 2);
        }),
      ),
  ],
  [
    'any UDP',
    (random) => ipv4(UDP, SERVER_ADDRESS, CLIENT_ADDRESS, random.bytes(upTo(random, 40))),
  ],
  [
    'any TCP',
    (random) =>
      tcpSegment(
        { toPort: upTo(random, 0x1_0000) },
        {
          sequence: random.uint32(),
          acknowledgment: random.uint32(),
          flags: upTo(random, 256),
          window: upTo(random, 0x1_0000),
        },
        someBytes(random),
      ),
  ],
  [
    'IPv6 with any chain of headers',
    (random) =>
      changed(random.bytes(40 + upTo(random, 100)), (packet) => {
        packet.writeUInt8(0x60, 0);
        packet.writeUInt16BE(packet.length - 40, 4);
        packet.writeUInt8([0, 43, 44, 60, 6, 17, 58][upTo(random, 7)] ?? 0, 6);
      }),
  ],
  [
    'as long as the MTU and longer',
    (random) =>
      ipv4(UDP, SERVER_ADDRESS, CLIENT_ADDRESS, random.bytes(MTU - 20 + upTo(random, 40))),
  ],
];

function withHeaderSum(packet: Buffer): Buffer {
  packet.writeUInt16BE(0, 10);
  packet.writeUInt16BE(checksumOf(sumBytes(packet, 0, IPV4_HEADER)), 10);
  return packet;
}

function addressBytes(text: string): Buffer {
  return Buffer.from(text.split('.').map(Number));
}
