import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { EXIT, PING } from '../../src/datachannel/in-band-message.ts';
import { KEY_LIMITS } from '../../src/datachannel/key-limits.ts';
import { cipherNamed, readCapture } from './captures.ts';
import { connectedPair, endOf, eventsOf, sealed } from './ends.ts';
import { ipv4Packet, negotiated } from './fixtures.ts';

const KEEPALIVE = { pingMs: 10_000, pingRestartMs: 60_000, pingExitMs: 0 };

describe('DataChannel.takeMessage', () => {
  test('is a ping when nothing was sent for long enough', () => {
    const { client, server } = connectedPair();
    client.channel.configure(KEEPALIVE);
    expect(client.channel.nextTimeout()).toBe(10_000);
    client.channel.onTimeout(10_000);
    const ping = client.channel.takeMessage(10_000) ?? expect.fail();
    expect(ping.length).toBe(24 + PING.length);
    expect(server.channel.open(ping, 10_050)).toBe(Drop.NONE);
    expect(server.activity.receivedAt).toBe(10_050);
    expect(client.activity.sentAt).toBe(10_000);
    expect(client.channel.takeMessage(10_000)).toBeUndefined();
  });

  test('is nothing without a key', () => {
    const { channel } = endOf('client');
    channel.configure(KEEPALIVE);
    channel.onTimeout(10_000);
    channel.sendExit();
    expect(channel.takeMessage(10_000)).toBeUndefined();
  });

  test('is the exit that was asked for, before a ping', () => {
    const { client, server } = connectedPair();
    client.channel.configure(KEEPALIVE);
    client.channel.onTimeout(10_000);
    client.channel.sendExit();
    const messages = [client.channel.takeMessage(0), client.channel.takeMessage(0)];
    expect(messages.map((message) => message?.length)).toEqual([24 + 17, 24 + 16]);
    for (const message of messages) server.channel.open(message ?? expect.fail(), 0);
    expect(eventsOf(server.channel)).toEqual([{ kind: 'peer-exit' }]);
  });

  test('is sealed as a real client seals its exit', () => {
    const capture = readCapture('31-exit-occ');
    const exits = capture.packets.filter(({ plaintext }) => plaintext === EXIT.toString('hex'));
    const [first] = exits;
    const server = endOf('server');
    server.channel.install(
      { ...negotiated('server', 0), material: capture.key2(first ?? expect.fail()) },
      0,
    );
    for (const { hex } of exits) server.channel.open(Buffer.from(hex, 'hex'), 0);
    expect(exits.length).toBeGreaterThan(0);
    expect(eventsOf(server.channel)).toEqual([{ kind: 'peer-exit' }]);
  });
});

describe('DataChannel keys', () => {
  test('the old key goes on until the new one is mature; both open all the time', () => {
    const { client, server } = connectedPair();
    const renegotiatedAt = 100_000;
    for (const { channel, role } of [client, server]) {
      channel.install(negotiated(role, 1, renegotiatedAt), renegotiatedAt + 50);
    }
    const keyIdAt = (now: number) => sealed(client, ipv4Packet(40), now).readUInt8(0) & 7;
    expect(keyIdAt(159_999)).toBe(0);
    expect(keyIdAt(160_000)).toBe(1);
    expect(server.channel.open(sealed(client, ipv4Packet(40), 159_000), 160_000)).toEqual(
      ipv4Packet(40),
    );
    expect(server.channel.open(sealed(client, ipv4Packet(40), 160_000), 160_000)).toEqual(
      ipv4Packet(40),
    );
  });

  test('the old key opens nothing after tran-window', () => {
    const { client, server } = connectedPair({ tranWindowMs: 200_000 });
    const late = sealed(server, ipv4Packet(40));
    client.channel.install(negotiated('client', 1, 1000), 1000);
    expect(client.channel.nextTimeout()).toBe(201_000);
    expect(client.channel.open(late, 201_000)).toBe(Drop.UNKNOWN_KEY);
  });

  test('says that it was rekeyed, not that it was keyed', () => {
    const { channel } = endOf('client');
    channel.install(negotiated('client', 0), 0);
    expect(eventsOf(channel)).toEqual([]);
    channel.install(negotiated('client', 1), 0);
    expect(eventsOf(channel)).toEqual([{ kind: 'rekeyed', keyId: 1 }]);
  });

  test('asks for a new key after reneg-sec and at the limits, once each', () => {
    const { client } = connectedPair({ renegSecMs: 3_600_000, renegPackets: 2 });
    expect(client.channel.nextTimeout()).toBe(3_600_000);
    sealed(client, ipv4Packet(40));
    client.channel.endOfBatch();
    expect(client.channel.takeRekeyReason()).toBeUndefined();
    sealed(client, ipv4Packet(40));
    client.channel.endOfBatch();
    expect(client.channel.takeRekeyReason()).toBe('reneg-pkts');
    client.channel.onTimeout(3_600_000);
    expect(client.channel.takeRekeyReason()).toBeUndefined();
    client.channel.install(negotiated('client', 1, 3_600_000), 3_600_000);
    client.channel.onTimeout(7_200_000);
    expect(client.channel.takeRekeyReason()).toBe('reneg-sec');
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'a packet id of 0x80, GCM       ', cipher: 'AES-256-GCM', limits: { packetId: 0x80 }, packets: 0x80, reason: 'packet-id' },
    { name: 'a packet id of 0x80, ChaCha    ', cipher: 'CHACHA20-POLY1305', limits: { packetId: 0x80 }, packets: 0x80, reason: 'packet-id' },
    { name: 'a packet id of 0x80, CBC       ', cipher: 'AES-256-CBC', limits: { packetId: 0x80 }, packets: 0x80, reason: 'packet-id' },
    { name: '2,048 blocks and packets, GCM  ', cipher: 'AES-128-GCM', limits: { gcmUsage: 2048 }, packets: 512, reason: 'aead-usage' },
    { name: 'not so many with ChaCha        ', cipher: 'CHACHA20-POLY1305', limits: { gcmUsage: 2048 }, packets: 600, reason: undefined },
    { name: 'not so many with CBC           ', cipher: 'AES-128-CBC', limits: { gcmUsage: 2048 }, packets: 600, reason: undefined },
    { name: 'not so many with epochs        ', cipher: 'AES-128-GCM', limits: { gcmUsage: 2048 }, epoch: true, packets: 600, reason: undefined },
    { name: 'the fourth epoch, by use       ', cipher: 'AES-128-GCM', limits: { epoch: 4, epochUsage: 40 }, epoch: true, packets: 31, reason: 'epoch' },
    { name: 'the fourth epoch, by counters  ', cipher: 'CHACHA20-POLY1305', limits: { epoch: 4, lastEpochCounter: 10 }, epoch: true, packets: 31, reason: 'epoch' },
  ])('asks for a new key at $name', ({ cipher, limits, epoch = false, packets, reason }) => {
    const parts = { limits: { ...KEY_LIMITS, ...limits } };
    const { client, server } = connectedPair({}, parts, { cipher: cipherNamed(cipher), epoch });
    const packet = ipv4Packet(40);
    for (let sent = 1; sent <= packets; sent += 1) {
      client.channel.endOfBatch();
      expect(client.channel.takeRekeyReason()).toBeUndefined();
      expect(server.channel.open(sealed(client, packet), 0)).toEqual(packet);
    }
    client.channel.endOfBatch();
    expect(client.channel.takeRekeyReason()).toBe(reason);
  });

  test.each([
    { name: 'AEAD ', cipher: 'AES-256-GCM', epoch: false },
    { name: 'CBC  ', cipher: 'AES-256-CBC', epoch: false },
    { name: 'epoch', cipher: 'AES-256-GCM', epoch: true },
  ])('asks for a new key after many forgeries, then refuses the key: $name', (row) => {
    const limits = { ...KEY_LIMITS, failedOpens: 2048, maxFailedOpens: 4096 };
    const { client, server } = connectedPair(
      {},
      { limits },
      { ...row, cipher: cipherNamed(row.cipher) },
    );
    const forged = sealed(server, ipv4Packet(40));
    forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1);
    const reasons: unknown[] = [];
    for (let forgery = 1; forgery <= 4096; forgery += 1) {
      expect(client.channel.open(forged, 0)).toBe(Drop.BAD_AUTH);
      client.channel.endOfBatch();
      const reason = client.channel.takeRekeyReason();
      if (reason !== undefined) reasons.push(reason, forgery);
    }
    expect(reasons).toEqual(['failed-decrypts', 2048]);
    expect(client.channel.open(sealed(server, ipv4Packet(40)), 0)).toBe(Drop.UNKNOWN_KEY);
  });

  test('forgets them when it is closed', () => {
    const { client, server } = connectedPair();
    const packet = sealed(server, ipv4Packet(40));
    client.channel.close();
    expect(client.channel.canSeal(0)).toBe(false);
    expect(client.channel.open(packet, 0)).toBe(Drop.UNKNOWN_KEY);
  });
});

describe('DataChannel timeouts', () => {
  test('a silent peer is told of once', () => {
    const { client } = connectedPair();
    client.channel.configure(KEEPALIVE);
    client.activity.sentAt = 55_000;
    client.channel.onTimeout(60_000);
    client.channel.onTimeout(61_000);
    const [event, ...more] = eventsOf(client.channel);
    expect(event).toMatchObject({
      kind: 'ping-timeout',
      error: { code: 'OVPN_PING_TIMEOUT', phase: 'ping-restart' },
    });
    expect(more).toEqual([]);
  });

  test('packets that prove authentic keep the peer alive', () => {
    const { client, server } = connectedPair();
    client.channel.configure(KEEPALIVE);
    client.channel.open(sealed(server, ipv4Packet(40)), 59_000);
    client.channel.onTimeout(60_000);
    expect(eventsOf(client.channel)).toEqual([]);
  });
});
