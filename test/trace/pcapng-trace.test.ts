import { PassThrough, Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import {
  BLOCK_INTERFACE,
  BLOCK_PACKET,
  BLOCK_SECTION,
  Direction,
  fileHeader,
  LINKTYPE_RAW,
  packetBlock,
} from '../../src/trace/pcapng.ts';
import { PcapngTrace } from '../../src/trace/pcapng-trace.ts';
import { MAX_UDP_PAYLOAD } from '../../src/trace/udp-packet.ts';

interface Block {
  readonly type: number;
  readonly body: Buffer;
}

/** Cuts a file into blocks as a reader does, forward by the first length and checking the second. */
function blocksOf(file: Buffer): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32LE(at + 4);
    expect(length % 4).toBe(0);
    expect(file.readUInt32LE(at + length - 4)).toBe(length);
    blocks.push({ type: file.readUInt32LE(at), body: file.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
}

const LINK = {
  localAddress: '192.0.2.1',
  localPort: 50_000,
  remoteAddress: '198.51.100.2',
  remotePort: 1194,
};

describe('pcapng blocks', () => {
  test('a file begins with a section and an interface of raw IP', () => {
    const [section, face, ...rest] = blocksOf(fileHeader());
    expect(section?.type).toBe(BLOCK_SECTION);
    expect(section?.body.toString('hex')).toBe('4d3c2b1a01000000ffffffffffffffff');
    expect(face?.type).toBe(BLOCK_INTERFACE);
    expect(face?.body.readUInt16LE(0)).toBe(LINKTYPE_RAW);
    expect(rest).toEqual([]);
  });

  test.each([0, 1, 2, 3, 4, 5])(
    'a packet of %i bytes is padded and has its direction',
    (length) => {
      const micros = 1_800_000_000_000_001;
      const [{ type, body } = { type: 0, body: Buffer.alloc(0) }] = blocksOf(
        packetBlock(Buffer.alloc(length, 0xaa), Direction.OUT, micros),
      );
      const padded = Math.ceil(length / 4) * 4;
      expect(type).toBe(BLOCK_PACKET);
      expect(body.readUInt32LE(4) * 2 ** 32 + body.readUInt32LE(8)).toBe(micros);
      expect([body.readUInt32LE(12), body.readUInt32LE(16)]).toEqual([length, length]);
      expect(body.subarray(20, 20 + length)).toEqual(Buffer.alloc(length, 0xaa));
      expect(body.toString('hex', 20 + padded)).toBe('020004000200000000000000');
    },
  );
});

describe('PcapngTrace', () => {
  test('captures both directions with the addresses of the link', () => {
    const trace = new PcapngTrace({ timeOriginMs: 1_800_000_000_000 });
    trace.linkOpened(LINK);
    trace.datagramOut(Buffer.from([0x38]), 1.5);
    trace.datagramIn(Buffer.from([0x40]), 2);
    const packets = blocksOf(trace.bytes).filter(({ type }) => type === BLOCK_PACKET);
    const shown = packets.map(({ body }) => ({
      micros: body.readUInt32LE(4) * 2 ** 32 + body.readUInt32LE(8),
      source: body.subarray(32, 36).join('.'),
      ports: [body.readUInt16BE(40), body.readUInt16BE(42)],
      payload: body.readUInt8(48),
      direction: body.readUInt32LE(56),
    }));
    expect(shown).toEqual([
      {
        micros: 1_800_000_000_001_500,
        source: '192.0.2.1',
        ports: [50_000, 1194],
        payload: 0x38,
        direction: Direction.OUT,
      },
      {
        micros: 1_800_000_000_002_000,
        source: '198.51.100.2',
        ports: [1194, 50_000],
        payload: 0x40,
        direction: Direction.IN,
      },
    ]);
  });

  test('keeps no reference to a packet', () => {
    const trace = new PcapngTrace();
    const packet = Buffer.from('before');
    trace.datagramIn(packet, 0);
    packet.fill(0);
    expect(trace.bytes.includes('before')).toBe(true);
  });

  test('takes no more than it may hold', () => {
    const trace = new PcapngTrace({ maxBytes: 1000 });
    for (let at = 0; at < 100; at += 1) trace.datagramIn(Buffer.alloc(100), at);
    expect(trace.bytes.length).toBeLessThan(1200);
    expect(trace.omitted).toBe(
      100 - blocksOf(trace.bytes).filter(({ type }) => type === BLOCK_PACKET).length,
    );
    expect(trace.omitted).toBeGreaterThan(90);
  });

  test('leaves out what is no datagram', () => {
    const trace = new PcapngTrace();
    trace.datagramIn(Buffer.alloc(MAX_UDP_PAYLOAD + 1), 0);
    expect([trace.omitted, blocksOf(trace.bytes).length]).toEqual([1, 2]);
  });

  test('writes to a stream as it goes', () => {
    const sink = new PassThrough();
    const trace = new PcapngTrace({ sink });
    trace.datagramOut(Buffer.from('packet'), 0);
    const file: Buffer = sink.read();
    expect(blocksOf(file).map(({ type }) => type)).toEqual([
      BLOCK_SECTION,
      BLOCK_INTERFACE,
      BLOCK_PACKET,
    ]);
    expect(trace.bytes.length).toBe(0);
  });

  test('a stream that stands still or has ended loses packets, counted', () => {
    const stuck = new Writable({ write() {} });
    const trace = new PcapngTrace({ sink: stuck, maxBytes: 1000 });
    for (let at = 0; at < 100; at += 1) trace.datagramIn(Buffer.alloc(100), at);
    expect(trace.omitted).toBeGreaterThan(90);
    expect(stuck.writableLength).toBeLessThan(1200);

    const ended = new PassThrough();
    const late = new PcapngTrace({ sink: ended });
    ended.end();
    late.datagramIn(Buffer.alloc(1), 0);
    expect(late.omitted).toBe(1);
  });
});
