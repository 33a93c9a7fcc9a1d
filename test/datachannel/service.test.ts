import { describe, expect, test } from 'vitest';
import { Channel } from '../../src/core/channel.ts';
import { Drop } from '../../src/core/machine.ts';
import { BATCH } from '../../src/core/pump.ts';
import { Workers } from '../../src/core/workers.ts';
import { DataChannel } from '../../src/datachannel/data-channel.ts';
import { KEY_LIMITS, type KeyLimits } from '../../src/datachannel/key-limits.ts';
import { DataChannelService } from '../../src/datachannel/service.ts';
import type { DataChannelKey } from '../../src/model/data-channel-key.ts';
import type { Role } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { ipv4Packet, negotiated, OPTIONS } from './fixtures.ts';
import { framed, inParts } from './formats.ts';

describe('DataChannelService', () => {
  test('installs keys and carries packets up and down', () => {
    const { client, server } = keyedPair();
    client.ports.tunToData.push(ipv4Packet(100));
    client.service.moveDownWorker(1);
    carry(client, server);
    expect(server.service.moveUpWorker(2)).toBe(true);
    expect(server.ports.dataToTun.take()).toEqual(ipv4Packet(100));
    expect(client.service.stats).toMatchObject({ packetsDown: 1, bytesDown: 100, packetsUp: 0 });
    expect(server.service.stats).toMatchObject({ packetsUp: 1, bytesUp: 100, packetsDown: 0 });
  });

  test('leaves packets in the channel while there is no key', () => {
    const { ports, service } = endOf('client');
    ports.tunToData.push(ipv4Packet(100));
    expect(service.moveDownWorker(0)).toBe(false);
    expect(ports.tunToData.size).toBe(1);
    ports.keyReady.push(negotiated('client', 0));
    expect(service.moveUpWorker(0)).toBe(true);
    expect(service.moveDownWorker(0)).toBe(true);
    expect(ports.dataToMuxer.size).toBe(1);
  });

  test('takes nothing that it cannot place', () => {
    const { client, server } = keyedPair(2);
    for (let round = 0; round < 2; round += 1) {
      while (client.ports.tunToData.push(ipv4Packet(40)));
      client.service.moveDownWorker(0);
      if (round === 0) carry(client, server);
      server.service.moveUpWorker(0);
    }
    expect(server.ports.dataToTun.full).toBe(true);
    carry(client, server);
    expect(server.service.moveUpWorker(0)).toBe(false);
    expect(server.ports.muxerToData.size).toBe(2);

    while (client.ports.tunToData.push(ipv4Packet(40)));
    client.service.moveDownWorker(0);
    while (client.ports.tunToData.push(ipv4Packet(40)));
    expect(client.service.moveDownWorker(0)).toBe(false);
    expect(client.ports.tunToData.size).toBe(2);
  });

  test('moves at most a batch in a call', () => {
    const { client, server } = keyedPair(2 * BATCH);
    while (client.ports.tunToData.push(ipv4Packet(40)));
    client.service.moveDownWorker(0);
    expect(client.ports.dataToMuxer.size).toBe(BATCH);
    client.service.moveDownWorker(0);
    carry(client, server);
    server.service.moveUpWorker(0);
    expect(server.ports.dataToTun.size).toBe(BATCH);
  });

  test('counts and traces what it refuses', () => {
    const traced: unknown[] = [];
    const { client } = keyedPair(8, { dropped: (...drop) => traced.push(drop) });
    const forged = Buffer.alloc(80, 0x48);
    for (const packet of [forged, Buffer.alloc(0)]) client.ports.muxerToData.push(packet);
    client.ports.tunToData.push(Buffer.from('no packet'));
    client.service.moveUpWorker(5);
    client.service.moveDownWorker(6);
    expect(client.service.stats.drops).toEqual({ malformed: 1, 'bad-auth': 1, martian: 1 });
    expect(traced).toEqual([
      ['datachannel', Drop.BAD_AUTH, 0x48, 80, 5],
      ['datachannel', Drop.MALFORMED, -1, 0, 5],
      ['datachannel', Drop.MARTIAN, 0x6e, 9, 6],
    ]);
  });

  test('sends pings and exits, which the other end consumes', () => {
    const { client, server } = keyedPair();
    client.service.configure({ pingMs: 10_000, pingRestartMs: 0, pingExitMs: 0 });
    client.service.onTimeout(10_000);
    client.service.sendExit();
    expect(client.service.moveDownWorker(10_000)).toBe(true);
    carry(client, server);
    server.service.moveUpWorker(10_010);
    expect(server.told).toEqual(['peerExit']);
    expect(server.ports.dataToTun.empty).toBe(true);
    expect(server.service.stats).toMatchObject({ packetsUp: 0, drops: {} });
  });

  test('frames what it carries once it is told to, and counts what is compressed', () => {
    const { client, server } = keyedPair();
    client.service.useFormat(framed('comp-lzo-no'));
    server.service.useFormat(framed('comp-lzo-no'));
    client.ports.tunToData.push(ipv4Packet(100));
    client.service.moveDownWorker(0);
    carry(client, server);
    server.service.moveUpWorker(0);
    expect(server.ports.dataToTun.take()).toEqual(ipv4Packet(100));

    client.service.useFormat(framed('stub'));
    client.ports.tunToData.push(ipv4Packet(100));
    client.service.moveDownWorker(0);
    carry(client, server);
    server.service.moveUpWorker(0);
    expect(server.ports.dataToTun.empty).toBe(true);
    expect(server.service.stats).toMatchObject({ packetsUp: 1, drops: { compressed: 1 } });
  });

  test('parts wait in order where there is no room, and count as one packet', () => {
    const { client, server } = keyedPair();
    client.service.useFormat(inParts(500));
    server.service.useFormat(inParts(500));
    const packets = [1, 2, 3].map((fill) => ipv4Packet(1500, fill));
    for (const packet of packets) client.ports.tunToData.push(packet);
    const room = client.ports.dataToMuxer.slots;
    for (let each = 0; each < room - 2; each += 1) client.ports.dataToMuxer.push(Buffer.alloc(1));
    client.service.moveDownWorker(0);
    expect(client.ports.dataToMuxer.full).toBe(true);
    expect(client.service.stats.packetsDown).toBe(1);
    for (let each = 0; each < room - 2; each += 1) client.ports.dataToMuxer.take();
    const arrived: Buffer[] = [];
    for (let round = 0; round < 20; round += 1) {
      carry(client, server);
      server.service.moveUpWorker(0);
      const packet = server.ports.dataToTun.take();
      if (packet !== undefined) arrived.push(packet);
      client.service.moveDownWorker(0);
    }
    expect(client.service.stats).toMatchObject({ packetsDown: 3, bytesDown: 4500 });
    expect(arrived).toEqual(packets);
    expect(server.service.stats).toMatchObject({ packetsUp: 3, drops: {} });
  });

  test('asks for a new key when it is due, as soon as there is room', () => {
    const { client } = keyedPair();
    client.ports.rekeyDue.push('earlier');
    client.ports.rekeyDue.push('earlier');
    client.service.onTimeout(OPTIONS.renegSecMs);
    client.service.moveUpWorker(OPTIONS.renegSecMs);
    expect(client.ports.rekeyDue.size).toBe(2);
    client.ports.rekeyDue.take();
    client.service.moveUpWorker(OPTIONS.renegSecMs);
    client.ports.rekeyDue.take();
    expect(client.ports.rekeyDue.take()).toBe('reneg-sec');
  });

  test('tells of a new key', () => {
    const { client } = keyedPair();
    client.ports.keyReady.push(negotiated('client', 1));
    client.service.moveUpWorker(0);
    expect(client.told).toEqual(['rekeyed 1']);
  });

  test('a refused key is a failure, and other keys go on', () => {
    const { client } = keyedPair();
    client.ports.keyReady.push({ ...negotiated('client', 1), material: Buffer.alloc(256) });
    expect(client.service.moveUpWorker(0)).toBe(true);
    expect(client.told).toEqual(['failed OVPN_PROTOCOL']);
    client.ports.tunToData.push(ipv4Packet(40));
    client.service.moveDownWorker(0);
    expect(client.ports.dataToMuxer.take()?.readUInt8(0)).toBe(0x48);
  });

  test('an exhausted key is a failure', () => {
    const { client } = keyedPair(8, {}, { ...KEY_LIMITS, lastPacketId: 1 });
    for (let count = 0; count < 3; count += 1) client.ports.tunToData.push(ipv4Packet(40));
    client.service.moveDownWorker(0);
    expect(client.told).toEqual(['failed OVPN_KEY_EXHAUSTED']);
    expect(client.ports.dataToMuxer.size).toBe(1);
    expect(client.ports.tunToData.size).toBe(1);
  });

  test('runs in a pump: pings on time, then gives up on a silent peer', () => {
    const clock = new VirtualClock();
    const { ports, service, told } = endOf('client');
    const workers = new Workers(clock);
    ports.keyReady.push(negotiated('client', 0));
    service.configure({ pingMs: 10_000, pingRestartMs: 35_000, pingExitMs: 0 });
    workers.start(service);
    clock.advance(34_999);
    expect(ports.dataToMuxer.size).toBe(3);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual(['pingTimeout OVPN_PING_TIMEOUT']);
    clock.advance(100_000);
    expect(ports.dataToMuxer.size).toBe(3);
    workers.stop();
    ports.tunToData.push(ipv4Packet(40));
    expect(service.moveDownWorker(clock.now())).toBe(false);
  });

  test('a closed channel above loses packets, and nothing hangs', () => {
    const { client, server } = keyedPair();
    client.ports.tunToData.push(ipv4Packet(40));
    client.service.moveDownWorker(0);
    carry(client, server);
    server.ports.dataToTun.close();
    expect(server.service.moveUpWorker(0)).toBe(true);
    expect(server.service.stats.packetsUp).toBe(0);
  });
});

type End = ReturnType<typeof endOf>;
type Tracing = ConstructorParameters<typeof DataChannelService>[3];

function endOf(role: Role, slots = 8, tracer: Tracing = {}, limits: KeyLimits = KEY_LIMITS) {
  const told: string[] = [];
  const ports = {
    muxerToData: new Channel<Buffer>('muxerToData', slots),
    dataToTun: new Channel<Buffer>('dataToTun', slots),
    tunToData: new Channel<Buffer>('tunToData', slots),
    dataToMuxer: new Channel<Buffer>('dataToMuxer', slots),
    keyReady: new Channel<DataChannelKey>('keyReady', 2),
    rekeyDue: new Channel<string>('rekeyDue', 2),
  };
  const service = new DataChannelService(
    new DataChannel(OPTIONS, new LinkActivity(0), { limits }),
    ports,
    {
      peerExit: () => told.push('peerExit'),
      pingTimeout: (error) => told.push(`pingTimeout ${codeOf(error)}`),
      failed: (error) => told.push(`failed ${codeOf(error)}`),
      rekeyed: (keyId) => told.push(`rekeyed ${keyId}`),
    },
    tracer,
  );
  return { role, ports, service, told };
}

function keyedPair(
  slots?: number,
  tracer?: Tracing,
  limits?: KeyLimits,
): { client: End; server: End } {
  const client = endOf('client', slots, tracer, limits);
  const server = endOf('server', slots, tracer, limits);
  for (const { role, ports, service } of [client, server]) {
    ports.keyReady.push(negotiated(role, 0));
    service.moveUpWorker(0);
  }
  return { client, server };
}

/** Everything on its way from `from` arrives at `to`. */
function carry(from: End, to: End): void {
  for (;;) {
    const packet = from.ports.dataToMuxer.take();
    if (packet === undefined) return;
    to.ports.muxerToData.push(packet);
  }
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : error.message;
}
