import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import {
  AEAD_V1_OVERHEAD_BYTES,
  AEAD_V2_OVERHEAD_BYTES,
  AeadCodec,
} from '../../src/datachannel/aead-codec.ts';
import { useDirectionKeys } from '../../src/datachannel/key-derivation.ts';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import { LAST_PACKET_ID, PacketIdSource } from '../../src/datachannel/packet-id-source.ts';
import { ReplayWindow } from '../../src/datachannel/replay-window.ts';
import type { Role } from '../../src/model/ids.ts';
import { cipherNamed } from './captures.ts';

describe('AeadCodec.open', () => {
  test('takes a packet once', () => {
    const { client, server } = pairOf('AES-256-GCM');
    const packet = client.seal(Buffer.from('once')) ?? expect.fail();
    expect(server.open(packet, 0)).toEqual(Buffer.from('once'));
    expect(server.open(packet, 0)).toBe(Drop.REPLAY);
  });

  test('refuses packet id 0, however authentic', () => {
    const { server } = pairOf('AES-256-GCM');
    const nonce = Buffer.concat([Buffer.alloc(4), ivOf('client')]);
    const aad = Buffer.from('4800000000000000', 'hex');
    const packet = Buffer.concat([aad, Buffer.alloc(16 + 5)]);
    const sealer = nodeProvider.createSealer(cipherNamed('AES-256-GCM'), blockOf().subarray(0, 32));
    void sealer.seal(nonce, aad, Buffer.from('hello'), packet, 8, 24);
    expect(server.open(packet, 0)).toBe(Drop.REPLAY);
  });

  test.each([
    { name: 'V2', peerId: 7, overhead: AEAD_V2_OVERHEAD_BYTES },
    { name: 'V1', peerId: undefined, overhead: AEAD_V1_OVERHEAD_BYTES },
  ])('refuses every truncation and an empty ciphertext: $name', ({ peerId, overhead }) => {
    const client = codecFor({ role: 'client', peerId });
    const server = codecFor({ role: 'server', peerId });
    const packet = client.seal(Buffer.from('x')) ?? expect.fail();
    expect(packet.length).toBe(overhead + 1);
    for (let length = 1; length < packet.length; length += 1) {
      expect(server.open(packet.subarray(0, length), 0)).toBe(Drop.MALFORMED);
    }
    const empty = client.seal(Buffer.alloc(0)) ?? expect.fail();
    expect(server.open(empty, 0)).toBe(Drop.MALFORMED);
    expect(server.usage.failedOpens).toBe(0);
  });

  test.each([
    { name: 'V2: header, peer id included', peerId: 7, covered: 4 },
    { name: 'V1: packet id only          ', peerId: undefined, covered: 0 },
  ])('the tag covers $name', ({ peerId, covered }) => {
    const headerBytes = peerId === undefined ? 1 : 4;
    for (let at = 0; at < headerBytes; at += 1) {
      const client = codecFor({ role: 'client', peerId });
      const server = codecFor({ role: 'server', peerId });
      const packet = client.seal(Buffer.from('covered')) ?? expect.fail();
      packet.writeUInt8(packet.readUInt8(at) ^ 1, at);
      const opened = server.open(packet, 0);
      if (at < covered) expect(opened).toBe(Drop.BAD_AUTH);
      else expect(opened).toEqual(Buffer.from('covered'));
    }
  });

  test.each(['AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305'])(
    'no flipped bit passes, and forgeries change nothing: %s',
    (cipherName) => {
      const { client, server } = pairOf(cipherName);
      const packet = client.seal(Buffer.from('the real one')) ?? expect.fail();
      for (let at = 1; at < packet.length; at += 1) {
        const forged = Buffer.from(packet);
        forged.writeUInt8(forged.readUInt8(at) ^ 0x80, at);
        expect(server.open(forged, 0)).toBe(Drop.BAD_AUTH);
      }
      expect(server.usage.failedOpens).toBe(packet.length - 1);
      expect(server.usage.openedPackets).toBe(0);
      expect(server.open(packet, 0)).toEqual(Buffer.from('the real one'));
    },
  );

  test('a tag of 4 bytes is not a tag', () => {
    const { client, server } = pairOf('AES-256-GCM');
    const packet = client.seal(Buffer.from('a payload of some length')) ?? expect.fail();
    const forged = Buffer.concat([packet.subarray(0, 12), packet.subarray(24)]);
    expect(server.open(forged, 0)).toBe(Drop.BAD_AUTH);
    const padded = Buffer.concat([packet.subarray(0, 12), Buffer.alloc(12), packet.subarray(24)]);
    expect(server.open(padded, 0)).toBe(Drop.BAD_AUTH);
  });

  test('does not open what it sealed itself', () => {
    const { client } = pairOf('AES-256-GCM');
    const packet = client.seal(Buffer.from('reflected')) ?? expect.fail();
    expect(client.open(packet, 0)).toBe(Drop.BAD_AUTH);
  });

  test('never throws, whatever comes', () => {
    const { server } = pairOf('CHACHA20-POLY1305');
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (bytes) => {
        const opened = server.open(Buffer.from(bytes), 0);
        return opened === Drop.MALFORMED || opened === Drop.BAD_AUTH;
      }),
    );
  });
});

describe('AeadCodec.seal', () => {
  test('what one end seals the other opens, in both directions and formats', () => {
    const cipherName = fc.constantFrom('AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305');
    const peerId = fc.option(fc.integer({ min: 0, max: 0xff_fffe }), { nil: undefined });
    const payload = fc.uint8Array({ minLength: 1, maxLength: 2000 });
    const keyId = fc.integer({ min: 0, max: 7 });
    fc.assert(
      fc.property(cipherName, keyId, peerId, payload, (name, id, peer, bytes) => {
        const client = codecFor({ role: 'client', cipherName: name, keyId: id, peerId: peer });
        const server = codecFor({ role: 'server', cipherName: name, keyId: id, peerId: peer });
        const plaintext = Buffer.from(bytes);
        const up = client.open(server.seal(plaintext) ?? expect.fail(), 0);
        const down = server.open(client.seal(plaintext) ?? expect.fail(), 0);
        expect(up).toEqual(plaintext);
        expect(down).toEqual(plaintext);
      }),
    );
  });

  test('accepts V1 from a peer to whom it sends V2', () => {
    const client = codecFor({ role: 'client', peerId: 3 });
    const server = codecFor({ role: 'server', peerId: undefined });
    const packet = server.seal(Buffer.from('old server')) ?? expect.fail();
    expect(packet.readUInt8(0) >>> 3).toBe(6);
    expect(client.open(packet, 0)).toEqual(Buffer.from('old server'));
  });

  test('writes opcode, key id and the whole peer id', () => {
    const codec = codecFor({ role: 'client', keyId: 5, peerId: 0xfe_dcba });
    expect(codec.seal(Buffer.from('x'))?.subarray(0, 8).toString('hex')).toBe('4dfedcba00000001');
    const v1 = codecFor({ role: 'client', keyId: 5, peerId: undefined });
    expect(v1.seal(Buffer.from('x'))?.subarray(0, 5).toString('hex')).toBe('3500000001');
  });

  test('stops after the last packet id and never wraps', () => {
    const codec = codecFor({
      role: 'client',
      packetIds: new PacketIdSource(LAST_PACKET_ID, LAST_PACKET_ID - 1),
    });
    expect(codec.exhausted).toBe(false);
    expect(codec.seal(Buffer.from('last'))?.readUInt32BE(4)).toBe(0xffff_ffff);
    expect(codec.exhausted).toBe(true);
    expect(codec.seal(Buffer.from('none'))).toBeUndefined();
    expect(codec.lastPacketId).toBe(0xffff_ffff);
    expect(codec.usage.sealedPackets).toBe(1);
  });

  test('counts packets, outer bytes and begun blocks', () => {
    const { client, server } = pairOf('AES-256-GCM');
    for (const length of [1, 16, 17]) {
      server.open(client.seal(Buffer.alloc(length, 1)) ?? expect.fail(), 0);
    }
    expect(client.usage).toMatchObject({ sealedPackets: 3, sealedBytes: 106, sealedBlocks: 4 });
    expect(server.usage).toMatchObject({ openedPackets: 3, openedBytes: 106, openedBlocks: 4 });
  });
});

interface CodecInput {
  readonly role: Role;
  readonly key2?: Buffer;
  readonly cipherName?: string;
  readonly keyId?: number;
  readonly peerId?: number | undefined;
  readonly packetIds?: PacketIdSource;
}

function codecFor(input: CodecInput): AeadCodec {
  const cipher = cipherNamed(input.cipherName ?? 'AES-256-GCM');
  const keyId = input.keyId ?? 0;
  const peerId = 'peerId' in input ? input.peerId : 0;
  const key = {
    keyId,
    role: input.role,
    cipher,
    peerId,
    epoch: false,
    material: input.key2 ?? blockOf(),
    startedAt: 0,
  };
  return useDirectionKeys(key, (sealing, opening) => {
    return new AeadCodec({
      keyId,
      peerId,
      sealer: nodeProvider.createSealer(cipher, sealing.cipherSlot.subarray(0, cipher.keyBytes)),
      opener: nodeProvider.createOpener(cipher, opening.cipherSlot.subarray(0, cipher.keyBytes)),
      sealIv: sealing.hmacSlot.subarray(0, 8),
      openIv: opening.hmacSlot.subarray(0, 8),
      packetIds: input.packetIds ?? new PacketIdSource(),
      replayWindow: new ReplayWindow({ packets: 64, ms: 15_000 }),
    });
  });
}

function pairOf(cipherName: string): { client: AeadCodec; server: AeadCodec } {
  return {
    client: codecFor({ role: 'client', cipherName }),
    server: codecFor({ role: 'server', cipherName }),
  };
}

function blockOf(): Buffer {
  return Buffer.from(Array.from({ length: 256 }, (_, at) => (at * 7 + 1) & 0xff));
}

function ivOf(role: Role): Buffer {
  return blockOf().subarray(role === 'client' ? 64 : 192, role === 'client' ? 72 : 200);
}
