import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { TunSocket } from '../../src/dialer/tun-socket.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import type { HostilePeer } from './hostile-peer.ts';
import { SERVER_ADDRESS, tcpSegment } from './inner-packets.ts';
import type { HostileMode } from './mode.ts';
import { flood, within } from './pace.ts';
import { expectDialerAlive } from './scene.ts';

const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;
const IPV4_HEADER = 20;

/** A segment of the client, as far as an answer needs it. */
interface Heard {
  readonly port: number;
  readonly toPort: number;
  readonly sequence: number;
  readonly flags: number;
  readonly bytes: number;
}

function tcpOf(packet: Buffer): Heard | undefined {
  if (packet[0] !== 0x45 || packet[9] !== 6 || packet.length < 40) return undefined;
  const offset = (packet.readUInt8(IPV4_HEADER + 12) >>> 4) << 2;
  return {
    port: packet.readUInt16BE(IPV4_HEADER),
    toPort: packet.readUInt16BE(IPV4_HEADER + 2),
    sequence: packet.readUInt32BE(IPV4_HEADER + 4),
    flags: packet.readUInt8(IPV4_HEADER + 13),
    bytes: packet.length - IPV4_HEADER - offset,
  };
}

type Reply = { sequence?: number; acknowledgment?: number; flags?: number; window?: number };

/** Answers every SYN, and all that follows as `answer` says. */
function play(peer: HostilePeer, answer: (heard: Heard) => readonly Reply[]): void {
  peer.onPacket = (packet) => {
    const heard = tcpOf(packet);
    if (heard === undefined || (heard.flags & RST) !== 0) return;
    const ports = { port: heard.toPort, toPort: heard.port };
    const opens = (heard.flags & SYN) !== 0;
    const replies: readonly Reply[] = opens
      ? [{ acknowledgment: heard.sequence + 1, flags: SYN | ACK, window: 0xffff }]
      : answer(heard);
    for (const reply of replies) {
      peer.inner(tcpSegment(ports, { sequence: opens ? 0 : 1, flags: ACK, ...reply }));
    }
  };
}

export const TCP_MODES: readonly HostileMode[] = [
  {
    rule: 'P05',
    name: 'a window that closes for ever, on 200 connections',
    less: '200 of 1,000 flows, 1 s',
    run: async (scene) => {
      const { peer, dialer } = await scene.dialing();
      play(peer, ({ sequence, bytes }) => [
        { acknowledgment: sequence + (bytes > 1 ? 0 : bytes), window: 0 },
      ]);
      const sockets: TunSocket[] = [];
      await flood({ ms: 5_000, times: 200, perSecond: 400 }, (count) => {
        const socket = dialer.connect({ host: SERVER_ADDRESS, port: 1_000 + count });
        socket.on('error', () => {});
        socket.on('connect', () => socket.write(Buffer.alloc(64 * 1024)));
        return sockets.push(socket) > 0;
      });
      await sleep(1_000);
      expect(sockets.filter(({ readyState }) => readyState === 'open').length).toBeGreaterThan(100);
      for (const socket of sockets) socket.destroy();
      await expectDialerAlive(dialer);
    },
  },
  {
    rule: 'P07',
    name: 'acknowledgements of what was not sent yet, and of a byte at a time',
    run: async (scene) => {
      const { peer, dialer } = await scene.dialing();
      play(peer, ({ sequence, bytes }) => [
        { acknowledgment: sequence + bytes + 1_000_000 },
        ...Array.from({ length: Math.min(bytes, 10) }, (_, index) => ({
          acknowledgment: sequence + index + 1,
        })),
        { acknowledgment: sequence + bytes },
      ]);
      const socket = dialer.connect({ host: SERVER_ADDRESS, port: 80 });
      socket.on('error', () => {});
      const written = new Promise<true>((resolve) => {
        socket.write(Buffer.alloc(128 * 1024), () => resolve(true));
      });
      await within(written, 1_500);
      socket.destroy();
      await expectDialerAlive(dialer);
    },
  },
  {
    rule: 'P08',
    name: 'a flood of SYNs',
    run: async (scene) => {
      const { peer, dialer } = await scene.dialing();
      let accepted = 0;
      dialer.listen({ port: 80 }, (socket) => {
        accepted += 1;
        socket.on('error', () => {});
      });
      const random = new SeededRandom(8);
      await flood({ ms: 1_500, perSecond: 10_000 }, () => {
        const from = `10.8.${random.uint32() & 0x7f}.${1 + (random.uint32() % 250)}`;
        const port = random.uint32() & 0xffff;
        return peer.inner(tcpSegment({ from, port }, { sequence: random.uint32(), flags: SYN }));
      });
      expect(accepted).toBe(0);
      expect(dialer.stats.tcpFlows).toBeLessThan(2_000);
      await expectDialerAlive(dialer);
    },
  },
  {
    rule: 'P01',
    name: 'RST, SYN and data in every place of a connection',
    run: async (scene) => {
      const { peer, dialer } = await scene.dialing();
      let client: Heard | undefined;
      play(peer, (heard) => {
        client = heard;
        return [{ acknowledgment: heard.sequence + heard.bytes }];
      });
      const socket = await dialer.dial('tcp', `${SERVER_ADDRESS}:80`);
      const closed = new Promise<Error | undefined>((resolve) => {
        socket.on('error', resolve);
        socket.on('close', () => resolve(undefined));
      });
      socket.write('hello');
      const random = new SeededRandom(1);
      await flood({ ms: 1_000 }, (count) => {
        if (client === undefined) return false;
        const ports = { port: 80, toPort: client.port };
        const flags = [RST, SYN, RST | ACK, SYN | ACK, 0][count % 5] ?? RST;
        const sequence = 2 + (random.uint32() % 60_000);
        return peer.inner(tcpSegment(ports, { sequence, acknowledgment: random.uint32(), flags }));
      });
      expect(await within(closed, 50)).toBe('too late');
      socket.destroy();
      await expectDialerAlive(dialer);
    },
  },
];
