import { describe, expect, test } from 'vitest';
import { opcodeOf } from '../../src/model/opcode.ts';
import type { Session } from '../../src/session/session.ts';
import { HandshakeTrace, MAX_TRACE_EVENTS } from '../../src/trace/handshake-trace.ts';
import { joinTracers } from '../../src/trace/join-tracers.ts';
import { PcapngTrace } from '../../src/trace/pcapng-trace.ts';
import { MAX_UDP_PAYLOAD } from '../../src/trace/udp-packet.ts';
import { awkwardPackets, forEachForgery } from '../packetmuxer/hostile-bytes.ts';
import { Pair } from '../sim/pair.ts';
import { SIM_WRAPS } from '../sim/sim-identity.ts';
import { SimLink } from '../sim/sim-link.ts';

/** Datagrams between two runs of the pumps: less than a session holds. */
const BATCH = 256;

const MAX_BYTES = 1_048_576;

const WRAPS = SIM_WRAPS.map((wrap) => ({ wrap }));

describe('two sessions with a tunnel between them', () => {
  test.each(WRAPS)(
    'under $wrap outlive every opcode and key id in awkward lengths',
    async (row) => {
      const trace = new HandshakeTrace();
      const capture = new PcapngTrace({ maxBytes: MAX_BYTES });
      const clientTracer = joinTracers(trace, capture);
      const pair = await Pair.connected({ ...row, clientTracer });
      for (let round = 0; round < 2; round += 1) {
        await flood(pair, [...copiesOf(awkwardPackets())], 'both');
        await expectAlive(pair);
      }
      expect(totalDrops(pair.client)).toBeGreaterThan(16_000);
      expect(trace.events).toHaveLength(MAX_TRACE_EVENTS);
      expect(capture.bytes.length).toBeLessThan(MAX_BYTES + MAX_UDP_PAYLOAD);
      expect(capture.omitted).toBeGreaterThan(1000);
    },
  );

  test.each(WRAPS.filter(({ wrap }) => wrap !== 'none'))(
    'under $wrap outlive every altered form of their own packets',
    async ({ wrap }) => {
      const heard = { server: new Shortest(), client: new Shortest() };
      const pair = await Pair.connected({
        wrap,
        clientTracer: {
          datagramIn: (packet) => heard.client.see(packet),
          datagramOut: (packet) => heard.server.see(packet),
        },
      });
      await expectAlive(pair);
      for (const end of ['server', 'client'] as const) {
        expect(heard[end].packets.length).toBeGreaterThanOrEqual(4);
        for (const packet of heard[end].packets) {
          const forged: Buffer[] = [];
          forEachForgery(packet, (bytes) => forged.push(Buffer.from(bytes)));
          await flood(pair, forged, end);
        }
      }
      await expectAlive(pair);
    },
  );
});

/** The shortest packet of every opcode. */
class Shortest {
  readonly #byOpcode = new Map<number, Buffer>();

  get packets(): Buffer[] {
    return [...this.#byOpcode.values()];
  }

  see(bytes: Uint8Array): void {
    const packet = Buffer.from(bytes);
    if (packet.length === 0) return;
    const opcode = opcodeOf(packet.readUInt8(0));
    const known = this.#byOpcode.get(opcode);
    if (known === undefined || packet.length < known.length) this.#byOpcode.set(opcode, packet);
  }
}

function* copiesOf(packets: Iterable<Buffer>): Generator<Buffer> {
  for (const packet of packets) yield Buffer.from(packet);
}

async function flood(pair: Pair, packets: readonly Buffer[], end: 'server' | 'client' | 'both') {
  const { link } = pair.client;
  if (!(link instanceof SimLink)) throw new Error('expected a simulated link');
  for (let at = 0; at < packets.length; at += BATCH) {
    for (const packet of packets.slice(at, at + BATCH)) {
      if (end !== 'server') link.deliver(packet);
      if (end !== 'client') pair.server.receive(Buffer.from(packet));
    }
    await pair.settle();
  }
}

async function expectAlive(pair: Pair): Promise<void> {
  expect(pair.clientEnding).toBeNull();
  expect(pair.server.endings).toEqual([]);
  expect(pair.isUp).toBe(true);
  const packet = Buffer.alloc(20);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt16BE(20, 2);
  for (const [from, to] of [
    [pair.client, pair.server.session],
    [pair.server.session, pair.client],
  ]) {
    from?.tun.write(packet);
    await pair.settle();
    expect(to?.tun.read()).toEqual(packet);
  }
}

function totalDrops({ stats }: Session): number {
  const layers = Object.values(stats.drops);
  return layers.flatMap((layer) => Object.values(layer)).reduce((sum, count) => sum + count, 0);
}
