import { expect } from 'vitest';
import { isData, opcodeOf } from '../../src/model/opcode.ts';
import { echoRequest } from '../embedded/icmp-echo.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { dropsOf } from './drops.ts';
import type { HostilePeer } from './hostile-peer.ts';
import { CLIENT_ADDRESS, INNER_GARBAGE, ipv4, SERVER_ADDRESS } from './inner-packets.ts';
import type { HostileMode } from './mode.ts';
import { flood } from './pace.ts';
import { expectAlive, expectDialerAlive } from './scene.ts';

/** First bytes of LZO, LZ4, Snappy, of both generations, and of nothing. */
const BOMB_HEADS = [0x66, 0x67, 0x68, 0x69, 0x6a, 0x50, 0xfa, 0xfb, 0x00, 0xff];

const EARLY_SEQUENCE = 13;

/** Sends all kinds of garbage with the right key. */
function pour(peer: HostilePeer, ms: number): Promise<number> {
  const random = new SeededRandom(10);
  return flood({ ms }, (count) => {
    const [, make] = INNER_GARBAGE[count % INNER_GARBAGE.length] ?? [];
    return make !== undefined && peer.inner(make(random));
  });
}

/** Authentic packets whose inside is hostile. */
export const INNER_MODES: readonly HostileMode[] = [
  {
    rule: 'D12',
    name: 'inner garbage for a dialer, at full rate',
    run: async (scene) => {
      const { peer, dialer, client } = await scene.dialing();
      dialer.listen({ port: 80 });
      const udp = dialer.createSocket('udp4');
      udp.bind(5353);
      const poured = await pour(peer, 2_000);
      await expectDialerAlive(dialer);
      expect(poured).toBeGreaterThan(INNER_GARBAGE.length * 10);
      expect(client.stats.drops['datachannel']?.['martian']).toBeGreaterThan(0);
      expect(dialer.stats.drops['martian']).toBeGreaterThan(0);
      expect(dialer.stats.drops['rate-limited']).toBeGreaterThan(0);
    },
  },
  {
    rule: 'D12',
    name: 'inner garbage for a reader of the Duplex, and for one that does not read',
    run: async (scene) => {
      const reading = await scene.up({ protocol: 'tcp' });
      await pour(reading.peer, 800);
      await expectAlive(reading);
      const idle = await scene.meet();
      expect(await idle.started).toBeUndefined();
      await pour(idle.peer, 800);
      idle.client.resume();
      await expectAlive(idle);
    },
  },
  {
    rule: 'D10',
    name: 'bombs: what only a decompressor would open',
    run: async (scene) => {
      for (const [framing, option] of [
        ['stub', 'compress stub'],
        ['stub-v2', 'compress stub-v2'],
        ['comp-lzo-no', 'comp-lzo no'],
      ] as const) {
        const meeting = await scene.up({
          lines: [option],
          push: (honest) => [`${honest.join()},${option}`],
        });
        meeting.peer.useFraming(framing);
        const random = new SeededRandom(10);
        const bomb = Buffer.alloc(1_024);
        await flood({ ms: 400 }, (count) => {
          bomb.writeUInt8(BOMB_HEADS[count % BOMB_HEADS.length] ?? 0, 0);
          bomb.writeUInt8(count % 2 === 0 ? 0xff : random.uint32() & 0xff, 1);
          return meeting.peer.inner(bomb.subarray(0, 1 + (count % bomb.length)));
        });
        await expectAlive(meeting);
        expect(dropsOf(meeting, 'datachannel')['compressed']).toBeGreaterThan(0);
        await meeting.client.close();
      }
    },
  },
  {
    rule: 'S13',
    name: 'inner packets before the push, both ways',
    run: async (scene) => {
      const honest: string[] = [];
      let dataOut = 0;
      const countData = (packet: Uint8Array) => {
        if (isData(opcodeOf(packet[0] ?? 0))) dataOut += 1;
      };
      const meeting = await scene.meet({
        client: { tracer: { datagramOut: countData } },
        push: (texts) => {
          honest.push(...texts);
          return [];
        },
      });
      const received: Buffer[] = [];
      meeting.client.on('data', (packet) => received.push(packet));
      const early = ipv4(17, SERVER_ADDRESS, CLIENT_ADDRESS, Buffer.alloc(40));
      meeting.client.write(echoRequest(CLIENT_ADDRESS, SERVER_ADDRESS, EARLY_SEQUENCE));
      await flood({ ms: 500, perSecond: 4_000 }, () => meeting.peer.inner(early));
      expect(received).toEqual([]);
      expect(meeting.client.state).toBe('negotiating');
      expect(meeting.peer.packetsIn).toBe(0);
      expect(dataOut).toBe(0);
      for (const text of honest) meeting.peer.say(text);
      expect(await meeting.started).toBeUndefined();
      await expectAlive(meeting);
      expect(meeting.peer.packetsIn).toBeGreaterThanOrEqual(2);
      expect(dataOut).toBeGreaterThanOrEqual(2);
    },
  },
];
