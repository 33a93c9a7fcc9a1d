import { describe, expect, test } from 'vitest';
import { Channel } from '../../src/core/channel.ts';
import { OvpnProtocolError } from '../../src/core/errors.ts';
import { Drop } from '../../src/core/machine.ts';
import { BATCH } from '../../src/core/pump.ts';
import { sessionIdOf } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import type { SessionIds } from '../../src/model/tls-chunk.ts';
import type { Tracer } from '../../src/model/tracer.ts';
import { plainWrap } from '../../src/packetmuxer/control-wrap.ts';
import { PacketMuxer } from '../../src/packetmuxer/packet-muxer.ts';
import { PacketMuxerService } from '../../src/packetmuxer/service.ts';

const LOCAL = sessionIdOf(Buffer.alloc(8, 0xaa));
const REMOTE = sessionIdOf(Buffer.alloc(8, 0xbb));
const ANSWER = Buffer.from(`40${'bb'.repeat(8)}0100000000${'aa'.repeat(8)}00000000`, 'hex');
const DATA = Buffer.from('48000001', 'hex');
const FOREIGN = Buffer.from(`20${'cc'.repeat(8)}0000000001`, 'hex');

function control(id: number): Buffer {
  return Buffer.from(`20${'bb'.repeat(8)}00${id.toString(16).padStart(8, '0')}`, 'hex');
}

function outgoing(id: number): ControlPacket {
  const packet = new ControlPacket(Opcode.P_CONTROL_V1, 0, LOCAL);
  packet.packetId = id;
  return packet;
}

interface Options {
  role?: 'client' | 'server';
  dataSlots?: number;
  controlSlots?: number;
  networkSlots?: number;
  strict?: boolean;
  tracer?: Tracer;
}

function setUp({
  role = 'client',
  dataSlots = 512,
  controlSlots = 16,
  networkSlots = 256,
  strict,
  tracer,
}: Options = {}) {
  const ports = {
    networkToMuxer: new Channel<Buffer>('networkToMuxer', 512),
    muxerToReliable: new Channel<ControlPacket>('muxerToReliable', controlSlots),
    muxerToData: new Channel<Buffer>('muxerToData', dataSlots),
    reliableToMuxer: new Channel<ControlPacket>('reliableToMuxer', 128),
    dataToMuxer: new Channel<Buffer>('dataToMuxer', 256),
    muxerToNetwork: new Channel<Buffer>('muxerToNetwork', networkSlots),
    hardResetDone: new Channel<SessionIds>('hardResetDone', 2),
  };
  const common = { localSessionId: LOCAL, wrapFor: () => plainWrap, activity: new LinkActivity(0) };
  const machine = new PacketMuxer(
    role === 'client' ? { role, ...common } : { role, remoteSessionId: REMOTE, ...common },
  );
  const service = new PacketMuxerService(machine, ports, {
    tracer,
    ...(strict === undefined ? {} : { strict }),
  });
  return { ports, service };
}

describe('moveUpWorker', () => {
  test('sorts control from data, and passes data on untouched', () => {
    const { ports, service } = setUp({ role: 'server' });
    ports.networkToMuxer.push(DATA);
    ports.networkToMuxer.push(control(1));
    expect(service.moveUpWorker(0)).toBe(true);
    expect(ports.muxerToData.take()).toBe(DATA);
    expect(ports.muxerToReliable.take()?.packetId).toBe(1);
    expect(service.moveUpWorker(0)).toBe(false);
  });

  test('tells the ids once, before the answer goes up to be acknowledged', () => {
    const { ports, service } = setUp();
    service.moveUpWorker(0);
    expect(ports.hardResetDone.empty).toBe(true);
    ports.networkToMuxer.push(ANSWER);
    ports.networkToMuxer.push(ANSWER);
    ports.networkToMuxer.push(control(1));
    service.moveUpWorker(0);
    expect(ports.hardResetDone.take()).toEqual({ local: LOCAL, remote: REMOTE });
    expect(ports.hardResetDone.empty).toBe(true);
    expect(ports.muxerToReliable.take()).toMatchObject({ opcode: 8, packetId: 0 });
    expect(ports.muxerToReliable.take()).toMatchObject({ opcode: 4, packetId: 1 });
    expect(service.drops).toEqual({ unexpected: 1 });
  });

  test('a server tells its ids at its first turn, and once', () => {
    const { ports, service } = setUp({ role: 'server' });
    service.moveUpWorker(0);
    service.moveUpWorker(0);
    expect(ports.hardResetDone.take()).toEqual({ local: LOCAL, remote: REMOTE });
    expect(ports.hardResetDone.empty).toBe(true);
  });

  test('drops control without looking at it when there is no room, so that it comes again', () => {
    const { ports, service } = setUp({ role: 'server', controlSlots: 1 });
    for (const id of [1, 2]) ports.networkToMuxer.push(control(id));
    service.moveUpWorker(0);
    expect(service.drops).toEqual({ 'no-room': 1 });
    expect(ports.muxerToReliable.take()?.packetId).toBe(1);
    ports.networkToMuxer.push(control(2));
    service.moveUpWorker(0);
    expect(ports.muxerToReliable.take()?.packetId).toBe(2);
  });

  test('leaves packets where they are while data has no room', () => {
    const { ports, service } = setUp({ role: 'server', dataSlots: 2 });
    for (let count = 0; count < 3; count += 1) ports.networkToMuxer.push(DATA);
    service.moveUpWorker(0);
    expect(ports.networkToMuxer.size).toBe(1);
    expect(service.moveUpWorker(0)).toBe(false);
    ports.muxerToData.take();
    expect(service.moveUpWorker(0)).toBe(true);
    expect(ports.networkToMuxer.empty).toBe(true);
  });

  test('moves a batch in a call', () => {
    const { ports, service } = setUp({ role: 'server' });
    for (let count = 0; count < BATCH + 1; count += 1) ports.networkToMuxer.push(DATA);
    service.moveUpWorker(0);
    expect(ports.muxerToData.size).toBe(BATCH);
  });

  test('drops and traces what is refused', () => {
    const dropped: unknown[] = [];
    const tracer: Tracer = { dropped: (...seen) => dropped.push(seen) };
    const { ports, service } = setUp({ role: 'server', tracer });
    ports.networkToMuxer.push(FOREIGN);
    ports.networkToMuxer.push(Buffer.alloc(0));
    service.moveUpWorker(7);
    expect(service.drops).toEqual({ 'wrong-session': 1, malformed: 1 });
    expect(dropped).toEqual([
      ['packetmuxer', Drop.WRONG_SESSION, 0x20, 14, 7],
      ['packetmuxer', Drop.MALFORMED, -1, 0, 7],
    ]);
  });

  test.each([
    { name: 'a foreign session', packet: FOREIGN, fatal: true },
    { name: 'a malformed packet', packet: Buffer.from('2001', 'hex'), fatal: true },
    { name: 'an impossible opcode', packet: Buffer.alloc(14, 0xff), fatal: true },
    { name: 'a second answer to our reset', packet: ANSWER, fatal: false },
  ])('when strict, $name is fatal: $fatal', ({ packet, fatal }) => {
    const { ports, service } = setUp({ strict: true });
    ports.networkToMuxer.push(ANSWER);
    service.moveUpWorker(0);
    ports.networkToMuxer.push(packet);
    if (fatal) expect(() => service.moveUpWorker(0)).toThrow(OvpnProtocolError);
    else expect(service.moveUpWorker(0)).toBe(true);
  });
});

describe('moveDownWorker', () => {
  test('sends the reset, and nothing of reliable before it is answered', () => {
    const { ports, service } = setUp();
    ports.reliableToMuxer.push(outgoing(1));
    expect(service.moveDownWorker(0)).toBe(true);
    expect(ports.muxerToNetwork.take()?.[0]).toBe(0x38);
    expect(ports.muxerToNetwork.empty).toBe(true);
    ports.networkToMuxer.push(ANSWER);
    service.moveUpWorker(1);
    service.moveDownWorker(1);
    expect(ports.muxerToNetwork.take()?.[0]).toBe(0x20);
  });

  test('sends the reset again when its time has come', () => {
    const { ports, service } = setUp();
    service.moveDownWorker(0);
    expect(service.nextTimeout()).toBe(500);
    expect(service.moveDownWorker(400)).toBe(false);
    service.onTimeout(500);
    expect(service.moveDownWorker(500)).toBe(true);
    expect(ports.muxerToNetwork.size).toBe(2);
  });

  test('lets control go before data', () => {
    const { ports, service } = setUp({ role: 'server' });
    service.moveUpWorker(0);
    ports.dataToMuxer.push(DATA);
    ports.reliableToMuxer.push(outgoing(1));
    service.moveDownWorker(0);
    expect(ports.muxerToNetwork.take()?.[0]).toBe(0x20);
    expect(ports.muxerToNetwork.take()).toBe(DATA);
  });

  test('takes nothing that it cannot place', () => {
    const { ports, service } = setUp({ role: 'server', networkSlots: 1 });
    service.moveUpWorker(0);
    for (const id of [1, 2]) ports.reliableToMuxer.push(outgoing(id));
    ports.dataToMuxer.push(DATA);
    service.moveDownWorker(0);
    expect(ports.reliableToMuxer.size).toBe(1);
    expect(ports.dataToMuxer.size).toBe(1);
    expect(service.moveDownWorker(0)).toBe(false);
  });

  test('moves a batch in a call', () => {
    const { ports, service } = setUp({ role: 'server' });
    for (let count = 0; count < BATCH + 1; count += 1) ports.dataToMuxer.push(DATA);
    service.moveDownWorker(0);
    expect(ports.muxerToNetwork.size).toBe(BATCH);
  });

  test('moves no more control than a batch either', () => {
    const { ports, service } = setUp({ role: 'server' });
    service.moveUpWorker(0);
    for (let id = 1; id <= BATCH + 1; id += 1) ports.reliableToMuxer.push(outgoing(id));
    service.moveDownWorker(0);
    expect(ports.muxerToNetwork.size).toBe(BATCH);
  });

  test('traces control in and out', () => {
    const seen: string[] = [];
    const tracer: Tracer = {
      controlIn: (packet, now) => seen.push(`in ${packet.opcode} at ${now}`),
      controlOut: (packet, now) =>
        seen.push(`out ${packet.opcode} ${packet.sendAttempts} at ${now}`),
    };
    const { ports, service } = setUp({ tracer });
    service.moveDownWorker(0);
    service.onTimeout(500);
    service.moveDownWorker(500);
    ports.networkToMuxer.push(ANSWER);
    service.moveUpWorker(501);
    expect(seen).toEqual(['out 7 1 at 0', 'out 7 2 at 500', 'in 8 at 501']);
  });
});
