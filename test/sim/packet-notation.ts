import type { Millis } from '../../src/core/machine.ts';
import { NO_SESSION_ID } from '../../src/model/ids.ts';
import { Opcode, opcodeName } from '../../src/model/opcode.ts';
import { ControlPacket, NO_PACKET_ID } from '../../src/model/packet.ts';

/** A packet and how long after the one before it comes. */
export interface NotedPacket {
  readonly packet: ControlPacket;
  readonly afterMs: Millis;
}

/**
 * Control packets in short notation, all parts but one optional, in this order:
 *
 *     [3] CONTROL_V1 key:1 (ack:1,2) +10ms
 *     [1..10] +5ms                            ten packets, each 5 ms after the one before
 *     ACK_V1 (ack:4)
 *
 * Without an opcode it is CONTROL_V1, without a key 0. The payload tells key id and message id.
 */
export function packetsOf(notation: string): NotedPacket[] {
  const groups = PATTERN.exec(notation)?.groups;
  if (groups === undefined) throw new Error(`not a packet in short notation: ${notation}`);
  const { from = NO_PACKET_ID, to = from, name = 'CONTROL_V1', key = 0, acks, after = 0 } = groups;
  const opcode = OPCODES.get(name);
  if (opcode === undefined) throw new Error(`no such opcode: ${notation}`);
  const noted: NotedPacket[] = [];
  for (let packetId = Number(from); packetId <= Number(to); packetId += 1) {
    const packet = new ControlPacket(opcode, Number(key), NO_SESSION_ID);
    packet.packetId = packetId;
    packet.ackedPacketIds = acks?.split(',').map(Number) ?? [];
    if (opcode === Opcode.P_CONTROL_V1) packet.payload = payloadOf(packet.keyId, packetId);
    noted.push({ packet, afterMs: Number(after) });
  }
  return noted;
}

/** The one packet that `notation` stands for. */
export function packetOf(notation: string): ControlPacket {
  const [noted, ...others] = packetsOf(notation);
  if (noted === undefined || others.length > 0) throw new Error(`not one packet: ${notation}`);
  return noted.packet;
}

/** What {@link packetsOf} puts into a P_CONTROL_V1. */
export function payloadOf(keyId: number, packetId: number): Buffer {
  return Buffer.from(`key ${keyId} message ${packetId}`);
}

/** A packet in short notation, with its opcode always and its key id unless it is 0. */
export function notationOf({ packetId, opcode, keyId, ackedPacketIds }: ControlPacket): string {
  const parts = [shortNameOf(opcode)];
  if (packetId !== NO_PACKET_ID) parts.unshift(`[${packetId}]`);
  if (keyId !== 0) parts.push(`key:${keyId}`);
  if (ackedPacketIds.length > 0) parts.push(`(ack:${ackedPacketIds.join(',')})`);
  return parts.join(' ');
}

function shortNameOf(opcode: number): string {
  return opcodeName(opcode).replace(/^P_(CONTROL_(?=(HARD|SOFT)_))?/, '');
}

const OPCODES = new Map(Object.values(Opcode).map((opcode) => [shortNameOf(opcode), opcode]));

const PATTERN =
  /^(\[(?<from>\d+)(\.\.(?<to>\d+))?\] ?)?(?<name>[A-Z_0-9]+)?( ?key:(?<key>[0-7]))?( ?\(ack:(?<acks>[\d,]+)\))?( ?\+(?<after>\d+)ms)?$/;
