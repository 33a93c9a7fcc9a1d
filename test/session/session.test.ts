import { describe, expect, test } from 'vitest';
import { Opcode } from '../../src/model/opcode.ts';
import type { Tracer } from '../../src/model/tracer.ts';
import { isDataPacket } from '../../src/packetmuxer/route.ts';
import { FAREWELL_MS } from '../../src/session/farewell.ts';
import { HandshakeTrace } from '../../src/trace/handshake-trace.ts';
import { Pair } from '../sim/pair.ts';
import { SimLink } from '../sim/sim-link.ts';

const LATENCY = { delayMs: 10 };

describe('Session', () => {
  test('is established once the push and the keys are there', async () => {
    await using pair = await disposable(Pair.connected({ toServer: LATENCY, toClient: LATENCY }));
    const { client } = pair;
    expect(await client.established).toBe(client.info);
    expect(client).toMatchObject({ negotiation: 'S_GENERATED_KEYS' });
    expect(client.info).toMatchObject({
      ipv4: { address: '10.8.0.2', prefixLength: 24 },
      cipher: 'AES-256-GCM',
      mtu: 1500,
      mss: 1396,
      protocol: 'udp',
    });
    expect(client.tun.mtu).toBe(1500);
  });

  test('has no info before', async () => {
    await using pair = await disposable(Pair.open({ toServer: { lossPercent: 100 } }));
    expect(() => pair.client.info).toThrow('not established');
  });

  test('traces states and packets in the order of their times', async () => {
    const trace = new HandshakeTrace();
    await using pair = await disposable(
      Pair.connected({ toServer: LATENCY, toClient: LATENCY, clientTracer: trace }),
    );
    await pair.outcome(pair.client.close(), 5000);
    const times = trace.events.map(({ t }) => t);
    expect(times.length).toBeGreaterThan(15);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test('lets no packet in or out before the push was accepted', async () => {
    const out: Buffer[] = [];
    await using pair = await disposable(
      Pair.open({
        toServer: LATENCY,
        toClient: LATENCY,
        clientTracer: {
          datagramOut: (bytes) => {
            const datagram = Buffer.from(bytes);
            if (isDataPacket(datagram)) out.push(datagram);
          },
        },
      }),
    );
    const { client } = pair;
    const { link } = client;
    if (!(link instanceof SimLink)) throw new Error('expected a simulated link');
    const forged = [Buffer.alloc(80, 0x48), Buffer.alloc(80, 0x30), Buffer.alloc(80, 0x4b)];
    for (let count = 0; pair.establishedAt === undefined; count += 1) {
      for (const datagram of forged) link.deliver(Buffer.from(datagram));
      client.tun.write(ipv4(count));
      expect(out).toEqual([]);
      expect(client.tun.read()).toBeUndefined();
      await pair.advance(1);
    }
    const { datachannel } = client.stats.drops;
    expect(datachannel?.['unknown-key']).toBeGreaterThan(50);
  });

  test('fails once: the first error counts', async () => {
    const pair = await Pair.connected();
    const first = new Error('first');
    pair.client.fail(first);
    pair.client.fail(new Error('second'));
    pair.client.stop();
    expect(await pair.client.done).toBe(first);
    await pair.stop();
  });

  test('a layer that throws ends the wait for the tunnel, too', async () => {
    const pair = await Pair.open({ toServer: { lossPercent: 100 } });
    const broken = () => {
      throw new Error('broken');
    };
    pair.client.attach({ name: 'broken', moveUpWorker: broken });
    pair.client.arm();
    await pair.settle();
    await expect(pair.client.established).rejects.toThrow('broken');
    await pair.stop();
  });

  test('stopped before it is established, it rejects and is done without an error', async () => {
    const pair = await Pair.open();
    pair.client.stop();
    await expect(pair.client.established).rejects.toThrow('stopped');
    expect(await pair.client.done).toBeUndefined();
    await pair.stop();
  });
});

describe('Session.close', () => {
  test('a client says EXIT, and stops as soon as that is acknowledged', async () => {
    const opcodes: string[] = [];
    const pair = await Pair.connected({
      toServer: LATENCY,
      toClient: LATENCY,
      clientTracer: controlPackets(opcodes),
    });
    opcodes.length = 0;
    const startedAt = pair.clock.now();
    await pair.outcome(pair.client.close(), 5000);
    expect(pair.clock.now() - startedAt).toBe(20);
    expect(opcodes).toEqual(['out P_CONTROL_V1', 'in P_ACK_V1']);
    await pair.until(() => pair.server.endings.length > 0, 1000);
    expect(pair.server.endings).toEqual([expect.objectContaining({ code: 'OVPN_PEER_EXIT' })]);
    expect(await pair.client.done).toBeUndefined();
  });

  test('that nobody acknowledges takes a second, no more', async () => {
    const pair = await Pair.connected();
    pair.server.session?.stop();
    await pair.settle();
    const startedAt = pair.clock.now();
    await pair.outcome(pair.client.close(), 5000);
    expect(pair.clock.now() - startedAt).toBe(FAREWELL_MS);
  });

  test('a server tells its client what it is given, here to connect anew', async () => {
    const pair = await Pair.connected({ toServer: LATENCY, toClient: LATENCY });
    const { session } = pair.server;
    if (session === undefined) throw new Error('no server session');
    const startedAt = pair.clock.now();
    await pair.outcome(session.close({ kind: 'restart', flags: 'N', text: 'soon' }), 5000);
    expect(pair.clock.now() - startedAt).toBe(20);
    await pair.settle();
    expect(pair.clientEnding).toMatchObject({ code: 'OVPN_PEER_RESTART', reason: 'soon' });
  });

  test('before it is established says nothing and is quick', async () => {
    const pair = await Pair.open();
    const startedAt = pair.clock.now();
    await pair.outcome(pair.client.close(), 5000);
    expect(pair.clock.now()).toBe(startedAt);
    await pair.stop();
  });

  test('twice is once', async () => {
    const pair = await Pair.connected();
    const [first, second] = [pair.client.close(), pair.client.close()];
    expect(first).toBe(second);
    await pair.outcome(first, 5000);
  });

  test('packets that were written before go first', async () => {
    const pair = await Pair.connected();
    const { tun } = pair.client;
    const received: number[] = [];
    pair.server.session?.attach({
      name: 'reader',
      moveUpWorker: () => {
        const before = received.length;
        for (;;) {
          const packet = pair.server.session?.tun.read();
          if (packet === undefined) return received.length > before;
          received.push(packet.readUInt16BE(4));
        }
      },
    });
    for (let id = 0; id < 200; id += 1) expect(tun.write(ipv4(id))).toBe(true);
    await pair.outcome(pair.client.close(), 5000);
    expect(received).toEqual(Array.from({ length: 200 }, (_, id) => id));
  });
});

/** A minimal IPv4 packet that is told apart by its identification. */
function ipv4(id: number): Buffer {
  const packet = Buffer.alloc(20);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt16BE(20, 2);
  packet.writeUInt16BE(id, 4);
  return packet;
}

const OPCODE_NAMES = Object.fromEntries(
  Object.entries(Opcode).map(([name, value]) => [value, name]),
);

function controlPackets(seen: string[]): Tracer {
  return {
    controlIn: ({ opcode }) => void seen.push(`in ${OPCODE_NAMES[opcode]}`),
    controlOut: ({ opcode }) => void seen.push(`out ${OPCODE_NAMES[opcode]}`),
  };
}

async function disposable(opening: Promise<Pair>): Promise<Pair & AsyncDisposable> {
  const pair = await opening;
  return Object.assign(pair, { [Symbol.asyncDispose]: () => pair.stop() });
}
