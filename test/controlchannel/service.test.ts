import { describe, expect, test } from 'vitest';
import { ControlChannel } from '../../src/controlchannel/control-channel.ts';
import { ControlChannelService } from '../../src/controlchannel/service.ts';
import { Channel } from '../../src/core/channel.ts';
import type { ControlPacket } from '../../src/model/packet.ts';
import type { TlsChunk } from '../../src/model/tls-chunk.ts';
import { notationOf, packetOf, packetsOf } from '../sim/packet-notation.ts';

function build({ slots = 16, established = true } = {}) {
  const ports = {
    reliableToControl: new Channel<ControlPacket>('reliableToControl', 16),
    controlToTls: new Channel<TlsChunk>('controlToTls', slots),
    tlsToControl: new Channel<TlsChunk>('tlsToControl', 16),
    controlToReliable: new Channel<ControlPacket>('controlToReliable', slots),
    softReset: new Channel<number>('softReset', 2),
    keyEstablished: new Channel<number>('keyEstablished', 2),
    rekeyDue: new Channel<string>('rekeyDue', 2),
  };
  const machine = new ControlChannel();
  if (established) machine.keyEstablished(0, 0);
  return { machine, ports, service: new ControlChannelService(machine, ports) };
}

function drain<T>(channel: Channel<T>): T[] {
  const items: T[] = [];
  for (let item = channel.take(); item !== undefined; item = channel.take()) items.push(item);
  return items;
}

const chunk = (text: string, keyId = 0): TlsChunk => ({ keyId, bytes: Buffer.from(text) });

describe('ControlChannelService', () => {
  test('moveUpWorker raises TLS bytes in order and counts what it refuses', () => {
    const { service, ports } = build();
    for (const { packet } of packetsOf('[1..3]')) ports.reliableToControl.push(packet);
    ports.reliableToControl.push(packetOf('[0] SOFT_RESET_V1 key:5'));
    expect(service.moveUpWorker()).toBe(true);
    expect(drain(ports.controlToTls).map(({ bytes }) => bytes.toString())).toEqual([
      'key 0 message 1',
      'key 0 message 2',
      'key 0 message 3',
    ]);
    expect(service.drops.snapshot()).toEqual({ unexpected: 1 });
    expect(service.moveUpWorker()).toBe(false);
  });

  test('takes nothing from below while there is no room above', () => {
    const { service, ports } = build({ slots: 2 });
    for (const { packet } of packetsOf('[1..5]')) ports.reliableToControl.push(packet);
    service.moveUpWorker();
    expect([ports.controlToTls.size, ports.reliableToControl.size]).toEqual([2, 3]);
    expect(service.moveUpWorker()).toBe(false);
  });

  test('takes nothing from below while tlsstate has not begun what it was told to', () => {
    const { service, ports } = build();
    for (const keyId of [1, 2]) ports.softReset.push(keyId);
    ports.reliableToControl.push(packetOf('[0] SOFT_RESET_V1 key:1'));
    expect(service.moveUpWorker()).toBe(false);
    ports.softReset.take();
    expect(service.moveUpWorker()).toBe(true);
    expect(drain(ports.softReset)).toEqual([2, 1]);
  });

  test('takes nothing from above while there is no room below', () => {
    const { service, ports } = build({ slots: 2 });
    for (const text of ['a', 'b', 'c']) ports.tlsToControl.push(chunk(text));
    service.moveDownWorker(0);
    expect([ports.controlToReliable.size, ports.tlsToControl.size]).toEqual([2, 1]);
    expect(service.moveDownWorker(0)).toBe(false);
  });

  test('a soft reset of the peer is answered before any TLS bytes of its key id', () => {
    const { service, ports } = build();
    ports.reliableToControl.push(packetOf('[0] SOFT_RESET_V1 key:1'));
    ports.reliableToControl.push(packetOf('[1] CONTROL_V1 key:1'));
    service.moveUpWorker();
    expect(drain(ports.softReset)).toEqual([1]);
    expect(drain(ports.controlToTls).map(({ keyId }) => keyId)).toEqual([1]);
    ports.tlsToControl.push(chunk('hello', 1));
    service.moveDownWorker(0);
    expect(drain(ports.controlToReliable).map(notationOf)).toEqual([
      'SOFT_RESET_V1 key:1',
      'CONTROL_V1 key:1',
    ]);
  });

  test('rekeyDue begins a soft reset; a second trigger while that is pending does nothing', () => {
    const { service, ports, machine } = build();
    ports.rekeyDue.push('reneg-sec');
    ports.rekeyDue.push('packet ids');
    expect(service.moveDownWorker(5)).toBe(true);
    expect(drain(ports.controlToReliable).map(notationOf)).toEqual(['SOFT_RESET_V1 key:1']);
    ports.rekeyDue.push('reneg-sec');
    service.moveDownWorker(6);
    expect(drain(ports.controlToReliable)).toEqual([]);
    expect([machine.pendingKeyId, ports.softReset.size]).toEqual([1, 0]);
    expect(service.nextTimeout()).toBe(60_005);
    expect(() => service.onTimeout(60_005)).toThrow('soft reset');
  });

  test('rekeyDue before the first key is established does nothing', () => {
    const { service, ports } = build({ established: false });
    ports.rekeyDue.push('reneg-sec');
    service.moveDownWorker(0);
    expect(ports.controlToReliable.empty).toBe(true);
  });

  test('keyEstablished is heard before rekeyDue of the same turn', () => {
    const { service, ports, machine } = build({ established: false });
    ports.rekeyDue.push('reneg-sec');
    ports.keyEstablished.push(0);
    expect(service.moveDownWorker(0)).toBe(true);
    expect([machine.activeKeyId, machine.pendingKeyId]).toEqual([0, 1]);
  });

  test('a key id that nobody negotiates is our bug and throws', () => {
    const { service, ports } = build();
    ports.keyEstablished.push(4);
    expect(() => service.moveDownWorker(0)).toThrow('key id 4');
  });
});
