import type { DataChannelOptions } from '../../src/datachannel/data-channel.ts';
import type { DataCodec } from '../../src/datachannel/data-codec.ts';
import { KeyUsage } from '../../src/datachannel/data-codec.ts';
import { DataKey } from '../../src/datachannel/data-key.ts';
import type { DataChannelKey } from '../../src/model/data-channel-key.ts';
import type { Role } from '../../src/model/ids.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { cipherNamed } from './captures.ts';

/** OpenVPN's defaults. */
export const OPTIONS: DataChannelOptions = {
  auth: 'SHA1',
  handWindowMs: 60_000,
  tranWindowMs: 3_600_000,
  renegSecMs: 3_600_000,
  renegBytes: 0,
  renegPackets: 0,
  replayWindow: { packets: 64, ms: 15_000 },
};

/** A codec that does nothing but hold the numbers that policies read. */
export class IdleCodec implements DataCodec {
  readonly usage: KeyUsage = new KeyUsage();
  lastPacketId = 0;
  epoch = 0;
  exhausted = false;
  readonly filling: undefined;

  seal(payload: Buffer): Buffer {
    return payload;
  }

  open(packet: Buffer): Buffer {
    return packet;
  }

  decipher(packet: Buffer): Buffer {
    return packet;
  }

  accept(packet: Buffer): Buffer {
    return packet;
  }
}

export function idleKey(keyId: number, startedAt = 0, cipherName = 'AES-256-GCM') {
  const codec = new IdleCodec();
  return Object.assign(new DataKey(keyId, cipherName, startedAt, codec), { codec });
}

/** The same key for both ends, as a TLS exporter gives it; every call makes fresh buffers. */
export function negotiated(role: Role, keyId: number, startedAt = 0): DataChannelKey {
  return {
    keyId,
    role,
    cipher: cipherNamed('AES-256-GCM'),
    peerId: 0,
    epoch: false,
    material: new SeededRandom(keyId + 1).bytes(256),
    startedAt,
  };
}

/** An IPv4 packet of `length` bytes: header fields that count, and a tail that tells it apart. */
export function ipv4Packet(length: number, mark = 0): Buffer {
  const packet = Buffer.alloc(length, mark);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt16BE(length, 2);
  return packet;
}

export function ipv6Packet(length: number): Buffer {
  const packet = Buffer.alloc(length);
  packet.writeUInt8(0x60, 0);
  packet.writeUInt16BE(length - 40, 4);
  return packet;
}
