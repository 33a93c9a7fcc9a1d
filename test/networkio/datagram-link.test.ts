import { createSocket, type Socket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import {
  DatagramLink,
  type DatagramPipe,
  MAX_QUEUED_DATAGRAM_BYTES,
} from '../../src/networkio/datagram-link.ts';
import { type LinkPair, linkContract } from '../contract/link.ts';
import { RecordingPort } from './recording-port.ts';

const addresses = { localAddress: 'a', localPort: 1, remoteAddress: 'b', remotePort: 2 };

/** A pipe without a queue: what a user may bring. */
class PlainPipe extends EventEmitter implements DatagramPipe {
  readonly sent: Uint8Array[] = [];
  closes = 0;

  send(packet: Uint8Array): void {
    this.sent.push(packet);
  }

  close(): void {
    this.closes += 1;
    this.emit('close');
  }
}

/** A pipe whose queue the test fills and empties. */
class QueueingPipe extends PlainPipe {
  queued = 0;
  readonly waiting: ((error: Error | null) => void)[] = [];

  override send(packet: Uint8Array, sent?: (error: Error | null) => void): void {
    super.send(packet);
    if (sent !== undefined) this.waiting.push(sent);
  }

  getSendQueueSize(): number {
    return this.queued;
  }
}

function setUp<P extends PlainPipe>(pipe: P) {
  const link = new DatagramLink(pipe, { addresses });
  const port = new RecordingPort();
  link.open(port);
  return { pipe, link, port };
}

async function connectedPair(): Promise<LinkPair> {
  const sockets = [createSocket('udp4'), createSocket('udp4')] as const;
  const [near, far] = sockets;
  for (const socket of sockets) {
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
  }
  await new Promise<void>((resolve) => near.connect(far.address().port, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => far.connect(near.address().port, '127.0.0.1', resolve));
  return { near: linkOver(near), far: linkOver(far) };
}

function linkOver(socket: Socket): DatagramLink {
  const pipe: DatagramPipe = socket;
  return new DatagramLink(pipe, {
    addresses: {
      localAddress: socket.address().address,
      localPort: socket.address().port,
      remoteAddress: socket.remoteAddress().address,
      remotePort: socket.remoteAddress().port,
    },
  });
}

linkContract('DatagramLink over two dgram sockets', connectedPair);

describe('DatagramLink', () => {
  test('hands the same buffer over, and makes one of a Uint8Array without a copy', () => {
    const { pipe, port } = setUp(new PlainPipe());
    const buffer = Buffer.from([1, 2]);
    const array = new Uint8Array([9, 3, 4, 9]).subarray(1, 3);
    pipe.emit('message', buffer);
    pipe.emit('message', array);
    expect(port.packets[0]).toBe(buffer);
    expect(port.packets[1]).toEqual(Buffer.from([3, 4]));
    expect(port.packets[1]?.buffer).toBe(array.buffer);
  });

  test('a pipe without a queue can always take a packet', () => {
    const { pipe, link } = setUp(new PlainPipe());
    for (let count = 0; count < 100; count += 1) {
      expect(link.writable).toBe(true);
      link.send(Buffer.alloc(1));
    }
    expect(pipe.sent).toHaveLength(100);
  });

  test('is not writable while the queue is long, and tells when it has drained', () => {
    const { pipe, link, port } = setUp(new QueueingPipe());
    pipe.queued = MAX_QUEUED_DATAGRAM_BYTES;
    let sent = 0;
    while (link.writable && sent < 1000) {
      link.send(Buffer.alloc(1));
      sent += 1;
    }
    expect(sent).toBeLessThanOrEqual(16);
    expect(pipe.sent).toHaveLength(sent);
    expect(pipe.waiting).toHaveLength(1);
    expect(port.drains).toBe(0);
    pipe.waiting[0]?.(null);
    expect(link.writable).toBe(true);
    expect(port.drains).toBe(1);
  });

  test('stays writable while the queue is short', () => {
    const { pipe, link } = setUp(new QueueingPipe());
    pipe.queued = MAX_QUEUED_DATAGRAM_BYTES - 1;
    for (let count = 0; count < 64; count += 1) link.send(Buffer.alloc(1));
    expect(link.writable).toBe(true);
    expect(pipe.waiting).toEqual([]);
  });

  test.each(['EAGAIN', 'EMSGSIZE', 'ENOBUFS', 'EHOSTUNREACH', 'ENETUNREACH'])(
    '%s passes: the link goes on',
    (code) => {
      const { pipe, port } = setUp(new PlainPipe());
      pipe.emit('error', Object.assign(new Error(code), { code }));
      pipe.emit('message', Buffer.alloc(1));
      expect(port.errors).toEqual([]);
      expect(port.packets).toHaveLength(1);
    },
  );

  test('another error ends it, once, with its cause', () => {
    const { pipe, link, port } = setUp(new PlainPipe());
    const cause = new Error('broken');
    pipe.emit('error', cause);
    pipe.emit('error', new Error('again'));
    pipe.emit('close');
    expect(port.errors).toHaveLength(1);
    expect(port.errors[0]).toMatchObject({ code: 'OVPN_LINK_FAILED', cause, retryable: true });
    pipe.emit('message', Buffer.alloc(1));
    link.send(Buffer.alloc(1));
    expect(port.packets).toEqual([]);
    expect(pipe.sent).toEqual([]);
  });

  test('a pipe that closes by itself ends it', () => {
    const { pipe, port } = setUp(new PlainPipe());
    pipe.emit('close');
    expect(port.endCode).toBe('OVPN_LINK_CLOSED');
  });

  test('an end before open is told after it', async () => {
    const pipe = new PlainPipe();
    const link = new DatagramLink(pipe, { addresses });
    pipe.emit('error', new Error('early'));
    const port = new RecordingPort();
    link.open(port);
    await vi.waitFor(() => expect(port.endCode).toBe('OVPN_LINK_FAILED'));
  });

  test('close waits for the queue, and gives up after a second', async () => {
    vi.useFakeTimers();
    try {
      const { pipe, link } = setUp(new QueueingPipe());
      pipe.queued = 1;
      const closed = link.close();
      await vi.advanceTimersByTimeAsync(500);
      expect(pipe.closes).toBe(0);
      pipe.queued = 0;
      await vi.advanceTimersByTimeAsync(10);
      expect(pipe.closes).toBe(1);
      await closed;

      const stuck = setUp(new QueueingPipe());
      stuck.pipe.queued = 1;
      const given = stuck.link.close();
      await vi.advanceTimersByTimeAsync(1010);
      expect(stuck.pipe.closes).toBe(1);
      await given;
    } finally {
      vi.useRealTimers();
    }
  });

  test('close of a pipe that never says so ends after a second', async () => {
    vi.useFakeTimers();
    try {
      const pipe = new PlainPipe();
      pipe.close = () => {};
      const { link } = setUp(pipe);
      const closed = link.close();
      await vi.advanceTimersByTimeAsync(1000);
      await closed;
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
