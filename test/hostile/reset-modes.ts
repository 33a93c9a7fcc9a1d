import { expect } from 'vitest';
import { NO_SESSION_ID } from '../../src/model/ids.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import type { HostileMode } from './mode.ts';
import { flood } from './pace.ts';
import { expectAlive, expectEnded, expectRekey } from './scene.ts';

const RESETS_PER_SECOND = 10_000;
const ALL_KEY_IDS = 8;

function controlPacket(opcode: Opcode, keyId: number, packetId: number): ControlPacket {
  const packet = new ControlPacket(opcode, keyId, NO_SESSION_ID);
  packet.packetId = packetId;
  return packet;
}

export const RESET_MODES: readonly HostileMode[] = [
  {
    rule: 'S08',
    name: '10,000 SOFT_RESETs a second, of all key ids',
    less: '2 s of 30 s',
    run: async (scene) => {
      const meeting = await scene.up({ lines: ['hand-window 3'] });
      const sent = await flood({ ms: 2_000, perSecond: RESETS_PER_SECOND }, (count) =>
        meeting.peer.control(
          controlPacket(Opcode.P_CONTROL_SOFT_RESET_V1, count % ALL_KEY_IDS, count % 3),
        ),
      );
      expect(sent).toBeGreaterThan(100);
      expect(meeting.renegotiations).toEqual([1]);
      await expectEnded(meeting, ['OVPN_HANDSHAKE_TIMEOUT']);
    },
  },
  {
    rule: 'S08',
    name: 'complete renegotiations, each asked for at once after the last',
    less: '2.5 s of 30 s',
    run: async (scene) => {
      const meeting = await scene.up();
      await flood({ ms: 2_500 }, () => meeting.peer.renegotiate());
      expect(meeting.renegotiations.length).toBeGreaterThan(1);
      expect(meeting.renegotiations.length).toBeLessThanOrEqual(3);
      await expectAlive(meeting);
    },
  },
  {
    rule: 'S05',
    name: 'HARD_RESETs of every kind in a session that is up',
    run: async (scene) => {
      const meeting = await scene.up();
      const opcodes = [1, 2, 7, 8, 10, 11] as Opcode[];
      await flood({ ms: 800, perSecond: RESETS_PER_SECOND }, (count) => {
        const opcode = opcodes[count % opcodes.length] ?? 8;
        return meeting.peer.control(controlPacket(opcode, 0, count % 4));
      });
      await expectAlive(meeting);
      expect(meeting.renegotiations).toEqual([]);
      await expectRekey(meeting);
    },
  },
  {
    rule: 'S06',
    name: 'acknowledgements of what was never sent, of nobody, and too many',
    run: async (scene) => {
      const meeting = await scene.up();
      const random = new SeededRandom(6);
      await flood({ ms: 800, perSecond: RESETS_PER_SECOND }, (count) => {
        const packet = new ControlPacket(Opcode.P_ACK_V1, count % ALL_KEY_IDS, NO_SESSION_ID);
        packet.ackedPacketIds = Array.from({ length: count % 10 }, () => random.uint32());
        return meeting.peer.control(packet);
      });
      await expectAlive(meeting);
      await expectRekey(meeting);
    },
  },
  {
    rule: 'S06',
    name: 'control packets far ahead, behind, and again',
    run: async (scene) => {
      const meeting = await scene.up();
      const random = new SeededRandom(16);
      await flood({ ms: 800, perSecond: RESETS_PER_SECOND }, (count) => {
        const packet = controlPacket(
          Opcode.P_CONTROL_V1,
          0,
          count % 2 === 0 ? random.uint32() : count % 5,
        );
        packet.payload = random.bytes(1_000);
        return meeting.peer.control(packet);
      });
      await expectAlive(meeting);
    },
  },
  {
    rule: 'S03',
    name: 'garbage in place of TLS, under all message ids',
    run: async (scene) => {
      const meeting = await scene.up();
      const random = new SeededRandom(33);
      await flood({ ms: 5_000, until: () => meeting.downs.length > 0 }, (count) => {
        const packet = controlPacket(Opcode.P_CONTROL_V1, 0, count % 64);
        packet.payload = random.bytes(1 + (random.uint32() % 1_200));
        return meeting.peer.control(packet);
      });
      await expectEnded(meeting, ['OVPN_TLS_FAILED', 'OVPN_PROTOCOL']);
    },
  },
];
