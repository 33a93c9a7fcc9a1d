import { describe, expect, test } from 'vitest';
import { Channel } from '../../src/core/channel.ts';
import { BATCH, Pump } from '../../src/core/pump.ts';
import type { Tracer } from '../../src/model/tracer.ts';
import type { Link, LinkPort } from '../../src/networkio/link.ts';
import { END_GRACE_MS, NetworkIoService } from '../../src/networkio/service.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

/** A link whose other side is the test. */
class TestLink implements Link {
  readonly protocol = 'tcp';
  readonly localAddress = '';
  readonly localPort = 0;
  readonly remoteAddress = '';
  readonly remotePort = 0;
  readonly bytesRead = 1;
  readonly bytesWritten = 2;
  readonly overflows = 3;
  writable = true;
  port: LinkPort | undefined;
  readonly sent: Buffer[] = [];
  resumes = 0;
  closes = 0;

  open(port: LinkPort): void {
    this.port = port;
  }

  send(packet: Buffer): void {
    this.sent.push(packet);
  }

  resume(): void {
    this.resumes += 1;
  }

  async close(): Promise<void> {
    this.closes += 1;
  }
}

function setUp({ slots = 8, tracer }: { slots?: number; tracer?: Tracer } = {}) {
  const link = new TestLink();
  const clock = new VirtualClock();
  const ports = {
    networkToMuxer: new Channel<Buffer>('networkToMuxer', slots),
    muxerToNetwork: new Channel<Buffer>('muxerToNetwork', 256),
  };
  const ends: Error[] = [];
  let arms = 0;
  const service = new NetworkIoService(
    {
      link,
      clock,
      tracer,
      arm: () => {
        arms += 1;
      },
      onEnded: (error) => ends.push(error),
    },
    ports,
  );
  return { link, clock, ports, ends, service, arms: () => arms };
}

describe('on the way up', () => {
  test('what the link receives goes to the muxer', () => {
    const { link, ports, service } = setUp();
    const packet = Buffer.from([1]);
    expect(link.port?.receive(packet)).toBe(true);
    expect(ports.networkToMuxer.take()).toBe(packet);
    expect(service.counters).toEqual({
      bytesRead: 1,
      bytesWritten: 2,
      packetsRead: 1,
      packetsWritten: 0,
      overflows: 3,
    });
  });

  test('a link that was refused is resumed once half of the channel is free', () => {
    const { link, ports, service } = setUp({ slots: 4 });
    for (let count = 0; count < 4; count += 1) link.port?.receive(Buffer.from([count]));
    expect(service.moveUpWorker()).toBe(false);
    expect(link.port?.receive(Buffer.from([4]))).toBe(false);
    expect(service.moveUpWorker()).toBe(false);
    ports.networkToMuxer.take();
    expect(service.moveUpWorker()).toBe(false);
    ports.networkToMuxer.take();
    expect(service.moveUpWorker()).toBe(true);
    expect(link.resumes).toBe(1);
    expect(service.moveUpWorker()).toBe(false);
    expect(service.counters.packetsRead).toBe(4);
  });

  test('a closed channel does not keep the pump turning', () => {
    const { link, ports, service } = setUp();
    ports.networkToMuxer.close();
    expect(link.port?.receive(Buffer.from([1]))).toBe(false);
    expect(service.moveUpWorker()).toBe(false);
  });
});

describe('on the way down', () => {
  test('sends while the link is writable, and goes on when it has drained', () => {
    const { link, ports, service, arms } = setUp();
    for (let count = 0; count < 3; count += 1) ports.muxerToNetwork.push(Buffer.from([count]));
    link.writable = false;
    expect(service.moveDownWorker(0)).toBe(false);
    expect(ports.muxerToNetwork.size).toBe(3);
    link.writable = true;
    link.port?.drained();
    expect(arms()).toBe(1);
    expect(service.moveDownWorker(0)).toBe(true);
    expect(link.sent.map((packet) => packet[0])).toEqual([0, 1, 2]);
    expect(service.counters.packetsWritten).toBe(3);
  });

  test('moves a batch in a call', () => {
    const { link, ports, service } = setUp();
    for (let count = 0; count < BATCH + 1; count += 1) ports.muxerToNetwork.push(Buffer.alloc(1));
    service.moveDownWorker(0);
    expect(link.sent).toHaveLength(BATCH);
  });

  test('traces datagrams both ways', () => {
    const seen: string[] = [];
    const { link, ports, service } = setUp({
      tracer: {
        datagramIn: (packet, now) => seen.push(`in ${packet[0]} at ${now}`),
        datagramOut: (packet, now) => seen.push(`out ${packet[0]} at ${now}`),
      },
    });
    link.port?.receive(Buffer.from([1]));
    ports.muxerToNetwork.push(Buffer.from([2]));
    service.moveDownWorker(5);
    expect(seen).toEqual(['in 1 at 0', 'out 2 at 5']);
  });
});

describe('at the end', () => {
  test('the end is told once, after what came before it has been worked on', () => {
    const { link, clock, ports, ends, service, arms } = setUp();
    const pump = new Pump(clock, (error) => {
      throw error;
    });
    pump.add(service);
    link.port?.receive(Buffer.from('last words'));
    const error = new Error('gone');
    link.port?.ended(error);
    expect(arms()).toBe(1);
    expect(ends).toEqual([]);
    expect(ports.networkToMuxer.size).toBe(1);
    pump.arm();
    clock.advance(END_GRACE_MS - 1);
    expect(ends).toEqual([]);
    clock.advance(1);
    expect(ends).toEqual([error]);
    clock.advance(1000);
    expect(ends).toHaveLength(1);
    pump.stop();
  });

  test('stop sends what waits, then closes the link', () => {
    const { link, ports, service } = setUp();
    for (let count = 0; count < BATCH + 6; count += 1) ports.muxerToNetwork.push(Buffer.alloc(1));
    service.stop();
    expect(link.sent).toHaveLength(BATCH + 6);
    expect(link.closes).toBe(1);
  });

  test('stop does not wait for a link that is stuck', () => {
    const { link, ports, service } = setUp();
    link.writable = false;
    ports.muxerToNetwork.push(Buffer.alloc(1));
    service.stop();
    expect(link.sent).toEqual([]);
    expect(link.closes).toBe(1);
  });
});
