import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket as TcpSocket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { OvpnProtocolError } from '../../src/core/errors.ts';
import { sessionIdOf } from '../../src/model/ids.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import type { Link } from '../../src/networkio/link.ts';
import { MAX_FRAME_BYTES, StreamFramer } from '../../src/networkio/stream-framing.ts';
import { connectTcp } from '../../src/networkio/tcp-link.ts';
import { TcpListener } from '../../src/networkio/tcp-listener.ts';
import { connectUdp } from '../../src/networkio/udp-link.ts';
import { UdpListener } from '../../src/networkio/udp-listener.ts';
import { encodeControlPacket } from '../../src/packetmuxer/control-packet-codec.ts';
import { plainWrap } from '../../src/packetmuxer/control-wrap.ts';
import { HardResetResponder } from '../../src/packetmuxer/hard-reset-responder.ts';
import { AWKWARD_LENGTHS } from '../packetmuxer/hostile-bytes.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { RecordingPort } from './recording-port.ts';

/*
 * Real sockets on loopback. What a socket's handler throws is an uncaught exception, with which the
 * test runner fails.
 */

const HOST = '127.0.0.1';
const MAX_DATAGRAM_BYTES = 65_507;
const RESET = reset();

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe('datagrams of 0 to 65,507 bytes', () => {
  test('reach a client whole, and its link lives on', async () => {
    const far = await udpSocket();
    const link = await connectUdp(remoteAt('udp', far.address().port));
    closing.push(() => link.close());
    const port = new RecordingPort();
    link.open(port);
    for (const length of AWKWARD_LENGTHS)
      far.send(Buffer.alloc(length, 0x48), link.localPort, HOST);
    await vi.waitFor(() => {
      expect(port.packets.map((packet) => packet.length)).toEqual(AWKWARD_LENGTHS);
    });
    expect(AWKWARD_LENGTHS).toContain(0);
    expect(AWKWARD_LENGTHS).toContain(MAX_DATAGRAM_BYTES);
    expect(port.errors).toEqual([]);
    link.send(Buffer.from('alive'));
    expect(String((await once(far, 'message'))[0])).toBe('alive');
  });

  test.each([0x00, 0x20, 0x38, 0x48, 0x50, 0xff])(
    'that begin with %i bring a stranger nothing but an answer to a reset',
    async (byte0) => {
      const { listener, peers } = await udpListener();
      const stranger = await udpSocket();
      const { port } = listener.address();
      const heard: Buffer[] = [];
      stranger.on('message', (packet) => heard.push(packet));
      for (const length of AWKWARD_LENGTHS) stranger.send(Buffer.alloc(length, byte0), port, HOST);
      stranger.send(RESET, port, HOST);
      await vi.waitFor(() => expect(heard.map(({ length }) => length)).toEqual([26]));
      const drops = Object.values(listener.drops).reduce((sum, count) => sum + count, 0);
      expect(drops).toBe(AWKWARD_LENGTHS.length);
      expect([listener.peerCount, peers.length]).toEqual([0, 0]);
    },
  );

  test('from a peer go to its session, which judges them, and close nothing', async () => {
    const { listener, peers } = await udpListener();
    const peer = await udpSocket();
    const { port } = listener.address();
    peer.send(RESET, port, HOST);
    const [answer] = (await once(peer, 'message')) as [Buffer];
    peer.send(completing(answer), port, HOST);
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    const recording = new RecordingPort();
    peers[0]?.open(recording);
    for (const length of AWKWARD_LENGTHS) peer.send(Buffer.alloc(length, 0x48), port, HOST);
    peer.send(completing(answer), port, HOST);
    const packet = completing(answer).length;
    // The empty datagram is nobody's: no opcode, no session id.
    const expected = [packet, ...AWKWARD_LENGTHS.filter((length) => length > 0), packet];
    await vi.waitFor(() => {
      expect(recording.packets.map(({ length }) => length)).toEqual(expected);
    });
    expect(recording.errors).toEqual([]);
    expect(listener.drops).toEqual({ malformed: 1 });
  });
});

describe('a stream', () => {
  test.each([0, MAX_FRAME_BYTES + 1, 0xffff])(
    'with a frame of %i bytes ends the link of a client, once and with a typed error',
    async (length) => {
      const { link, far } = await tcpPair();
      const port = new RecordingPort();
      link.open(port);
      const gone = closed(far);
      far.write(Buffer.concat([framed(RESET), frameOf(length)]));
      await vi.waitFor(() => expect(port.errors).toHaveLength(1));
      expect(port.errors[0]).toBeInstanceOf(OvpnProtocolError);
      expect(port.packets).toEqual([RESET]);
      far.write(framed(RESET));
      await gone;
      expect(port.errors).toHaveLength(1);
      expect(port.packets).toHaveLength(1);
    },
  );

  test('in pieces of one byte gives the same packets', async () => {
    const { link, far } = await tcpPair();
    const port = new RecordingPort();
    link.open(port);
    const packets = [1, 2, 14, 255, 256, 300].map((length) => Buffer.alloc(length, length));
    for (const byte of framed(...packets)) {
      far.write(Buffer.of(byte));
      await turn();
    }
    await vi.waitFor(() => expect(port.packets).toEqual(packets));
  });

  test.each([
    { name: 'a frame of 0 bytes', bytes: frameOf(0) },
    { name: 'a frame of 65,535 bytes', bytes: frameOf(0xffff) },
    { name: 'an unknown opcode', bytes: framed(Buffer.alloc(50, 0xff)) },
    { name: 'data before a session', bytes: framed(Buffer.alloc(50, 0x48)) },
    { name: 'a reset cut by a byte', bytes: framed(RESET.subarray(0, -1)) },
    { name: 'the longest frame', bytes: framed(Buffer.alloc(MAX_FRAME_BYTES, 0x38)) },
  ])('of a stranger with $name is closed, and the next one served', async ({ bytes }) => {
    const { listener, peers } = await tcpListener();
    const stranger = await tcpClient(listener);
    const gone = closed(stranger);
    stranger.write(bytes);
    await gone;
    await vi.waitFor(() => expect(listener.halfOpenCount).toBe(0));
    const next = await tcpClient(listener);
    for (const byte of framed(RESET)) {
      next.write(Buffer.of(byte));
      await turn();
    }
    const [answer] = (await once(next, 'data')) as [Buffer];
    expect(answer).toHaveLength(2 + 26);
    expect([listener.peerCount, peers.length]).toEqual([0, 0]);
  });

  test('of a stranger that breaks off inside a frame is forgotten', async () => {
    const { listener } = await tcpListener();
    for (let length = 1; length < RESET.length + 2; length += 1) {
      const stranger = await tcpClient(listener);
      const gone = closed(stranger);
      stranger.end(framed(RESET).subarray(0, length));
      await gone;
    }
    await vi.waitFor(() => expect(listener.halfOpenCount).toBe(0));
  });
});

function reset(): Buffer {
  const packet = new ControlPacket(
    Opcode.P_CONTROL_HARD_RESET_CLIENT_V2,
    0,
    sessionIdOf(Buffer.alloc(8, 0xaa)),
  );
  packet.packetId = 0;
  return encodeControlPacket(packet);
}

/** The client's packet behind the server's answer. */
function completing(answer: Buffer): Buffer {
  const packet = new ControlPacket(Opcode.P_CONTROL_V1, 0, sessionIdOf(RESET.subarray(1, 9)));
  packet.packetId = 1;
  packet.ackedPacketIds = [0];
  packet.remoteSessionId = sessionIdOf(answer.subarray(1, 9));
  return encodeControlPacket(packet);
}

function framed(...packets: Buffer[]): Buffer {
  const framer = new StreamFramer();
  for (const packet of packets) framer.add(packet);
  return framer.flush();
}

/** A frame that says it has `length` bytes, and some of them. */
function frameOf(length: number): Buffer {
  const bytes = Buffer.alloc(40, 0x48);
  bytes.writeUInt16BE(length);
  return bytes;
}

function remoteAt(protocol: 'udp' | 'tcp', port: number) {
  return { protocol, address: HOST, port, family: 4, host: HOST } as const;
}

function gate(): HardResetResponder {
  return new HardResetResponder({ wrap: plainWrap, random: new SeededRandom(1) });
}

async function udpSocket(): Promise<UdpSocket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, HOST, resolve));
  socket.setRecvBufferSize(1024 * 1024);
  closing.push(() => new Promise<void>((resolve) => socket.close(resolve)));
  return socket;
}

async function udpListener() {
  const peers: Link[] = [];
  const listener = new UdpListener({ gate: gate(), onPeer: (link) => peers.push(link) });
  await listener.listen({ host: HOST, port: 0 });
  closing.push(() => listener.close());
  return { listener, peers };
}

async function tcpListener() {
  const peers: Link[] = [];
  const listener = new TcpListener({ gate: gate(), onPeer: (link) => peers.push(link) });
  await listener.listen({ host: HOST, port: 0 });
  closing.push(() => listener.close());
  return { listener, peers };
}

async function tcpClient(listener: TcpListener): Promise<TcpSocket> {
  const socket = connect({ host: HOST, port: listener.address().port, noDelay: true });
  socket.on('error', () => {});
  socket.on('end', () => {});
  socket.resume();
  await once(socket, 'connect');
  closing.push(async () => socket.destroy());
  return socket;
}

/** However it is closed: a reset of the connection will do. */
function closed(socket: TcpSocket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** A client's link, and the socket at its other end. */
async function tcpPair(): Promise<{ link: Link; far: TcpSocket }> {
  const server = createServer({ noDelay: true });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  const accepted = once(server, 'connection');
  const link = await connectTcp(remoteAt('tcp', address.port));
  const [far] = (await accepted) as [TcpSocket];
  far.on('error', () => {});
  far.resume();
  closing.push(async () => {
    await link.close();
    far.destroy();
  });
  return { link, far };
}
