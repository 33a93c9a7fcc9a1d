import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { sessionIdOf } from '../../src/model/ids.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket, NO_PACKET_ID } from '../../src/model/packet.ts';
import {
  HandshakeTrace,
  MAX_TRACE_EVENTS,
  type TraceEvent,
} from '../../src/trace/handshake-trace.ts';

const SESSION = sessionIdOf(Buffer.alloc(8, 7));

function packet(opcode: Opcode, changes: Partial<ControlPacket> = {}): ControlPacket {
  return Object.assign(new ControlPacket(opcode, changes.keyId ?? 0, SESSION), changes);
}

function record(handshakeType: number): Buffer {
  return Buffer.from([22, 3, 1, 0, 5, handshakeType, 0, 0, 1, 0]);
}

describe('HandshakeTrace', () => {
  test('keeps states and packets with their times, in order', () => {
    const trace = new HandshakeTrace({ startedAt: 1000 });
    trace.stateChanged('S_PRE_START', 0, 1000);
    trace.controlOut(
      packet(Opcode.P_CONTROL_HARD_RESET_CLIENT_V2, { packetId: 0, sendAttempts: 1 }),
      1000.25,
    );
    trace.controlIn(
      packet(Opcode.P_ACK_V1, { packetId: NO_PACKET_ID, ackedPacketIds: [0, 1] }),
      1020,
    );
    trace.stateChanged('S_START', 1, 1020.5);
    expect(trace.events).toEqual([
      { operation: 'state', stage: 'S_PRE_START', t: 0, tags: [], packet: null },
      {
        operation: 'packet_out',
        stage: 'S_PRE_START',
        t: 0.00025,
        tags: [],
        packet: {
          operation: 'write',
          opcode: 'P_CONTROL_HARD_RESET_CLIENT_V2',
          id: 0,
          acks: [],
          payload_size: 0,
          send_attempts: 1,
        },
      },
      {
        operation: 'packet_in',
        stage: 'S_PRE_START',
        t: 0.02,
        tags: [],
        packet: {
          operation: 'read',
          opcode: 'P_ACK_V1',
          id: null,
          acks: [0, 1],
          payload_size: 0,
          send_attempts: 0,
        },
      },
      { operation: 'state', stage: 'S_START', t: 0.0205, tags: ['key-1'], packet: null },
    ]);
  });

  test('begins with its first event unless told otherwise', () => {
    const trace = new HandshakeTrace();
    trace.stateChanged('S_PRE_START', 0, 5000);
    trace.stateChanged('S_START', 0, 6500);
    expect(trace.events.map(({ t }) => t)).toEqual([0, 1.5]);
  });

  test.each([
    { name: 'a client hello', payload: record(1), tags: ['client_hello'] },
    { name: 'a server hello', payload: record(2), tags: ['server_hello'] },
    { name: 'a certificate', payload: record(11), tags: [] },
    { name: 'an alert', payload: Buffer.from([21, 3, 3, 0, 2, 1]), tags: [] },
    { name: 'a short payload', payload: record(1).subarray(0, 5), tags: [] },
    { name: 'nothing', payload: Buffer.alloc(0), tags: [] },
  ])('tags $name', ({ payload, tags }) => {
    const trace = new HandshakeTrace();
    trace.controlOut(packet(Opcode.P_CONTROL_V1, { payload }), 0);
    trace.controlIn(packet(Opcode.P_CONTROL_V1, { payload, keyId: 2 }), 0);
    expect(trace.events.map((event) => event.tags)).toEqual([tags, [...tags, 'key-2']]);
  });

  test('tells of a refused packet: by whom, why and what it was', () => {
    const trace = new HandshakeTrace();
    trace.dropped('packetmuxer', Drop.BAD_AUTH, (Opcode.P_CONTROL_V1 << 3) | 1, 70, 0);
    trace.dropped('packetmuxer', Drop.MALFORMED, -1, 0, 0);
    trace.dropped('packetmuxer', Drop.BAD_OPCODE, 0xf8, 3, 0);
    expect(
      trace.events.map(({ operation, tags, packet }) => [
        operation,
        tags,
        packet?.opcode,
        packet?.payload_size,
      ]),
    ).toEqual([
      ['packet_dropped', ['packetmuxer', 'bad-auth', 'key-1'], 'P_CONTROL_V1', 70],
      ['packet_dropped', ['packetmuxer', 'malformed'], 'P_NONE', 0],
      ['packet_dropped', ['packetmuxer', 'bad-opcode'], 'P_UNKNOWN_31', 3],
    ]);
  });

  test('keeps nothing of the packet itself', () => {
    const trace = new HandshakeTrace();
    const ackedPacketIds = [4];
    trace.controlIn(
      packet(Opcode.P_CONTROL_V1, { ackedPacketIds, payload: Buffer.from('secret') }),
      0,
    );
    ackedPacketIds.push(5);
    expect(trace.events[0]?.packet?.acks).toEqual([4]);
    expect(JSON.stringify(trace)).not.toMatch(/secret|115,101,99/);
  });

  test('gives each event to onEvent as it happens, and all of them as JSON', () => {
    const seen: TraceEvent[] = [];
    const trace = new HandshakeTrace({ onEvent: (event) => seen.push(event) });
    trace.stateChanged('S_PRE_START', 0, 0);
    expect(seen).toEqual(trace.events);
    expect(JSON.parse(JSON.stringify(trace))).toEqual(seen);
  });

  test('counts what comes after it is full', () => {
    let live = 0;
    const trace = new HandshakeTrace({
      onEvent: () => {
        live += 1;
      },
    });
    for (let at = 0; at < MAX_TRACE_EVENTS + 3; at += 1) trace.stateChanged('S_START', 0, at);
    expect([trace.events.length, trace.omitted, live]).toEqual([
      MAX_TRACE_EVENTS,
      3,
      MAX_TRACE_EVENTS,
    ]);
  });
});
