import { describe, expect, test } from 'vitest';
import { ControlChannel, SOFT_RESET_REST_MS } from '../../src/controlchannel/control-channel.ts';
import { ControlChannelService } from '../../src/controlchannel/service.ts';
import { Channel } from '../../src/core/channel.ts';
import { Pump } from '../../src/core/pump.ts';
import { nextKeyId, type Role } from '../../src/model/ids.ts';
import type { ControlPacket } from '../../src/model/packet.ts';
import type { TlsChunk } from '../../src/model/tls-chunk.ts';
import { ReliableService } from '../../src/reliable/service.ts';
import { notationOf } from '../sim/packet-notation.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

/** Messages that each end writes and reads before it holds a key for established. */
const MESSAGES = 4;

/** One end: both layers in a pump, and above them a negotiation that is some messages each way. */
class End {
  readonly machine = new ControlChannel();
  readonly sent: string[] = [];
  readonly established: number[] = [];
  readonly errors: unknown[] = [];
  readonly muxerToReliable: Channel<ControlPacket>;
  readonly #rekeyDue: Channel<string>;

  constructor(role: Role, clock: VirtualClock, send: (packet: ControlPacket) => void) {
    const pump = new Pump(clock, (error) => this.errors.push(error));
    const channel = <T>(name: string, slots: number): Channel<T> => {
      const made = new Channel<T>(name, slots, pump.arm);
      made.onRoom = pump.arm;
      return made;
    };
    const ports = {
      muxerToReliable: channel<ControlPacket>('muxerToReliable', 16),
      reliableToMuxer: channel<ControlPacket>('reliableToMuxer', 16),
      reliableToControl: channel<ControlPacket>('reliableToControl', 16),
      controlToReliable: channel<ControlPacket>('controlToReliable', 16),
      controlToTls: channel<TlsChunk>('controlToTls', 16),
      tlsToControl: channel<TlsChunk>('tlsToControl', 16),
      softReset: channel<number>('softReset', 2),
      keyEstablished: channel<number>('keyEstablished', 2),
      rekeyDue: channel<string>('rekeyDue', 2),
    };
    this.muxerToReliable = ports.muxerToReliable;
    this.#rekeyDue = ports.rekeyDue;
    pump.add({
      name: 'link',
      moveDownWorker: () => {
        const packet = ports.reliableToMuxer.take();
        if (packet === undefined) return false;
        this.sent.push(notationOf(packet));
        send(packet);
        return true;
      },
    });
    const acceptsSoftReset = (keyId: number) => this.machine.acceptsSoftReset(keyId);
    const reliable = { role, tlsTimeoutMs: 500, ackV1Limit: 8, acceptsSoftReset };
    pump.add(new ReliableService(reliable, ports));
    pump.add(new ControlChannelService(this.machine, ports));
    let toRead = 0;
    pump.add({
      name: 'negotiation',
      moveUpWorker: () => {
        const begun = ports.softReset.take();
        if (begun !== undefined) {
          toRead = MESSAGES;
          for (let at = 0; at < MESSAGES; at += 1) {
            ports.tlsToControl.push({ keyId: begun, bytes: Buffer.from(`message ${at}`) });
          }
        }
        const chunk = ports.controlToTls.take();
        if (chunk !== undefined) {
          toRead -= 1;
          if (toRead === 0) {
            this.established.push(chunk.keyId);
            ports.keyEstablished.push(chunk.keyId);
          }
        }
        return begun !== undefined || chunk !== undefined;
      },
    });
    this.machine.keyEstablished(0, clock.now());
  }

  rekey(): void {
    this.#rekeyDue.push('test');
  }
}

/** Client and server, 10 ms apart, over a link that loses and repeats. */
function pair({ lossPercent = 0, seed = 1 } = {}) {
  const clock = new VirtualClock();
  const random = new SeededRandom(seed);
  const deliver = (to: () => End) => (packet: ControlPacket) => {
    if (random.chance(lossPercent)) return;
    const copies = random.chance(lossPercent) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const delay = 10 + (lossPercent > 0 ? random.fraction() * 10 : 0);
      clock.setTimer(clock.now() + delay, () => to().muxerToReliable.push(packet));
    }
  };
  const client: End = new End(
    'client',
    clock,
    deliver(() => server),
  );
  const server: End = new End(
    'server',
    clock,
    deliver(() => client),
  );
  return { clock, client, server };
}

describe('soft resets between two ends', () => {
  test.each(['client', 'server'] as const)('the %s begins: reset, answer, messages', (who) => {
    const { clock, client, server } = pair();
    const [first, second] = who === 'client' ? [client, server] : [server, client];
    first.rekey();
    clock.advance(100);
    expect(first.sent[0]).toBe('[0] SOFT_RESET_V1 key:1');
    expect(second.sent[0]).toBe('[0] SOFT_RESET_V1 key:1 (ack:0)');
    expect(second.sent[1]).toBe('[1] CONTROL_V1 key:1 (ack:0)');
    expect([client.established, server.established]).toEqual([[1], [1]]);
    expect([client.machine.activeKeyId, server.machine.activeKeyId]).toEqual([1, 1]);
  });

  test('both begin at once: each takes the other for the answer, nobody sends a second', () => {
    const { clock, client, server } = pair();
    client.rekey();
    server.rekey();
    clock.advance(100);
    for (const { sent, established } of [client, server]) {
      expect(sent.filter((packet) => packet.includes('SOFT_RESET'))).toEqual([
        '[0] SOFT_RESET_V1 key:1',
      ]);
      expect(established).toEqual([1]);
    }
  });

  test('the reset of one arrives in the very turn in which the other begins', () => {
    const { clock, client, server } = pair();
    client.rekey();
    clock.advance(9.5);
    clock.setTimer(10, () => server.rekey());
    clock.advance(100);
    expect([client.established, server.established]).toEqual([[1], [1]]);
    expect(server.sent.filter((packet) => packet.includes('SOFT_RESET'))).toHaveLength(1);
  });

  test('fifteen in a row count the key ids 1 … 7, 1 … 7, 1', () => {
    const { clock, client, server } = pair();
    for (let round = 0; round < 15; round += 1) {
      (round % 2 === 0 ? client : server).rekey();
      clock.advance(SOFT_RESET_REST_MS + 50);
    }
    const expected = [1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7, 1];
    expect([client.established, server.established]).toEqual([expected, expected]);
  });

  test.each(['client', 'server'] as const)(
    'a peer that asks again and again gets the %s to one handshake a second',
    (who) => {
      const { clock, client, server } = pair();
      const [asked, asking] = who === 'client' ? [client, server] : [server, client];
      for (let at = 0; at < 30_000; at += 10) {
        asking.rekey();
        clock.advance(10);
      }
      expect(asked.established.length).toBeGreaterThan(10);
      expect(asked.established.length).toBeLessThanOrEqual(30);
      expect([...asked.errors, ...asking.errors]).toEqual([]);
    },
  );

  test.each([10, 30])(
    'come to an end under %d %% loss, whoever begins and whenever',
    (lossPercent) => {
      for (let seed = 1; seed <= 100; seed += 1) {
        const { clock, client, server } = pair({ lossPercent, seed });
        const random = new SeededRandom(seed);
        for (let round = 0; round < 8; round += 1) {
          for (const end of [client, server]) {
            if (random.chance(70))
              clock.setTimer(clock.now() + random.fraction() * 40, () => end.rekey());
          }
          clock.advance(55_000);
        }
        expect([...client.errors, ...server.errors]).toEqual([]);
        expect(client.established).toEqual(server.established);
        expect(client.machine.pendingKeyId).toBeUndefined();
        const counted: number[] = [];
        for (const _ of client.established) counted.push(nextKeyId(counted.at(-1) ?? 0));
        expect(client.established).toEqual(counted);
        expect(counted.length).toBeGreaterThan(2);
      }
    },
  );

  test('a peer that is gone ends the session after the window', () => {
    const { clock, client } = pair({ lossPercent: 100 });
    client.rekey();
    clock.advance(59_999);
    expect(client.errors).toEqual([]);
    clock.advance(2);
    expect(client.errors).toMatchObject([{ code: 'OVPN_HANDSHAKE_TIMEOUT' }]);
  });
});
