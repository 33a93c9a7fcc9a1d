import { describe, expect, test, vi } from 'vitest';
import { StreamDeframer, StreamFramer } from '../../src/networkio/stream-framing.ts';
import { MAX_QUEUED_STREAM_BYTES, StreamLink } from '../../src/networkio/stream-link.ts';
import { linkContract } from '../contract/link.ts';
import { duplexPair } from './duplex-pair.ts';
import { RecordingPort } from './recording-port.ts';

const there = { localAddress: 'a', localPort: 1, remoteAddress: 'b', remotePort: 2 };
const back = { localAddress: 'b', localPort: 2, remoteAddress: 'a', remotePort: 1 };

linkContract('StreamLink over a Duplex', async () => {
  const [near, far] = duplexPair();
  return {
    near: new StreamLink(near, { addresses: there }),
    far: new StreamLink(far, { addresses: back }),
  };
});

function framed(...packets: Buffer[]): Buffer {
  const framer = new StreamFramer();
  for (const packet of packets) framer.add(packet);
  return framer.flush();
}

function setUp() {
  const [stream, far] = duplexPair();
  const link = new StreamLink(stream);
  const port = new RecordingPort();
  link.open(port);
  return { stream, far, link, port };
}

describe('StreamLink', () => {
  test('a turn of packets leaves in one write', async () => {
    const { stream, link } = setUp();
    const write = vi.spyOn(stream, 'write');
    for (let count = 0; count < 10; count += 1) link.send(Buffer.alloc(100));
    expect(write).not.toHaveBeenCalled();
    await vi.waitFor(() => expect(write).toHaveBeenCalledTimes(1));
    link.send(Buffer.alloc(100));
    await vi.waitFor(() => expect(write).toHaveBeenCalledTimes(2));
    expect(link.bytesWritten).toBe(11 * 102);
  });

  test('a long turn leaves in pieces of 64 KiB', async () => {
    const { stream, link } = setUp();
    const write = vi.spyOn(stream, 'write');
    for (let count = 0; count < 48; count += 1) link.send(Buffer.alloc(1400));
    expect(write).toHaveBeenCalledTimes(1);
    await vi.waitFor(() => expect(write).toHaveBeenCalledTimes(2));
  });

  test('is not writable while much waits, and tells when it has drained', async () => {
    const { far, link, port } = setUp();
    let sent = 0;
    while (link.writable && sent < 1000) {
      link.send(Buffer.alloc(1400));
      sent += 1;
    }
    expect(sent * 1402).toBeGreaterThanOrEqual(MAX_QUEUED_STREAM_BYTES);
    expect(sent).toBeLessThan(1000);
    expect(port.drains).toBe(0);
    let received = 0;
    far.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    await vi.waitFor(() => expect(received).toBe(sent * 1402));
    expect(port.drains).toBeGreaterThan(0);
    expect(link.writable).toBe(true);
  });

  test('stops reading while the port has no room', async () => {
    const { far, link, port, stream } = setUp();
    port.room = 2;
    const packets = Array.from({ length: 8 }, (_, index) => Buffer.alloc(1000, index + 1));
    far.write(framed(...packets.slice(0, 4)));
    await vi.waitFor(() => expect(port.packets).toHaveLength(2));
    expect(stream.isPaused()).toBe(true);
    far.write(framed(...packets.slice(4)));
    port.room = Number.POSITIVE_INFINITY;
    link.resume();
    await vi.waitFor(() => expect(port.packets).toEqual(packets));
  });

  test.each([0, 65_535])('a frame of %i bytes ends the link, and the stream', async (length) => {
    const { far, port, stream } = setUp();
    far.write(Buffer.concat([framed(Buffer.from([1])), Buffer.from([length >> 8, length & 0xff])]));
    await vi.waitFor(() => expect(port.errors).toHaveLength(1));
    expect(port.packets).toEqual([Buffer.from([1])]);
    expect(port.errors[0]).toMatchObject({ name: 'OvpnProtocolError', code: 'OVPN_PROTOCOL' });
    expect(stream.destroyed).toBe(true);
  });

  test('the peer that ends, even inside a frame, closes the link; packets come first', async () => {
    const { far, port } = setUp();
    far.end(Buffer.concat([framed(Buffer.from([1])), Buffer.from([0, 9, 9])]));
    await vi.waitFor(() => expect(port.errors).toHaveLength(1));
    expect(port.packets).toHaveLength(1);
    expect(port.endCode).toBe('OVPN_LINK_CLOSED');
  });

  test.each([
    { code: 'ECONNRESET', end: 'OVPN_LINK_CLOSED' },
    { code: 'EPIPE', end: 'OVPN_LINK_CLOSED' },
    { code: 'ETIMEDOUT', end: 'OVPN_LINK_FAILED' },
  ])('$code ends it as $end', async ({ code, end }) => {
    const { stream, port } = setUp();
    stream.destroy(Object.assign(new Error(code), { code }));
    await vi.waitFor(() => expect(port.errors).toHaveLength(1));
    expect(port.errors[0]).toMatchObject({ code: end, cause: { code } });
  });

  test('an end before open is told after it', async () => {
    const [stream] = duplexPair();
    const link = new StreamLink(stream);
    stream.destroy(new Error('early'));
    await new Promise((resolve) => stream.once('close', resolve));
    const port = new RecordingPort();
    link.open(port);
    expect(port.errors).toEqual([]);
    await vi.waitFor(() => expect(port.endCode).toBe('OVPN_LINK_FAILED'));
  });

  test('begins with what was received before it', async () => {
    const [stream, far] = duplexPair();
    const deframer = new StreamDeframer();
    const packets = [1, 2, 3, 4].map((fill) => Buffer.alloc(10, fill));
    deframer.push(framed(...packets.slice(0, 3)).subarray(0, 30));
    const packet = deframer.take();
    if (packet === undefined) throw new Error('no packet');
    const link = new StreamLink(stream, { received: { packet, deframer } });
    const port = new RecordingPort();
    link.open(port);
    expect(port.packets).toEqual(packets.slice(0, 2));
    far.write(
      Buffer.concat([framed(...packets.slice(0, 3)).subarray(30), framed(...packets.slice(3))]),
    );
    await vi.waitFor(() => expect(port.packets).toEqual(packets));
  });

  test('close gives up on a peer that never ends', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { stream, link } = setUp();
      const closed = link.close();
      await vi.advanceTimersByTimeAsync(999);
      expect(stream.destroyed).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      await closed;
      expect(stream.destroyed).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});
