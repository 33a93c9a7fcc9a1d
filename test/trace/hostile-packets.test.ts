import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BLOCK_PACKET, fileHeader } from '../../src/trace/pcapng.ts';
import { PcapngTrace } from '../../src/trace/pcapng-trace.ts';
import { MAX_UDP_PAYLOAD } from '../../src/trace/udp-packet.ts';

const IP_AND_UDP_BYTES = 28;

/** The packets of a capture: each block says how long it is, before and behind. */
function packetsOf(file: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32LE(at + 4);
    expect(file.readUInt32LE(at + length - 4)).toBe(length);
    if (file.readUInt32LE(at) === BLOCK_PACKET) {
      const bytes = file.readUInt32LE(at + 20);
      packets.push(file.subarray(at + 28, at + 28 + bytes));
    }
    at += length;
  }
  return packets;
}

test('a capture holds any packets as they were, in order', () => {
  const packet = fc.oneof(
    fc.uint8Array({ maxLength: 1_500, size: 'max' }),
    fc.constantFrom(0, 1, MAX_UDP_PAYLOAD).map((length) => Buffer.alloc(length, 7)),
  );
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 8 }), (packets) => {
      const trace = new PcapngTrace();
      for (const [index, bytes] of packets.entries()) trace.datagramIn(bytes, index);
      const payloads = packetsOf(trace.bytes).map((bytes) => bytes.subarray(IP_AND_UDP_BYTES));
      expect(payloads.length).toBe(packets.length);
      for (const [index, bytes] of packets.entries()) {
        expect(payloads[index]?.equals(bytes)).toBe(true);
      }
    }),
  );
});

test.each([MAX_UDP_PAYLOAD + 1, 100_000])('%i bytes are counted only', (length) => {
  const trace = new PcapngTrace();
  trace.datagramIn(Buffer.alloc(length), 1);
  expect([trace.omitted, trace.bytes.length]).toEqual([1, fileHeader().length]);
});
