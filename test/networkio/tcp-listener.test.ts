import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { SessionIds } from '../../src/model/tls-chunk.ts';
import type { Link } from '../../src/networkio/link.ts';
import { StreamDeframer, StreamFramer } from '../../src/networkio/stream-framing.ts';
import { TcpListener, type TcpListenerOptions } from '../../src/networkio/tcp-listener.ts';
import { HALF_OPEN_MS } from '../../src/networkio/tcp-newcomer.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { RecordingPort } from './recording-port.ts';
import { TestGate } from './test-gate.ts';

interface Peer {
  readonly link: Link;
  readonly ids: SessionIds;
  readonly firstPacket: Buffer;
  readonly memory: Buffer | undefined;
}

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function setUp(options: Partial<TcpListenerOptions> = {}) {
  const gate = new TestGate();
  const clock = new VirtualClock();
  const peers: Peer[] = [];
  const listener = new TcpListener({
    gate,
    clock,
    onPeer: (link, ids, firstPacket, memory) => peers.push({ link, ids, firstPacket, memory }),
    ...options,
  });
  await listener.listen({ host: '127.0.0.1', port: 0 });
  closing.push(() => listener.close());
  return { listener, gate, clock, peers };
}

async function client(listener: TcpListener) {
  const socket: Socket = connect(listener.address().port, '127.0.0.1');
  const deframer = new StreamDeframer();
  const heard: string[] = [];
  socket.on('data', (chunk) => {
    deframer.push(chunk);
    for (let packet = deframer.take(); packet; packet = deframer.take()) heard.push(`${packet}`);
  });
  let gone = false;
  socket.on('close', () => {
    gone = true;
  });
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  closing.push(async () => {
    socket.destroy();
  });
  return {
    socket,
    heard,
    gone: () => gone,
    say: (...texts: string[]) => socket.write(framed(texts)),
  };
}

function framed(texts: readonly string[]): Buffer {
  const framer = new StreamFramer();
  for (const text of texts) framer.add(Buffer.from(text));
  return framer.flush();
}

describe('TcpListener', () => {
  test('answers, then accepts, and gives the link all from the first packet on', async () => {
    const { listener, peers } = await setUp();
    const { heard, say } = await client(listener);
    say('hello ann');
    await vi.waitFor(() => expect(heard).toEqual(['who? ann']));
    expect([listener.halfOpenCount, listener.peerCount]).toEqual([1, 0]);
    say('me ann', 'ann 1', 'ann 2');
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    expect([listener.halfOpenCount, listener.peerCount]).toEqual([0, 1]);
    expect(peers[0]?.ids.remote.toString()).toBe('ann');
    expect(peers[0]?.firstPacket.toString()).toBe('me ann');
    const port = new RecordingPort();
    peers[0]?.link.open(port);
    say('ann 3');
    await vi.waitFor(() => {
      expect(port.packets.map(String)).toEqual(['me ann', 'ann 1', 'ann 2', 'ann 3']);
    });
    peers[0]?.link.send(Buffer.from('for ann'));
    await vi.waitFor(() => expect(heard).toContain('for ann'));
  });

  test('keeps what its gate wants to see again, for each connection', async () => {
    const { listener, gate, peers } = await setUp();
    const ann = await client(listener);
    const bob = await client(listener);
    ann.say('hello ann');
    await vi.waitFor(() => expect(ann.heard).toEqual(['who? ann']));
    bob.say('hello bob');
    await vi.waitFor(() => expect(bob.heard).toEqual(['who? bob']));
    ann.say('hello eve');
    await vi.waitFor(() => expect(ann.heard).toContain('who? eve'));
    ann.say('me ann');
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    bob.say('me bob');
    await vi.waitFor(() => expect(peers).toHaveLength(2));
    expect(gate.remembered).toEqual(['nothing', 'nothing', 'ann', 'eve', 'bob']);
    expect(peers.map(({ memory }) => memory?.toString())).toEqual(['key of ann', 'key of bob']);
  });

  test('takes a packet cut anywhere', async () => {
    const { listener, peers } = await setUp();
    const { socket } = await client(listener);
    socket.setNoDelay(true);
    for (const byte of framed(['hello ann', 'me ann'])) {
      await new Promise<void>((resolve) => socket.write(Buffer.from([byte]), () => resolve()));
    }
    await vi.waitFor(() => expect(peers).toHaveLength(1));
  });

  test.each([
    { name: 'what the gate refuses', bytes: framed(['nonsense']), drops: { malformed: 1 } },
    { name: 'a frame of no bytes', bytes: Buffer.from([0, 0]), drops: {} },
    { name: 'a frame too long', bytes: Buffer.from([0xff, 0xff]), drops: {} },
  ])('$name closes the connection', async ({ bytes, drops }) => {
    const { listener, peers } = await setUp();
    const { socket, gone } = await client(listener);
    socket.write(bytes);
    await vi.waitFor(() => expect(gone()).toBe(true));
    expect(listener.halfOpenCount).toBe(0);
    expect(listener.drops).toEqual(drops);
    expect(peers).toEqual([]);
  });

  test('closes a connection that says nothing for ten seconds', async () => {
    const { listener, clock } = await setUp();
    const { gone } = await client(listener);
    await vi.waitFor(() => expect(listener.halfOpenCount).toBe(1));
    clock.advance(HALF_OPEN_MS - 1);
    expect(listener.halfOpenCount).toBe(1);
    clock.advance(1);
    expect(listener.halfOpenCount).toBe(0);
    await vi.waitFor(() => expect(gone()).toBe(true));
  });

  test('an accepted peer has all the time', async () => {
    const { listener, clock, peers } = await setUp();
    (await client(listener)).say('me ann');
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    clock.advance(10 * HALF_OPEN_MS);
    expect(listener.peerCount).toBe(1);
    expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('forgets a newcomer and a peer that leave', async () => {
    const { listener, peers, clock } = await setUp();
    const newcomer = await client(listener);
    await vi.waitFor(() => expect(listener.halfOpenCount).toBe(1));
    newcomer.socket.destroy();
    await vi.waitFor(() => expect(listener.halfOpenCount).toBe(0));
    expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
    const peer = await client(listener);
    peer.say('me ann');
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    const port = new RecordingPort();
    peers[0]?.link.open(port);
    peer.socket.destroy();
    await vi.waitFor(() => expect(listener.peerCount).toBe(0));
    expect(port.endCode).toBe('OVPN_LINK_CLOSED');
  });

  test('turns away more newcomers, and more peers, than its limits', async () => {
    const { listener, peers } = await setUp({ maxHalfOpen: 1, maxPeers: 1 });
    const first = await client(listener);
    await vi.waitFor(() => expect(listener.halfOpenCount).toBe(1));
    const second = await client(listener);
    await vi.waitFor(() => expect(second.gone()).toBe(true));
    first.say('me ann');
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    const third = await client(listener);
    await vi.waitFor(() => expect(third.gone()).toBe(true));
    expect(listener.drops).toEqual({ 'no-room': 2 });
  });

  test('close ends newcomers and peers, and may be called twice', async () => {
    const { listener, peers } = await setUp();
    const newcomer = await client(listener);
    const peer = await client(listener);
    peer.say('me ann');
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    const port = new RecordingPort();
    peers[0]?.link.open(port);
    await Promise.all([listener.close(), listener.close()]);
    await vi.waitFor(() => expect([newcomer.gone(), peer.gone()]).toEqual([true, true]));
    expect(port.endCode).toBe('OVPN_LINK_CLOSED');
    expect(() => listener.address()).toThrow('not open');
  });

  test('rejects an address that is taken', async () => {
    const { listener } = await setUp();
    const second = new TcpListener({ gate: new TestGate(), onPeer: () => {} });
    const taken = second.listen({ host: '127.0.0.1', port: listener.address().port });
    await expect(taken).rejects.toMatchObject({
      code: 'OVPN_LINK_FAILED',
      cause: { code: 'EADDRINUSE' },
    });
  });
});
