import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { DatagramLink } from '../../src/networkio/datagram-link.ts';
import type { Link, LinkAddresses } from '../../src/networkio/link.ts';
import { ScrambleLink } from '../../src/networkio/scramble-link.ts';
import { scramblePipe } from '../../src/networkio/scramble-pipe.ts';
import { ScrambleStream } from '../../src/networkio/scramble-stream.ts';
import { Scrambler } from '../../src/networkio/scrambler.ts';
import { StreamLink } from '../../src/networkio/stream-link.ts';
import { linkContract } from '../contract/link.ts';
import { duplexPair } from './duplex-pair.ts';
import { RecordingPort } from './recording-port.ts';

const scrambler = new Scrambler({ mode: 'obfuscate', key: new Secret(Buffer.from('key')) });
const addresses = { localAddress: 'a', localPort: 1, remoteAddress: 'b', remotePort: 2 };

/** `packet` as the wire carries it. */
function disguised(packet: Buffer): Buffer {
  const bytes = Buffer.from(packet);
  scrambler.scramble(bytes);
  return bytes;
}

/** Two sockets that are connected to each other. */
async function socketPair(): Promise<[Socket, Socket]> {
  const sockets: [Socket, Socket] = [createSocket('udp4'), createSocket('udp4')];
  for (const socket of sockets) {
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
  }
  const [near, far] = sockets;
  near.connect(far.address().port, '127.0.0.1');
  far.connect(near.address().port, '127.0.0.1');
  await Promise.all([once(near, 'connect'), once(far, 'connect')]);
  return sockets;
}

/** A link at both ends of a pair. */
function both<T>(
  [near, far]: readonly [T, T],
  make: (end: T, addresses: LinkAddresses) => Link,
): { near: Link; far: Link } {
  return {
    near: make(near, addresses),
    far: make(far, { localAddress: 'b', localPort: 2, remoteAddress: 'a', remotePort: 1 }),
  };
}

linkContract('disguised, over UDP', async () =>
  both(
    await socketPair(),
    (socket, addresses) => new ScrambleLink(new DatagramLink(socket, { addresses }), scrambler),
  ),
);

linkContract('disguised, over a stream', async () =>
  both(
    duplexPair(),
    (stream, addresses) => new ScrambleLink(new StreamLink(stream, { addresses }), scrambler),
  ),
);

linkContract('over a disguising pipe', async () =>
  both(
    await socketPair(),
    (socket, addresses) => new DatagramLink(scramblePipe(socket, scrambler), { addresses }),
  ),
);

linkContract('over a disguising stream', async () =>
  both(
    duplexPair(),
    (stream, addresses) => new StreamLink(new ScrambleStream(stream, scrambler), { addresses }),
  ),
);

describe('ScrambleLink', () => {
  test('the wire has the disguise, the port and the sender the packet', async () => {
    const [near, far] = duplexPair();
    const link = new ScrambleLink(new StreamLink(near, { addresses }), scrambler);
    const port = new RecordingPort();
    link.open(port);
    const packet = Buffer.from('a packet');
    const seen = once(far, 'data');

    link.send(packet);
    far.write(Buffer.concat([Buffer.of(0, 8), disguised(packet)]));

    const [wire] = (await seen) as [Buffer];
    expect(wire).toEqual(Buffer.concat([Buffer.of(0, 8), disguised(packet)]));
    await vi.waitFor(() => expect(port.packets).toEqual([packet]));
    expect(packet.toString()).toBe('a packet');
    await link.close();
  });

  test('a packet that a stream brings twice is undisguised once', async () => {
    const [near, far] = duplexPair();
    const link = new ScrambleLink(new StreamLink(near, { addresses }), scrambler);
    const port = new RecordingPort();
    let room = false;
    link.open({
      receive: (packet) => room && port.receive(packet),
      drained: () => {},
      ended: () => {},
    });
    const packets = ['first', 'other'].map((text) => Buffer.from(text));
    far.write(Buffer.concat(packets.flatMap((packet) => [Buffer.of(0, 5), disguised(packet)])));
    await new Promise((resolve) => setImmediate(resolve));
    link.resume();
    room = true;
    link.resume();
    await vi.waitFor(() => expect(port.packets).toEqual(packets));
    await link.close();
  });
});

describe('scramblePipe', () => {
  test('has a queue only where the pipe below has one', async () => {
    const [near, far] = await socketPair();
    expect(scramblePipe(near, scrambler).getSendQueueSize?.()).toBe(0);
    const bare = { send: () => {}, on: () => bare, close: () => {} };
    expect(scramblePipe(bare as never, scrambler).getSendQueueSize).toBeUndefined();
    near.close();
    far.close();
  });
});

describe('ScrambleStream', () => {
  test('frames in any chunks, both ways', async () => {
    const [near, far] = duplexPair();
    const stream = new ScrambleStream(near, scrambler);
    const packet = Buffer.from('a packet');
    const framed = Buffer.concat([Buffer.of(0, 8), packet]);
    const wire = Buffer.concat([Buffer.of(0, 8), disguised(packet)]);
    const out: Buffer[] = [];
    const back: Buffer[] = [];
    far.on('data', (chunk: Buffer) => out.push(chunk));
    stream.on('data', (chunk: Buffer) => back.push(chunk));
    for (const byte of framed) stream.write(Buffer.of(byte));
    for (const byte of wire) far.write(Buffer.of(byte));
    await vi.waitFor(() => {
      expect(Buffer.concat(out)).toEqual(wire);
      expect(Buffer.concat(back)).toEqual(framed);
    });
    stream.destroy();
  });

  test('a frame of no length ends it with an error', async () => {
    const [near, far] = duplexPair();
    const stream = new ScrambleStream(near, scrambler);
    stream.resume();
    const failed = once(stream, 'error');
    far.write(Buffer.of(0, 0));
    const [error] = (await failed) as [Error];
    expect(error.message).toContain('expected a packet of 1 to');
    expect(near.destroyed).toBe(true);
  });
});
