import { describe, expect, test } from 'vitest';
import { BATCH } from '../../src/core/pump.ts';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import { webCryptoProvider } from '../../src/datachannel/webcrypto-provider.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { cipherNamed } from './captures.ts';
import { drain, End, pairOf, SLOTS } from './deferred-ends.ts';
import { ipv4Packet, negotiated } from './fixtures.ts';
import { inParts } from './formats.ts';
import { HeldCrypto, turn } from './providers.ts';

const PACKETS = 150;

describe('order, whatever order the ciphers answer in', () => {
  test.each([
    { name: 'AEAD ', format: {} },
    { name: 'epoch', format: { epoch: true } },
    { name: 'CBC  ', format: { cipher: cipherNamed('AES-256-CBC') } },
  ])('$name, with forged and repeated packets in between', async ({ format }) => {
    for (const seed of [1, 2, 3]) {
      const random = new SeededRandom(seed);
      const { client, server } = pairOf(format);
      const sent: Buffer[] = [];
      for (let mark = 0; mark < PACKETS; mark += 1) {
        sent.push(ipv4Packet(40 + (random.uint32() % 200), mark));
      }
      for (const packet of sent) client.ports.tunToData.push(packet);
      await client.run(random);
      const outer = drain(client.ports.dataToMuxer);
      expect(outer.length).toBe(PACKETS);

      let forged = 0;
      let repeated = 0;
      for (const packet of outer) {
        if (random.uint32() % 3 === 0) {
          const forgery = Buffer.from(packet);
          const at = forgery.length - 1 - (random.uint32() % 16);
          forgery.writeUInt8(forgery.readUInt8(at) ^ 0x80, at);
          server.ports.muxerToData.push(forgery);
          forged += 1;
        }
        server.ports.muxerToData.push(packet);
        if (random.uint32() % 5 === 0) {
          server.ports.muxerToData.push(Buffer.from(packet));
          repeated += 1;
        }
        if (server.ports.muxerToData.size > SLOTS - 3) await server.run(random);
      }
      await server.run(random);
      expect(drain(server.ports.dataToTun)).toEqual(sent);
      expect(server.service.stats).toMatchObject({
        packetsUp: PACKETS,
        drops: { 'bad-auth': forged, replay: repeated },
      });
      expect(client.service.stats).toMatchObject({ packetsDown: PACKETS, drops: {} });
    }
  });

  test('a forged packet in front of a good one of the same id does not get its plaintext', async () => {
    const { client, server } = pairOf();
    client.ports.tunToData.push(ipv4Packet(60, 7));
    await client.run();
    const [packet = expect.fail()] = drain(client.ports.dataToMuxer);
    const forged = Buffer.from(packet);
    forged.writeUInt8(forged.readUInt8(30) ^ 1, 30);
    for (const each of [forged, packet, forged]) server.ports.muxerToData.push(each);
    server.service.moveUpWorker(0);
    await server.crypto.holding(3);
    // The good one's answer comes first.
    server.crypto.release({ uint32: () => 1, bytes: () => expect.fail() });
    await turn();
    server.service.moveUpWorker(0);
    expect(server.ports.dataToTun.empty).toBe(true);
    await server.run();
    expect(drain(server.ports.dataToTun)).toEqual([ipv4Packet(60, 7)]);
    expect(server.service.stats.drops).toEqual({ 'bad-auth': 2 });
  });
});

describe('packets on their way', () => {
  test('are a batch at most, and the others wait in their channels', async () => {
    const { client, server } = pairOf();
    for (let mark = 0; mark < PACKETS; mark += 1) client.ports.tunToData.push(ipv4Packet(40, mark));
    expect(client.service.moveDownWorker(0)).toBe(true);
    expect(client.service.moveDownWorker(0)).toBe(false);
    expect(client.ports.tunToData.size).toBe(PACKETS - BATCH);
    expect(client.service.isSealing).toBe(true);
    await client.run();
    expect(client.service.isSealing).toBe(false);
    for (const packet of drain(client.ports.dataToMuxer)) server.ports.muxerToData.push(packet);
    expect(server.service.moveUpWorker(0)).toBe(true);
    expect(server.service.moveUpWorker(0)).toBe(false);
    expect(server.ports.muxerToData.size).toBe(PACKETS - BATCH);
  });

  test('wait for room in the channel above and below', async () => {
    const { client, server } = pairOf({}, { slots: 4 });
    for (let mark = 0; mark < 4; mark += 1) client.ports.tunToData.push(ipv4Packet(40, mark));
    await client.run();
    for (let mark = 4; mark < 8; mark += 1) client.ports.tunToData.push(ipv4Packet(40, mark));
    await client.run();
    expect(client.ports.dataToMuxer.full).toBe(true);
    expect(client.service.isSealing).toBe(true);
    for (let round = 0; round < 2; round += 1) {
      for (const packet of drain(client.ports.dataToMuxer)) server.ports.muxerToData.push(packet);
      await client.run();
      await server.run();
    }
    const first = drain(server.ports.dataToTun);
    await server.run();
    const all = [...first, ...drain(server.ports.dataToTun)];
    expect(first.length).toBe(4);
    expect(all).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((mark) => ipv4Packet(40, mark)));
  });

  test('are not sent before they are whole', async () => {
    const { client } = pairOf({ cipher: cipherNamed('AES-128-CBC') });
    client.ports.tunToData.push(ipv4Packet(40, 1));
    client.service.moveDownWorker(0);
    for (const step of ['encrypt', 'sign']) {
      await client.crypto.holding(1);
      client.service.moveDownWorker(0);
      expect(client.ports.dataToMuxer.empty, step).toBe(true);
      client.crypto.release();
    }
    await turn();
    expect(client.armed).toBe(1);
    client.service.moveDownWorker(0);
    expect(client.ports.dataToMuxer.size).toBe(1);
  });

  test('are lost when the session stops, and so are their answers', async () => {
    const { client, server } = pairOf();
    for (const mark of [1, 2]) client.ports.tunToData.push(ipv4Packet(40, mark));
    await client.run();
    for (const packet of drain(client.ports.dataToMuxer)) server.ports.muxerToData.push(packet);
    server.service.moveUpWorker(0);
    client.ports.tunToData.push(ipv4Packet(40, 3));
    client.service.moveDownWorker(0);
    const armed = [client.armed, server.armed];
    client.service.stop();
    server.service.stop();
    await server.crypto.holding(2);
    await Promise.all([client.run(), server.run()]);
    expect(client.ports.dataToMuxer.empty).toBe(true);
    expect(server.ports.dataToTun.empty).toBe(true);
    expect([client.armed, server.armed]).toEqual(armed);
    expect(server.service.stats).toMatchObject({ packetsUp: 0, drops: {} });
  });

  test('arrive while a new key comes, unless theirs is gone', async () => {
    const { client, server } = pairOf();
    for (const keyIds of [[1], [2, 3]]) {
      const mark = keyIds.length;
      client.ports.tunToData.push(ipv4Packet(40, mark));
      await client.run();
      for (const packet of drain(client.ports.dataToMuxer)) server.ports.muxerToData.push(packet);
      server.service.moveUpWorker(0);
      for (const keyId of keyIds) {
        server.ports.keyReady.push(negotiated('server', keyId));
        server.service.keyWorker(0);
      }
      await server.run();
    }
    expect(drain(server.ports.dataToTun)).toEqual([ipv4Packet(40, 1)]);
    expect(server.service.stats.drops).toEqual({ 'unknown-key': 1 });
  });

  test('get nothing of another key with the same id', async () => {
    const { client, server } = pairOf();
    client.ports.tunToData.push(ipv4Packet(40, 1));
    await client.run();
    for (const packet of drain(client.ports.dataToMuxer)) server.ports.muxerToData.push(packet);
    server.service.moveUpWorker(0);
    server.ports.keyReady.push({ ...negotiated('server', 0), material: Buffer.alloc(256, 9) });
    await server.run();
    expect(server.ports.dataToTun.empty).toBe(true);
    expect(server.service.stats.drops).toEqual({ 'unknown-key': 1 });
  });

  test('do not outrun the limit of forged packets', async () => {
    const { server } = pairOf({}, { limits: { maxFailedOpens: 2 } });
    for (let count = 0; count < 5; count += 1) {
      server.ports.muxerToData.push(Buffer.alloc(80, 0x48));
    }
    await server.run();
    expect(server.service.stats.drops).toEqual({ 'bad-auth': 2, 'unknown-key': 3 });
  });
});

describe('messages of our own', () => {
  test('go through the same ciphers, in order, and end at the other end', async () => {
    const { client, server } = pairOf();
    client.service.configure({ pingMs: 10_000, pingRestartMs: 0, pingExitMs: 0 });
    client.service.onTimeout(10_000);
    client.service.sendExit();
    client.service.moveDownWorker(10_000);
    expect(client.service.isSealing).toBe(true);
    await client.run();
    const packets = drain(client.ports.dataToMuxer);
    expect(packets.length).toBe(2);
    for (const packet of packets) server.ports.muxerToData.push(packet);
    await server.run();
    expect(server.told).toEqual(['peerExit']);
    expect(server.ports.dataToTun.empty).toBe(true);
    expect(client.service.stats.packetsDown).toBe(0);
  });
});

describe('packets in parts', () => {
  test('go through the same ciphers, in order, and never too many at once', async () => {
    const { client, server } = pairOf();
    for (const { service } of [client, server]) service.useFormat(inParts(200));
    const sent = Array.from({ length: 20 }, (_, mark) => ipv4Packet(1500, mark));
    for (const packet of sent) client.ports.tunToData.push(packet);
    const random = new SeededRandom(4);
    await client.run(random);
    expect(client.crypto.busy).toBeLessThanOrEqual(BATCH);
    for (const packet of drain(client.ports.dataToMuxer)) server.ports.muxerToData.push(packet);
    await server.run(random);
    expect(drain(server.ports.dataToTun)).toEqual(sent);
    expect(client.service.stats).toMatchObject({ packetsDown: 20, bytesDown: 30_000 });
    expect(server.service.stats).toMatchObject({ packetsUp: 20, drops: {} });
  });
});

describe('a provider that fails', () => {
  test.each(['encrypt', 'importKey'] as const)(
    'by %s: told once, nothing is sent',
    async (name) => {
      const crypto = new HeldCrypto();
      const broken = () => Promise.reject(new Error('out of order'));
      const provider = webCryptoProvider({ subtle: { ...crypto.subtle, [name]: broken } });
      const client = new End('client', { provider, crypto });
      for (const mark of [1, 2, 3]) client.ports.tunToData.push(ipv4Packet(40, mark));
      await client.run();
      client.ports.tunToData.push(ipv4Packet(40, 4));
      await client.run();
      expect(client.told).toEqual(['failed OVPN_USAGE: out of order']);
      expect(client.ports.dataToMuxer.empty).toBe(true);
      expect(client.ports.tunToData.size).toBe(1);
    },
  );

  test('by importKey, while packets come in: no packet counts as forged', async () => {
    const crypto = new HeldCrypto();
    const importKey = () => Promise.reject(new Error('out of order'));
    const provider = webCryptoProvider({ subtle: { ...crypto.subtle, importKey } });
    const server = new End('server', { provider, crypto });
    for (const _ of [1, 2]) server.ports.muxerToData.push(Buffer.alloc(80, 0x48));
    await server.run();
    expect(server.told).toEqual(['failed OVPN_USAGE: out of order']);
    expect(server.service.stats.drops).toEqual({});
  });

  test('one that does not say that it defers: nothing unfinished is sent', async () => {
    const provider = { ...webCryptoProvider(globalThis.crypto), defers: false };
    const { service, ports } = new End('client', { provider });
    ports.tunToData.push(ipv4Packet(40));
    expect(() => service.moveDownWorker(0)).toThrow('expected a whole packet');
    expect(ports.dataToMuxer.empty).toBe(true);
    await turn();
  });

  test('one that says so and answers at once serves all the same', async () => {
    const provider = { ...nodeProvider, defers: true };
    const [client, server] = [new End('client', { provider }), new End('server', { provider })];
    client.ports.tunToData.push(ipv4Packet(40, 5));
    await client.run();
    for (const packet of drain(client.ports.dataToMuxer)) server.ports.muxerToData.push(packet);
    await server.run();
    expect(drain(server.ports.dataToTun)).toEqual([ipv4Packet(40, 5)]);
  });
});
