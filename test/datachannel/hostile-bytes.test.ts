import { describe, expect, test } from 'vitest';
import { DROP_NAMES, Drop } from '../../src/core/machine.ts';
import { DataChannel } from '../../src/datachannel/data-channel.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import { awkwardPackets, forEachForgery } from '../packetmuxer/hostile-bytes.ts';
import { type Capture, type CapturedPacket, cipherNamed, readCaptures } from './captures.ts';
import { eventsOf } from './ends.ts';
import { OPTIONS } from './fixtures.ts';

const captures = readCaptures();

/** The packets of one key and direction. */
interface Run {
  readonly capture: Capture;
  readonly dir: 'C' | 'S';
  readonly packets: readonly CapturedPacket[];
}

function runsOf(capture: Capture): Run[] {
  const runs = new Map<string, CapturedPacket[]>();
  for (const packet of capture.packets) {
    const name = `${packet.dir} ${capture.generation(packet)}`;
    runs.set(name, [...(runs.get(name) ?? []), packet]);
  }
  return [...runs.values()].map((packets) => ({
    capture,
    dir: packets[0]?.dir ?? 'C',
    packets,
  }));
}

/** The end to which they were sent, with the recorded key in place. */
function receiverOf({ capture, dir, packets }: Run) {
  const first = packets[0] ?? expect.fail();
  const activity = new LinkActivity(0);
  const channel = new DataChannel({ ...OPTIONS, auth: capture.auth }, activity);
  channel.install(
    {
      keyId: first.key_id,
      role: dir === 'C' ? 'server' : 'client',
      cipher: cipherNamed(capture.cipherName),
      peerId: first.peer_id ?? undefined,
      epoch: capture.isEpoch,
      material: capture.key2(first),
      startedAt: 0,
    },
    0,
  );
  return { channel, activity };
}

/** An HMAC does not cover the peer id, which selects nothing in a session. */
function isUncovered({ cipherName }: Capture, { op }: CapturedPacket, at: number): boolean {
  return cipherName.endsWith('-CBC') && op === 'DATA_V2' && at >= 1 && at <= 3;
}

describe('every truncation, extension and changed byte of every recorded data packet', () => {
  test.each(captures)('$name: is dropped, and the packet itself is taken once', (capture) => {
    for (const run of runsOf(capture)) {
      const { channel, activity } = receiverOf(run);
      let now = 0;
      for (const recorded of run.packets) {
        const packet = Buffer.from(recorded.hex, 'hex');
        const surprises: string[] = [];
        const before = now;
        now += 1;
        forEachForgery(packet, (forged, how, at) => {
          if (how === 'changed' && isUncovered(capture, recorded, at)) return;
          const opened = channel.open(forged, now);
          if (!REFUSALS.has(opened)) surprises.push(`${how} at ${at}: ${describeOpened(opened)}`);
        });
        expect(surprises).toEqual([]);
        expect(activity.receivedAt).toBe(before);
        channel.open(packet, now);
        expect(activity.receivedAt).toBe(now);
        expect(channel.open(packet, now)).toBe(Drop.REPLAY);
      }
    }
  });
});

describe('every opcode and key id, in awkward lengths', () => {
  test.each(oneOfEachFormat())('$cipherName, epochs $isEpoch: is dropped', (capture) => {
    const run = runsOf(capture)[0] ?? expect.fail();
    const { channel, activity } = receiverOf(run);
    for (const packet of awkwardPackets()) {
      const opened = channel.open(packet, 5);
      if (!REFUSALS.has(opened)) expect.fail(`${packet.length} bytes: ${describeOpened(opened)}`);
    }
    channel.endOfBatch();
    expect(activity.receivedAt).toBe(0);
    expect(eventsOf(channel)).toEqual([]);
    const genuine = Buffer.from(run.packets[0]?.hex ?? '', 'hex');
    channel.open(genuine, 6);
    expect(activity.receivedAt).toBe(6);
  });
});

/** Why bytes are refused that do not prove authentic. */
const REFUSALS: ReadonlySet<Buffer | Drop> = new Set<Drop>([
  Drop.MALFORMED,
  Drop.BAD_OPCODE,
  Drop.BAD_AUTH,
  Drop.UNKNOWN_KEY,
]);

/** One capture of each format. */
function oneOfEachFormat(): Capture[] {
  const byFormat = captures.map((one) => [`${one.cipherName} ${one.isEpoch}`, one] as const);
  return [...new Map(byFormat).values()];
}

function describeOpened(opened: Buffer | Drop): string {
  return typeof opened === 'number' ? (DROP_NAMES[opened] ?? '') : 'opened';
}
