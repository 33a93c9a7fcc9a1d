import { Socket } from 'node:dgram';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { SessionIds } from '../../src/model/tls-chunk.ts';
import type { Link } from '../../src/networkio/link.ts';
import { connectUdp } from '../../src/networkio/udp-link.ts';
import { UdpListener, type UdpListenerOptions } from '../../src/networkio/udp-listener.ts';
import { linkContract } from '../contract/link.ts';
import { RecordingPort } from './recording-port.ts';
import { TestGate } from './test-gate.ts';

interface Peer {
  readonly link: Link;
  readonly ids: SessionIds;
  readonly firstPacket: Buffer;
  readonly memory: Buffer | undefined;
  readonly port: RecordingPort;
}

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function setUp(options: Partial<UdpListenerOptions> = {}) {
  const gate = new TestGate();
  const peers: Peer[] = [];
  const listener = new UdpListener({
    gate,
    onPeer: (link, ids, firstPacket, memory) => {
      const port = new RecordingPort();
      link.open(port);
      peers.push({ link, ids, firstPacket, memory, port });
    },
    ...options,
  });
  await listener.listen({ host: '127.0.0.1', port: 0 });
  closing.push(() => listener.close());
  return { listener, gate, peers };
}

async function client(listener: UdpListener) {
  const { address, port: remotePort } = listener.address();
  const family = address.includes(':') ? 6 : 4;
  const link = await connectUdp({ protocol: 'udp', address, port: remotePort, family, host: '' });
  closing.push(() => link.close());
  const port = new RecordingPort();
  link.open(port);
  return { link, port, say: (text: string) => link.send(Buffer.from(text)) };
}

/** The listener's own socket: senders that this machine cannot play are played by its events. */
async function socketOf(
  listener: UdpListener,
  { say, port }: Pick<Awaited<ReturnType<typeof client>>, 'say' | 'port'>,
): Promise<Socket> {
  const emit = vi.spyOn(Socket.prototype, 'emit');
  say('hello ann');
  await vi.waitFor(() => expect(port.packets).toHaveLength(1));
  const sockets = emit.mock.contexts.filter((one): one is Socket => one instanceof Socket);
  emit.mockRestore();
  const own = sockets.find((socket) => socket.address().port === listener.address().port);
  if (own === undefined) throw new Error('the socket of the listener was not seen');
  return own;
}

describe('UdpListener', () => {
  test('answers without keeping anything, then accepts', async () => {
    const { listener, gate, peers } = await setUp();
    const { port, say, link } = await client(listener);
    say('hello ann');
    await vi.waitFor(() => expect(port.packets.map(String)).toEqual(['who? ann']));
    expect(listener.peerCount).toBe(0);
    say('me ann');
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    expect(listener.peerCount).toBe(1);
    expect(peers[0]?.ids.remote.toString()).toBe('ann');
    expect(peers[0]?.firstPacket.toString()).toBe('me ann');
    expect(peers[0]?.port.packets.map(String)).toEqual(['me ann']);
    expect(peers[0]?.link).toMatchObject({
      remoteAddress: '127.0.0.1',
      remotePort: link.localPort,
    });
    say('ann data');
    await vi.waitFor(() => expect(peers[0]?.port.packets.map(String)).toContain('ann data'));
    expect(gate.asked).toHaveLength(2);
  });

  test('keeps nothing between datagrams; what the gate gives with a peer is passed on', async () => {
    const { listener, gate, peers } = await setUp();
    const { say } = await client(listener);
    say('hello ann');
    say('me ann');
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    expect(gate.remembered).toEqual(['nothing', 'nothing']);
    expect(peers[0]?.memory?.toString()).toBe('key of ann');
  });

  test('a datagram from port 0, where no answer can go, is dropped', async () => {
    const { listener, gate } = await setUp();
    const socket = await socketOf(listener, await client(listener));
    const from = { address: '127.0.0.1', family: 'IPv4', port: 0, size: 9 };
    socket.emit('message', Buffer.from('hello bob'), from);
    expect(listener.drops).toEqual({ malformed: 1 });
    expect(gate.asked).toHaveLength(1);
  });

  test('a datagram that cannot be answered does not end the socket', async () => {
    const broken: Error[] = [];
    const { listener, gate } = await setUp({ onError: (error) => broken.push(error) });
    const { say, port } = await client(listener);
    const socket = await socketOf(listener, { say, port });
    // A socket of 127.0.0.1 has no way there.
    const from = { address: '192.0.2.1', family: 'IPv4', port: 9, size: 9 };
    socket.emit('message', Buffer.from('hello bob'), from);
    await vi.waitFor(() => expect(gate.asked).toHaveLength(2));
    say('hello ann');
    await vi.waitFor(() => expect(port.packets).toHaveLength(2));
    expect(broken).toEqual([]);
  });

  test('counts what the gate refuses, of strangers and of peers', async () => {
    const { listener, peers } = await setUp();
    const { say } = await client(listener);
    say('nonsense');
    await vi.waitFor(() => expect(listener.drops).toEqual({ malformed: 1 }));
    say('me ann');
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    say('bob data');
    await vi.waitFor(() => expect(listener.drops).toEqual({ malformed: 2 }));
    expect(peers[0]?.port.packets).toHaveLength(1);
  });

  test('keeps peers apart', async () => {
    const { listener, peers } = await setUp();
    const ann = await client(listener);
    const bob = await client(listener);
    ann.say('me ann');
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    bob.say('me bob');
    await vi.waitFor(() => expect(peers).toHaveLength(2));
    peers[0]?.link.send(Buffer.from('for ann'));
    peers[1]?.link.send(Buffer.from('for bob'));
    await vi.waitFor(() => expect(ann.port.packets.map(String)).toEqual(['for ann']));
    await vi.waitFor(() => expect(bob.port.packets.map(String)).toEqual(['for bob']));
  });

  test('a client that begins anew from its port takes the place of its old session', async () => {
    const { listener, peers } = await setUp();
    const { say, port } = await client(listener);
    say('me ann');
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    say('hello bob');
    await vi.waitFor(() => expect(port.packets.map(String)).toEqual(['who? bob']));
    expect(peers[0]?.port.errors).toEqual([]);
    say('me bob');
    await vi.waitFor(() => expect(peers).toHaveLength(2));
    expect(peers[0]?.port.endCode).toBe('OVPN_LINK_CLOSED');
    expect(listener.peerCount).toBe(1);
    await peers[0]?.link.close();
    say('bob data');
    await vi.waitFor(() => expect(peers[1]?.port.packets.map(String)).toContain('bob data'));
    expect(listener.peerCount).toBe(1);
  });

  test('forgets a peer whose link is closed', async () => {
    const { listener, peers } = await setUp();
    const { say } = await client(listener);
    say('me ann');
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    await peers[0]?.link.close();
    expect(listener.peerCount).toBe(0);
    say('ann data');
    await vi.waitFor(() => expect(listener.drops).toEqual({ malformed: 1 }));
    expect(peers[0]?.port.packets).toHaveLength(1);
  });

  test('turns away more than its limit', async () => {
    const { listener, peers } = await setUp({ maxPeers: 1 });
    (await client(listener)).say('me ann');
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    (await client(listener)).say('me bob');
    await vi.waitFor(() => expect(listener.drops).toEqual({ 'no-room': 1 }));
    expect(listener.peerCount).toBe(1);
  });

  test('keeps packets for a link that is opened later, a few', async () => {
    const links: Link[] = [];
    const { listener } = await setUp({ onPeer: (link) => links.push(link) });
    const { say } = await client(listener);
    say('me ann');
    for (let count = 0; count < 20; count += 1) say(`ann ${count}`);
    say('nonsense');
    await vi.waitFor(() => expect(listener.drops).toEqual({ malformed: 1 }));
    const port = new RecordingPort();
    links[0]?.open(port);
    expect(port.packets).toHaveLength(16);
    expect(port.packets.slice(0, 2).map(String)).toEqual(['me ann', 'ann 0']);
  });

  test('close ends all links, and may be called twice', async () => {
    const { listener, peers } = await setUp();
    (await client(listener)).say('me ann');
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    await listener.close();
    await listener.close();
    expect(peers[0]?.port.endCode).toBe('OVPN_LINK_CLOSED');
    expect(() => peers[0]?.link.send(Buffer.from('late'))).not.toThrow();
    expect(() => listener.address()).toThrow('not open');
  });

  test('rejects an address that is taken', async () => {
    const { listener } = await setUp();
    const second = new UdpListener({ gate: new TestGate(), onPeer: () => {} });
    const { port } = listener.address();
    const taken = second.listen({ host: '127.0.0.1', port });
    await expect(taken).rejects.toMatchObject({
      code: 'OVPN_LINK_FAILED',
      cause: { code: 'EADDRINUSE' },
    });
  });

  test('listens on a name, and on IPv6', async () => {
    for (const host of ['localhost', '::1']) {
      const listener = new UdpListener({ gate: new TestGate(), onPeer: () => {} });
      await listener.listen({ host, port: 0 });
      closing.push(() => listener.close());
      const { port, say } = await client(listener);
      say('hello ann');
      await vi.waitFor(() => expect(port.packets).toHaveLength(1));
    }
  });
});

linkContract('a peer of UdpListener', async () => {
  const links: Link[] = [];
  const gate = new TestGate();
  gate.belongsTo = () => true;
  const listener = new UdpListener({ gate, onPeer: (link) => links.push(link) });
  await listener.listen({ host: '127.0.0.1', port: 0 });
  const { port } = listener.address();
  const remote = { protocol: 'udp', address: '127.0.0.1', port, family: 4, host: '' } as const;
  const far = await connectUdp(remote);
  far.send(Buffer.from('me ann'));
  await vi.waitFor(() => expect(links).toHaveLength(1));
  const [near] = links;
  if (near === undefined) throw new Error('no peer');
  return { near, far, stop: () => listener.close() };
});
