import { describe, expect, test } from 'vitest';
import { Channel } from '../../src/core/channel.ts';
import { DROP_NAMES } from '../../src/core/machine.ts';
import type { ControlPacket } from '../../src/model/packet.ts';
import { ReliableService } from '../../src/reliable/service.ts';
import { notationOf, packetOf, packetsOf } from '../sim/packet-notation.ts';

function build(slots = 16) {
  const traced: string[] = [];
  const ports = {
    muxerToReliable: new Channel<ControlPacket>('muxerToReliable', 16),
    reliableToControl: new Channel<ControlPacket>('reliableToControl', slots),
    controlToReliable: new Channel<ControlPacket>('controlToReliable', 16),
    reliableToMuxer: new Channel<ControlPacket>('reliableToMuxer', slots),
  };
  const service = new ReliableService(
    {
      role: 'client',
      tlsTimeoutMs: 500,
      ackV1Limit: 8,
      acceptsSoftReset: () => false,
      tracer: {
        dropped: (layer, drop, byte0, size) =>
          traced.push(`${layer} ${DROP_NAMES[drop]} ${byte0.toString(16)} ${size}`),
      },
    },
    ports,
  );
  return { service, ports, traced };
}

function drain(channel: Channel<ControlPacket>): string[] {
  const notations: string[] = [];
  for (let packet = channel.take(); packet !== undefined; packet = channel.take()) {
    notations.push(notationOf(packet));
  }
  return notations;
}

describe('ReliableService', () => {
  test('moveUpWorker puts packets in order and tells whether it moved something', () => {
    const { service, ports } = build();
    for (const id of [1, 0, 2]) ports.muxerToReliable.push(packetOf(`[${id}]`));
    expect(service.moveUpWorker(0)).toBe(true);
    expect(drain(ports.reliableToControl)).toEqual([
      '[0] CONTROL_V1',
      '[1] CONTROL_V1',
      '[2] CONTROL_V1',
    ]);
    expect(service.moveUpWorker(0)).toBe(false);
  });

  test('moveDownWorker numbers what comes down and lets acknowledgements ride on it', () => {
    const { service, ports } = build();
    ports.muxerToReliable.push(packetOf('[0]'));
    service.moveUpWorker(0);
    ports.controlToReliable.push(packetOf('CONTROL_V1'));
    expect(service.moveDownWorker(0)).toBe(true);
    expect(drain(ports.reliableToMuxer)).toEqual(['[1] CONTROL_V1 (ack:0)']);
    expect(service.moveDownWorker(0)).toBe(false);
  });

  test('acknowledges alone what nothing else goes out with', () => {
    const { service, ports } = build();
    ports.muxerToReliable.push(packetOf('[0]'));
    service.moveUpWorker(0);
    service.moveDownWorker(0);
    expect(drain(ports.reliableToMuxer)).toEqual(['ACK_V1 (ack:0)']);
  });

  test('acknowledgements get in although there is no room above', () => {
    const { service, ports } = build(1);
    for (let at = 0; at < 6; at += 1) ports.controlToReliable.push(packetOf('CONTROL_V1'));
    for (let at = 0; at < 6; at += 1) {
      service.moveDownWorker(0);
      drain(ports.reliableToMuxer);
    }
    for (const { packet } of packetsOf('[0..3] CONTROL_V1 (ack:1)'))
      ports.muxerToReliable.push(packet);
    ports.muxerToReliable.push(packetOf('ACK_V1 (ack:2,3,4,5,6)'));
    service.moveUpWorker(0);
    expect(ports.reliableToControl.full).toBe(true);
    expect(service.isAcknowledged(0)).toBe(true);
    expect(service.moveUpWorker(0)).toBe(false);
    drain(ports.reliableToControl);
    expect(service.moveUpWorker(0)).toBe(true);
    expect(drain(ports.reliableToControl)).toEqual(['[1] CONTROL_V1 (ack:1)']);
  });

  test('loses nothing while there is no room below, and has no deadline that room must meet', () => {
    const { service, ports } = build(1);
    for (let at = 0; at < 3; at += 1) ports.controlToReliable.push(packetOf('CONTROL_V1'));
    service.moveDownWorker(0);
    expect(service.moveDownWorker(0)).toBe(false);
    expect(service.nextTimeout()).toBe(500);
    service.onTimeout(500);
    expect(service.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    const sent: string[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      sent.push(...drain(ports.reliableToMuxer));
      service.moveDownWorker(500);
    }
    expect(sent.join()).toBe('[1] CONTROL_V1,[1] CONTROL_V1,[2] CONTROL_V1,[3] CONTROL_V1');
  });

  test('leaves in the channel what the window has no room for', () => {
    const { service, ports } = build();
    for (let at = 0; at < 10; at += 1) ports.controlToReliable.push(packetOf('CONTROL_V1'));
    service.moveDownWorker(0);
    expect(ports.controlToReliable.size).toBe(4);
    ports.muxerToReliable.push(packetOf('ACK_V1 (ack:1,2)'));
    service.moveUpWorker(0);
    service.moveDownWorker(0);
    expect(ports.controlToReliable.size).toBe(2);
  });

  test('counts and traces what it refuses, from both sides', () => {
    const { service, ports, traced } = build();
    ports.muxerToReliable.push(packetOf('[12]'));
    ports.muxerToReliable.push(packetOf('[0] SOFT_RESET_V1 key:1'));
    ports.muxerToReliable.push(packetOf('ACK_V1 key:3 (ack:0)'));
    ports.controlToReliable.push(packetOf('CONTROL_V1 key:2'));
    service.moveUpWorker(0);
    service.moveDownWorker(0);
    expect(service.drops.snapshot()).toEqual({
      'out-of-window': 1,
      unexpected: 1,
      'unknown-key': 2,
    });
    expect(traced).toEqual([
      'reliable out-of-window 20 16',
      'reliable unexpected 19 0',
      'reliable unknown-key 2b 0',
      'reliable unknown-key 22 16',
    ]);
  });
});
