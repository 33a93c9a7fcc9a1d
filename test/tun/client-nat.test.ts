import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ClientNat } from '../../src/model/profile.ts';
import { NatTranslator } from '../../src/tun/client-nat.ts';

type Kind = 'tcp' | 'udp' | 'icmp' | 'other';

interface PacketInput {
  readonly source: string;
  readonly destination: string;
  readonly kind?: Kind;
  readonly payload?: Buffer;
  /** Words of IPv4 options. */
  readonly optionWords?: number;
  readonly fragmentOffset?: number;
}

const PROTOCOLS: Readonly<Record<Kind, number>> = { tcp: 6, udp: 17, icmp: 1, other: 47 };
const CHECKSUM_AT: Readonly<Record<Kind, number>> = { tcp: 16, udp: 6, icmp: 2, other: -1 };

/** Sum of 16-bit words, folded, counted the slow way. */
function sum(...parts: readonly Uint8Array[]): number {
  let total = 0;
  for (const part of parts) {
    for (const [at, byte] of part.entries()) total += at % 2 === 0 ? byte * 256 : byte;
  }
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x1_0000);
  return total;
}

function pseudoHeader(packet: Buffer, length: number): Buffer {
  const pseudo = Buffer.alloc(12);
  packet.copy(pseudo, 0, 12, 20);
  pseudo.writeUInt8(packet.readUInt8(9), 9);
  pseudo.writeUInt16BE(length, 10);
  return pseudo;
}

/** The checksum over the payload of `packet`, counted from scratch. */
function payloadSum(packet: Buffer, kind: Kind): number {
  const payload = packet.subarray((packet.readUInt8(0) & 0x0f) * 4);
  if (kind === 'icmp') return sum(payload);
  return sum(pseudoHeader(packet, payload.length), payload);
}

function packetOf(input: PacketInput): Buffer {
  const { kind = 'udp', optionWords = 0, fragmentOffset = 0 } = input;
  const headerBytes = 20 + 4 * optionWords;
  const head = { tcp: 20, udp: 8, icmp: 8, other: 0 }[kind];
  const body = input.payload ?? Buffer.from('hello');
  const packet = Buffer.alloc(headerBytes + head + body.length);
  packet.writeUInt8(0x45 + optionWords, 0);
  packet.writeUInt16BE(packet.length, 2);
  packet.writeUInt16BE(fragmentOffset, 6);
  packet.writeUInt8(64, 8);
  packet.writeUInt8(PROTOCOLS[kind], 9);
  packet.set(input.source.split('.').map(Number), 12);
  packet.set(input.destination.split('.').map(Number), 16);
  packet.fill(1, 20, headerBytes);
  if (kind === 'icmp') packet.writeUInt8(3, headerBytes);
  else if (head > 0) packet.set([0xc0, 1, 0, 80], headerBytes);
  if (kind === 'udp') packet.writeUInt16BE(8 + body.length, headerBytes + 4);
  packet.set(body, headerBytes + head);
  packet.writeUInt16BE(~sum(packet.subarray(0, headerBytes)) & 0xffff, 10);
  if (kind !== 'other' && fragmentOffset === 0) {
    const value = ~payloadSum(packet, kind) & 0xffff;
    packet.writeUInt16BE(
      value === 0 && kind === 'udp' ? 0xffff : value,
      headerBytes + CHECKSUM_AT[kind],
    );
  }
  return packet;
}

function addresses(packet: Buffer, at = 0): [source: string, destination: string] {
  return [
    [...packet.subarray(at + 12, at + 16)].join('.'),
    [...packet.subarray(at + 16, at + 20)].join('.'),
  ];
}

function isIntact(packet: Buffer, kind: Kind): boolean {
  const header = packet.subarray(0, (packet.readUInt8(0) & 0x0f) * 4);
  return sum(header) === 0xffff && (kind === 'other' || payloadSum(packet, kind) === 0xffff);
}

const SNAT: ClientNat = {
  kind: 'snat',
  network: '192.168.0.0',
  prefixLength: 16,
  alias: '10.64.0.0',
};
const DNAT: ClientNat = {
  kind: 'dnat',
  network: '172.16.0.0',
  prefixLength: 12,
  alias: '10.80.0.0',
};
const BOTH = new NatTranslator([SNAT, DNAT]);

describe('NatTranslator', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'snat, out',            way: 'outgoing', from: ['192.168.3.4', '9.9.9.9'],     to: ['10.64.3.4', '9.9.9.9'] },
    { name: 'snat, in',             way: 'incoming', from: ['9.9.9.9', '10.64.3.4'],       to: ['9.9.9.9', '192.168.3.4'] },
    { name: 'dnat, out',            way: 'outgoing', from: ['10.8.0.2', '172.20.1.1'],     to: ['10.8.0.2', '10.84.1.1'] },
    { name: 'dnat, in',             way: 'incoming', from: ['10.84.1.1', '10.8.0.2'],      to: ['172.20.1.1', '10.8.0.2'] },
    { name: 'both, out',            way: 'outgoing', from: ['192.168.3.4', '172.20.1.1'],  to: ['10.64.3.4', '10.84.1.1'] },
    { name: 'both, in',             way: 'incoming', from: ['10.84.1.1', '10.64.3.4'],     to: ['172.20.1.1', '192.168.3.4'] },
    { name: 'snat is for our side', way: 'outgoing', from: ['9.9.9.9', '192.168.3.4'],     to: ['9.9.9.9', '192.168.3.4'] },
    { name: 'dnat is for theirs',   way: 'incoming', from: ['9.9.9.9', '10.84.1.1'],       to: ['9.9.9.9', '10.84.1.1'] },
    { name: 'others',               way: 'outgoing', from: ['10.8.0.2', '10.8.0.1'],       to: ['10.8.0.2', '10.8.0.1'] },
  ] as const)('$name', ({ way, from, to }) => {
    for (const kind of ['tcp', 'udp', 'icmp', 'other'] as const) {
      const packet = packetOf({ source: from[0], destination: from[1], kind, optionWords: 2 });
      BOTH[way](packet);
      expect(addresses(packet)).toEqual(to);
      expect(isIntact(packet, kind)).toBe(true);
    }
  });

  test('the first of several rules counts', () => {
    const nat = new NatTranslator([
      { ...SNAT, prefixLength: 32, network: '192.168.3.4', alias: '1.2.3.4' },
      SNAT,
    ]);
    const packet = packetOf({ source: '192.168.3.4', destination: '9.9.9.9' });
    nat.outgoing(packet);
    expect(addresses(packet)).toEqual(['1.2.3.4', '9.9.9.9']);
  });

  test('UDP without a checksum stays without', () => {
    const packet = packetOf({ source: '192.168.3.4', destination: '9.9.9.9' });
    packet.writeUInt16BE(0, 26);
    BOTH.outgoing(packet);
    expect(packet.readUInt16BE(26)).toBe(0);
    expect(addresses(packet)[0]).toBe('10.64.3.4');
  });

  test('later fragments have an address, and no header behind it', () => {
    const packet = packetOf({ source: '192.168.3.4', destination: '9.9.9.9', fragmentOffset: 100 });
    const payload = Buffer.from(packet.subarray(20));
    BOTH.outgoing(packet);
    expect(addresses(packet)[0]).toBe('10.64.3.4');
    expect(packet.subarray(20).equals(payload)).toBe(true);
    expect(sum(packet.subarray(0, 20))).toBe(0xffff);
  });

  test('what an ICMP error quotes is translated back, all checksums with it', () => {
    for (const kind of ['tcp', 'udp', 'icmp'] as const) {
      // We sent it from 192.168.3.4 to 172.20.1.1; the server saw and quotes the aliases.
      const sent = packetOf({ source: '192.168.3.4', destination: '172.20.1.1', kind });
      const seen = Buffer.from(sent);
      BOTH.outgoing(seen);
      const error = packetOf({
        source: '9.9.9.9',
        destination: '10.64.3.4',
        kind: 'icmp',
        payload: seen,
      });
      BOTH.incoming(error);
      expect(addresses(error)).toEqual(['9.9.9.9', '192.168.3.4']);
      expect(isIntact(error, 'icmp')).toBe(true);
      expect(error.subarray(28).equals(sent)).toBe(true);
    }
  });

  test('an echo request has no packet inside', () => {
    const inner = packetOf({ source: '10.64.3.4', destination: '10.84.1.1' });
    const echo = packetOf({
      source: '9.9.9.9',
      destination: '10.64.3.4',
      kind: 'icmp',
      payload: inner,
    });
    echo.writeUInt8(8, 20);
    const quoted = Buffer.from(echo.subarray(28));
    BOTH.incoming(echo);
    expect(echo.subarray(28).equals(quoted)).toBe(true);
  });

  test('out and in undo each other, and every checksum stays right', () => {
    const octet = fc.nat(255);
    const address = fc.oneof(
      fc.tuple(octet, octet).map(([a, b]) => `192.168.${a}.${b}`),
      fc.tuple(octet, octet).map(([a, b]) => `172.16.${a}.${b}`),
      fc.tuple(octet, octet).map(([a, b]) => `8.8.${a}.${b}`),
    );
    const input = fc.record({
      source: address,
      destination: address,
      kind: fc.constantFrom<Kind>('tcp', 'udp', 'icmp', 'other'),
      payload: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
      optionWords: fc.nat(10),
    });
    fc.assert(
      fc.property(input, (chosen) => {
        const packet = packetOf(chosen);
        // An answer: source and destination in each other's place.
        const answer = packetOf({
          ...chosen,
          source: chosen.destination,
          destination: chosen.source,
        });
        BOTH.outgoing(packet);
        expect(isIntact(packet, chosen.kind)).toBe(true);
        const [source, destination] = addresses(packet);
        const back = packetOf({ ...chosen, source: destination, destination: source });
        BOTH.incoming(back);
        expect(addresses(back)).toEqual(addresses(answer));
        expect(isIntact(back, chosen.kind)).toBe(true);
      }),
    );
  });

  test('any bytes are taken, none outside of the packet is touched', () => {
    const bytes = fc.uint8Array({ maxLength: 90 });
    fc.assert(
      fc.property(bytes, fc.constantFrom(1, 6, 17), fc.boolean(), (given, protocol, out) => {
        const whole = Buffer.alloc(given.length + 32, 0xee);
        const packet = whole.subarray(16, 16 + given.length);
        packet.set(given);
        if (packet.length > 9) {
          packet.writeUInt8(0x40 | ((given[0] ?? 0) & 0x0f), 0);
          packet.writeUInt8(protocol, 9);
        }
        const all = new NatTranslator([
          { kind: 'snat', network: '0.0.0.0', prefixLength: 1, alias: '128.0.0.0' },
          { kind: 'dnat', network: '0.0.0.0', prefixLength: 0, alias: '0.0.0.0' },
        ]);
        if (out) all.outgoing(packet);
        else all.incoming(packet);
        expect(whole.subarray(0, 16).every((byte) => byte === 0xee)).toBe(true);
        expect(whole.subarray(16 + given.length).every((byte) => byte === 0xee)).toBe(true);
      }),
    );
  });
});
