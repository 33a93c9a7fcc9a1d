import { createSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';
import { expect } from 'vitest';
import { Opcode } from '../../src/model/opcode.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { dropsOf, sumOf } from './drops.ts';
import { CLIENT_ADDRESS, ipv4, SERVER_ADDRESS } from './inner-packets.ts';
import type { HostileMode } from './mode.ts';
import { flood } from './pace.ts';
import { expectAlive, expectEnded, type Meeting, type Scene } from './scene.ts';

const LONGEST_DATAGRAM = 65_507;

/** What comes on the wire, and is not authentic. */
export const OUTER_MODES: readonly HostileMode[] = [
  {
    rule: 'S14',
    name: 'datagrams of another source',
    less: '100,000 of 1,000,000',
    run: async (scene) => {
      const meeting = await scene.up();
      const stranger = createSocket('udp4');
      const { remoteAddress, remotePort, localPort = 0 } = meeting.client;
      const before = { ...meeting.client.stats };
      const authentic = meeting.peer.seal(
        ipv4(17, SERVER_ADDRESS, CLIENT_ADDRESS, Buffer.alloc(9)),
      );
      const kinds = [authentic, Buffer.of(0x40), Buffer.alloc(60, 0x48)];
      let waiting = 0;
      await flood({ ms: 8_000, times: 100_000 }, (count) => {
        if (waiting > 256) return false;
        waiting += 1;
        stranger.send(kinds[count % kinds.length] ?? authentic, localPort, '127.0.0.1', () => {
          waiting -= 1;
        });
        return true;
      });
      stranger.close();
      const { linkBytesIn, drops } = meeting.client.stats;
      expect({ linkBytesIn, drops }).toEqual({
        linkBytesIn: before.linkBytesIn,
        drops: before.drops,
      });
      expect(meeting.client).toMatchObject({ remoteAddress, remotePort });
      await expectAlive(meeting);
    },
  },
  ...[false, true].map((epoch) => ({
    rule: 'D01',
    name: epoch ? 'forged data packets of any epoch' : 'forged data packets',
    less: 'as many as go in 2 s of 1,000,000',
    run: async (scene: Scene) => {
      const meeting = await scene.up({ epoch, lines: ['ping-restart 2'] });
      const forged = meeting.peer.seal(ipv4(17, SERVER_ADDRESS, CLIENT_ADDRESS, Buffer.alloc(64)));
      const random = new SeededRandom(1);
      const { packetsIn } = meeting.client.stats;
      await flood({ ms: 10_000, until: () => meeting.downs.length > 0 }, (count) => {
        const packet = Buffer.from(forged);
        packet.writeUInt16BE(count % 64, 4);
        packet.writeUInt16BE(random.uint32() & 0xffff, 6 + (random.uint32() % (packet.length - 8)));
        return meeting.peer.outer(packet);
      });
      // What is forged is no sign of life: it ends while they still come.
      expect(meeting.downs).toHaveLength(1);
      await expectEnded(meeting, ['OVPN_PING_TIMEOUT']);
      expect(meeting.client.stats.packetsIn).toBe(packetsIn);
      expect(sumOf(dropsOf(meeting, 'datachannel'))).toBeGreaterThan(100);
    },
  })),
  {
    rule: 'D04',
    name: 'the same data packet again and again, and ids far ahead',
    run: async (scene) => {
      const meeting = await scene.up();
      const again = meeting.peer.seal(ipv4(17, SERVER_ADDRESS, CLIENT_ADDRESS, Buffer.alloc(64)));
      const { packetsIn } = meeting.client.stats;
      await flood({ ms: 500 }, () => meeting.peer.outer(again));
      await expectAlive(meeting);
      expect(meeting.client.stats.packetsIn - packetsIn).toBeLessThan(20);
      expect(dropsOf(meeting, 'datachannel')['replay']).toBeGreaterThan(100);
    },
  },
  {
    rule: 'S03',
    name: 'all opcodes and key ids, from 0 to 65,507 bytes',
    run: async (scene) => {
      for (const wrap of ['none', 'tls-crypt'] as const) {
        const meeting = await scene.up({ wrap });
        const random = new SeededRandom(3);
        const sizes = [
          0,
          1,
          2,
          8,
          9,
          10,
          13,
          14,
          22,
          25,
          53,
          54,
          100,
          1_249,
          2_125,
          2_126,
          9_000,
          LONGEST_DATAGRAM,
        ];
        await flood({ ms: 3_000, times: 256 * sizes.length }, (count) => {
          const packet = random.bytes(Math.min(sizes[count >> 8] ?? 0, 3_000));
          const datagram = Buffer.concat([
            packet,
            Buffer.alloc((sizes[count >> 8] ?? 0) - packet.length),
          ]);
          if (datagram.length > 0) datagram.writeUInt8(count & 0xff, 0);
          return meeting.peer.outer(datagram);
        });
        await expectAlive(meeting);
        expect(sumOf(dropsOf(meeting, 'packetmuxer'))).toBeGreaterThan(100);
      }
    },
  },
  {
    rule: 'S15',
    name: 'packets of key method 1',
    run: async (scene) => {
      const meeting = await scene.up();
      await flood({ ms: 200, times: 400 }, (count) => {
        const opcode =
          count % 2 === 0
            ? Opcode.P_CONTROL_HARD_RESET_CLIENT_V1
            : Opcode.P_CONTROL_HARD_RESET_SERVER_V1;
        return meeting.peer.outer(Buffer.concat([Buffer.of(opcode << 3), Buffer.alloc(21, 7)]));
      });
      await expectAlive(meeting);
      expect(dropsOf(meeting, 'packetmuxer')['bad-opcode']).toBeGreaterThan(100);
    },
  },
  {
    rule: 'S04',
    name: 'frames of every length on a TCP stream',
    run: async (scene) => {
      for (const [length, bytes] of [
        [0, 2],
        [9_257, 60_000],
        [65_535, 70_000],
      ] as const) {
        await withRelay(scene, async (meeting, inject) => {
          const junk = Buffer.alloc(bytes, 0x48);
          junk.writeUInt16BE(length, 0);
          inject(junk);
          await expectEnded(meeting, ['OVPN_PROTOCOL', 'OVPN_LINK_CLOSED', 'OVPN_LINK_FAILED']);
        });
      }
      await withRelay(scene, async (meeting, inject) => {
        for (let count = 0; count < 2_000; count += 1) inject(Buffer.of(0, 2, 0x4f, count & 0xff));
        await expectAlive(meeting);
        inject(Buffer.of(0x24));
        meeting.peer.say('INFO,behind half a frame');
      });
    },
  },
];

/** A client whose TCP connection runs through a relay that can put bytes of its own in between. */
async function withRelay(
  scene: Scene,
  attack: (meeting: Meeting, inject: (bytes: Buffer) => void) => Promise<void>,
): Promise<void> {
  let serverPort = 0;
  let toClient: Socket | undefined;
  const relay = createServer((socket) => {
    toClient = socket;
    const onward = connect(serverPort, '127.0.0.1');
    for (const end of [socket, onward]) end.on('error', () => {});
    socket.pipe(onward).pipe(socket);
    socket.on('close', () => onward.destroy());
  });
  await new Promise<void>((resolve) => {
    relay.listen(0, '127.0.0.1', resolve);
  });
  try {
    const address = relay.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const meeting = await scene.up({
      protocol: 'tcp',
      client: {
        transport: ({ port }) => {
          serverPort = port;
          return connect(address.port, '127.0.0.1');
        },
      },
    });
    await attack(meeting, (bytes) => toClient?.write(bytes));
  } finally {
    await scene.close();
    relay.close();
  }
}
