import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { EXIT, OCC_MAGIC, PING } from '../../src/datachannel/in-band-message.ts';
import { KEY_LIMITS } from '../../src/datachannel/key-limits.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { cipherNamed, readCapture } from './captures.ts';
import { connectedPair, endOf, eventsOf, rawSealer, sealed } from './ends.ts';
import { ipv4Packet, ipv6Packet, negotiated } from './fixtures.ts';

describe('DataChannel.open', () => {
  test('carries IPv4 and IPv6 both ways', () => {
    const { client, server } = connectedPair();
    for (const packet of [ipv4Packet(1400, 9), ipv6Packet(60)]) {
      expect(server.channel.open(sealed(client, packet), 1)).toEqual(packet);
      expect(client.channel.open(sealed(server, packet), 1)).toEqual(packet);
    }
  });

  test('opens what a real server sent, and consumes its pings', () => {
    const capture = readCapture('34-keepalive');
    const { channel, activity } = endOf('client');
    const [first] = capture.packets;
    channel.install(
      { ...negotiated('client', 0), material: capture.key2(first ?? expect.fail()) },
      0,
    );
    const fromServer = capture.packets.filter(({ dir }) => dir === 'S');
    const opened = fromServer.map(({ hex }, at) => channel.open(Buffer.from(hex, 'hex'), at));
    const isPing = fromServer.map(({ plaintext }) => plaintext === PING.toString('hex'));
    expect(isPing.filter(Boolean).length).toBeGreaterThan(3);
    expect(opened.map((result) => result === Drop.NONE)).toEqual(isPing);
    expect(activity.receivedAt).toBe(fromServer.length - 1);
  });

  test.each([
    { name: 'an empty datagram        ', packet: Buffer.alloc(0), drop: Drop.MALFORMED },
    { name: 'a control packet         ', packet: Buffer.of(4 << 3), drop: Drop.BAD_OPCODE },
    { name: 'a key id without a key   ', packet: Buffer.alloc(80, 0x4d), drop: Drop.UNKNOWN_KEY },
    { name: 'a packet without a text  ', packet: Buffer.alloc(24, 0x48), drop: Drop.MALFORMED },
    { name: 'a forged packet          ', packet: Buffer.alloc(80, 0x48), drop: Drop.BAD_AUTH },
  ])('refuses $name', ({ packet, drop }) => {
    const { client } = connectedPair();
    expect(client.channel.open(packet, 5)).toBe(drop);
    expect(client.activity.receivedAt).toBe(0);
  });

  test('refuses data before there is a key', () => {
    const { server } = connectedPair();
    const { channel } = endOf('client');
    expect(channel.open(sealed(server, ipv4Packet(40)), 0)).toBe(Drop.UNKNOWN_KEY);
  });

  test('a replay does not count as a sign of life', () => {
    const { client, server } = connectedPair();
    const packet = sealed(server, ipv4Packet(40));
    client.channel.open(packet, 10);
    expect(client.channel.open(packet, 20)).toBe(Drop.REPLAY);
    expect(client.activity.receivedAt).toBe(10);
  });

  test('10,000 forgeries leave replay window, activity and events alone', () => {
    const { client, server } = connectedPair();
    const random = new SeededRandom(1);
    const genuine = sealed(server, ipv4Packet(100));
    for (let round = 0; round < 10_000; round += 1) {
      const forged = Buffer.from(genuine);
      forged.writeUInt32BE(random.uint32(), 4);
      forged.writeUInt8(forged.readUInt8(8) ^ (1 + (random.uint32() % 255)), 8);
      expect(client.channel.open(forged, 500 + round)).toBe(Drop.BAD_AUTH);
    }
    expect(client.activity.receivedAt).toBe(0);
    expect(client.channel.takeEvent()).toBeUndefined();
    expect(client.channel.open(genuine, 20_000)).toEqual(ipv4Packet(100));
  });

  test('too many forgeries ask for a new key, then close the old one', () => {
    const limits = { ...KEY_LIMITS, failedOpens: 3, maxFailedOpens: 5 };
    const { client, server } = connectedPair({}, { limits });
    const forged = sealed(server, ipv4Packet(100));
    forged.writeUInt8(forged.readUInt8(20) ^ 1, 20);
    for (let round = 1; round <= 5; round += 1) {
      expect(client.channel.open(forged, 0)).toBe(Drop.BAD_AUTH);
      client.channel.endOfBatch();
      expect(client.channel.takeRekeyReason()).toBe(round === 3 ? 'failed-decrypts' : undefined);
    }
    expect(client.channel.open(sealed(server, ipv4Packet(100)), 0)).toBe(Drop.UNKNOWN_KEY);
  });

  test('trims what follows the IP packet, and refuses what is none', () => {
    const { client, server } = connectedPair();
    const raw = rawSealer();
    const tailed = Buffer.concat([ipv4Packet(40), Buffer.alloc(8)]);
    expect(client.channel.open(raw(tailed), 3)).toEqual(ipv4Packet(40));
    expect(client.channel.open(raw(Buffer.alloc(60, 0x45)), 4)).toBe(Drop.MARTIAN);
    expect(client.activity.receivedAt).toBe(4);
    expect(server.channel.takeEvent()).toBeUndefined();
  });

  test('an empty payload proves the peer alive, but is no packet', () => {
    const cipher = cipherNamed('AES-256-CBC');
    const { client } = connectedPair({}, {}, { cipher });
    const raw = rawSealer({ cipher });
    expect(client.channel.open(raw(Buffer.alloc(0)), 5)).toBe(Drop.MARTIAN);
    expect(client.activity.receivedAt).toBe(5);
  });

  test('tells of the peer’s exit once, and ignores other OCC messages', () => {
    const { client } = connectedPair();
    const raw = rawSealer();
    for (const opcode of [0, 1, 2, 3, 4, 5]) {
      const message = Buffer.concat([OCC_MAGIC, Buffer.of(opcode, 0, 0)]);
      expect(client.channel.open(raw(message), 0)).toBe(Drop.NONE);
    }
    expect(client.channel.takeEvent()).toBeUndefined();
    for (let times = 0; times < 3; times += 1) {
      expect(client.channel.open(raw(EXIT), 0)).toBe(Drop.NONE);
    }
    expect(eventsOf(client.channel)).toEqual([{ kind: 'peer-exit' }]);
  });
});

describe('DataChannel.seal', () => {
  test('waits for a key', () => {
    const { channel, activity } = endOf('client');
    expect(channel.canSeal(0)).toBe(false);
    expect(channel.seal(ipv4Packet(40), 9)).toBe(Drop.UNKNOWN_KEY);
    expect(activity.sentAt).toBe(0);
  });

  test('notes when something was sent', () => {
    const { client } = connectedPair();
    sealed(client, ipv4Packet(40), 123);
    expect(client.activity.sentAt).toBe(123);
  });

  test.each([
    { name: 'nothing       ', packet: Buffer.alloc(0) },
    { name: 'a ping        ', packet: PING },
    { name: 'an OCC message', packet: EXIT },
    { name: 'a cut packet  ', packet: ipv4Packet(60).subarray(0, 40) },
  ])('never sends as an IP packet: $name', ({ packet }) => {
    const { client } = connectedPair();
    expect(client.channel.seal(packet, 5)).toBe(Drop.MARTIAN);
    expect(client.activity.sentAt).toBe(0);
  });

  test('stops for good when the packet ids are used up', () => {
    const { client } = connectedPair({}, { limits: { ...KEY_LIMITS, lastPacketId: 2 } });
    sealed(client, ipv4Packet(40));
    expect(sealed(client, ipv4Packet(40)).readUInt32BE(4)).toBe(2);
    expect(client.channel.canSeal(0)).toBe(true);
    expect(client.channel.seal(ipv4Packet(40), 7)).toBe(Drop.UNKNOWN_KEY);
    expect(client.channel.canSeal(0)).toBe(false);
    expect(client.channel.seal(ipv4Packet(40), 8)).toBe(Drop.UNKNOWN_KEY);
    client.channel.sendExit();
    expect(client.channel.takeMessage(8)).toBeUndefined();
    expect(client.activity.sentAt).toBe(0);
    const [event, ...more] = eventsOf(client.channel);
    expect(event).toMatchObject({
      kind: 'failed',
      error: { code: 'OVPN_KEY_EXHAUSTED', layer: 'datachannel' },
    });
    expect(more).toEqual([]);
  });
});
