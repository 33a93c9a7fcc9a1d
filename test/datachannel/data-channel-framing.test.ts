import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { EXIT, PING } from '../../src/datachannel/in-band-message.ts';
import type { CompressionFraming } from '../../src/model/push-options.ts';
import { readCapture, readUnitVectors } from './captures.ts';
import { connectedPair, endOf, eventsOf, rawSealer, sealed } from './ends.ts';
import { ipv4Packet, ipv6Packet, negotiated } from './fixtures.ts';
import { framed } from './formats.ts';

const KINDS: readonly CompressionFraming[] = ['none', 'comp-lzo-no', 'stub', 'stub-v2'];
/** The framing of each capture, and how many of its packets hold no packet or ping for us. */
const CAPTURES: readonly { name: string; kind: CompressionFraming; drops: Drop[] }[] = [
  { name: '60-comp-lzo-no', kind: 'comp-lzo-no', drops: [] },
  { name: '61-compress-empty', kind: 'stub', drops: [] },
  { name: '62-compress-stubv2', kind: 'stub-v2', drops: [] },
  { name: '63-compress-lz4-yes', kind: 'stub', drops: [Drop.COMPRESSED] },
  { name: '64-compress-lz4v2-yes', kind: 'stub-v2', drops: [Drop.COMPRESSED] },
  // Its test packet begins with 0x50: no IP packet.
  { name: '66-stubv2-escape', kind: 'stub-v2', drops: [Drop.MARTIAN] },
];

interface Frame {
  readonly capture: string;
  readonly decrypted_payload: string;
}

const { compression_frames: frames } = readUnitVectors<{
  readonly compression_frames: readonly Frame[];
}>();

describe('DataChannel.useFormat', () => {
  test.each(KINDS)('%s: IP packets, pings and exits arrive as they were sent', (kind) => {
    const { client, server } = connectedPair();
    for (const { channel } of [client, server]) channel.useFormat(framed(kind));
    client.channel.configure({ pingMs: 1000, pingRestartMs: 0, pingExitMs: 0 });
    for (const packet of [ipv4Packet(60, 3), ipv6Packet(90)]) {
      const before = Buffer.from(packet);
      expect(server.channel.open(sealed(client, packet), 0)).toEqual(before);
      expect(packet).toEqual(before);
    }
    client.channel.onTimeout(1000);
    const ping = client.channel.takeMessage(1000) ?? expect.fail();
    expect(server.channel.open(ping, 1000)).toBe(Drop.NONE);
    client.channel.sendExit();
    const exit = client.channel.takeMessage(1000) ?? expect.fail();
    expect(server.channel.open(exit, 1000)).toBe(Drop.NONE);
    expect(eventsOf(server.channel)).toEqual([{ kind: 'peer-exit' }]);
    expect(PING.toString('hex')).toBe('2a187bf3641eb4cb07ed2d0a981fc748');
    expect(EXIT.length).toBe(17);
  });

  test.each([
    { kind: 'none', first: '45', growth: 24 },
    { kind: 'comp-lzo-no', first: 'fa', growth: 25 },
    { kind: 'stub', first: 'fb', growth: 25 },
    { kind: 'stub-v2', first: '45', growth: 24 },
  ] as const)('$kind: the frame is inside the cipher', ({ kind, first, growth }) => {
    const { client, server } = connectedPair();
    client.channel.useFormat(framed(kind));
    const packet = sealed(client, ipv4Packet(60));
    expect(packet.length).toBe(60 + growth);
    const opened = server.channel.open(packet, 0);
    expect(opened).toEqual(first === '45' ? ipv4Packet(60) : Drop.MARTIAN);
  });

  test.each(CAPTURES)('$name opens as $kind', ({ name, kind, drops }) => {
    const capture = readCapture(name);
    const [client, server] = [endOf('client'), endOf('server')];
    for (const { channel, role } of [client, server]) {
      channel.useFormat(framed(kind));
      const material = capture.key2(capture.packets[0] ?? expect.fail());
      channel.install({ ...negotiated(role, 0), material }, 0);
    }
    const refused = new Set<Drop>();
    let carried = 0;
    for (const { dir, hex } of capture.packets) {
      const { channel, activity } = dir === 'C' ? server : client;
      const opened = channel.open(Buffer.from(hex, 'hex'), 7);
      expect(activity.receivedAt).toBe(7);
      if (typeof opened !== 'number') carried += 1;
      else if (opened !== Drop.NONE) refused.add(opened);
    }
    expect([...refused]).toEqual(drops);
    expect(carried).toBeGreaterThan(3);
  });

  test.each(frames)('a frame of $capture comes out, or is refused as compressed', (frame) => {
    const { kind } = CAPTURES.find(({ name }) => name === frame.capture) ?? expect.fail();
    const payload = Buffer.from(frame.decrypted_payload, 'hex');
    const client = endOf('client');
    client.channel.install(negotiated('client', 0), 0);
    client.channel.useFormat(framed(kind));
    const opened = client.channel.open(rawSealer()(payload), 5);
    expect(opened).toEqual(insideOf(payload));
    expect(client.activity.receivedAt).toBe(5);
  });

  test('a frame that was not agreed on is compressed, or no packet', () => {
    const { client } = connectedPair();
    const raw = rawSealer();
    client.channel.useFormat(framed('stub'));
    expect(client.channel.open(raw(ipv4Packet(40)), 0)).toBe(Drop.COMPRESSED);
    client.channel.useFormat(framed('comp-lzo-no'));
    expect(client.channel.open(raw(PING), 0)).toBe(Drop.COMPRESSED);
    client.channel.useFormat(framed('none'));
    expect(client.channel.open(raw(Buffer.of(0xfa, ...ipv4Packet(40))), 0)).toBe(Drop.MARTIAN);
  });

  test('an empty frame is no packet', () => {
    const { client } = connectedPair({}, {}, { peerId: 0 });
    client.channel.useFormat(framed('stub-v2'));
    const raw = rawSealer();
    expect(client.channel.open(raw(Buffer.of(0x50, 0)), 0)).toBe(Drop.MALFORMED);
    expect(client.channel.open(raw(Buffer.of(0x50)), 0)).toBe(Drop.MALFORMED);
  });

  test('nothing is looked at before it is authentic', () => {
    const { client, server } = connectedPair();
    for (const { channel } of [client, server]) channel.useFormat(framed('stub'));
    const packet = sealed(server, ipv4Packet(40));
    packet.writeUInt8(packet.readUInt8(30) ^ 1, 30);
    expect(client.channel.open(packet, 5)).toBe(Drop.BAD_AUTH);
    expect(client.activity.receivedAt).toBe(0);
  });
});

/** What a recorded frame holds: found out by hand. */
function insideOf(frame: Buffer): Buffer | Drop {
  const first = frame.readUInt8(0);
  const swapped = Buffer.concat([frame.subarray(-1), frame.subarray(1, -1)]);
  if (first === 0x69 || frame.readUInt16BE(0) === 0x5001) return Drop.COMPRESSED;
  if (first === 0x50) return Drop.MARTIAN;
  const inside = first === 0xfa ? frame.subarray(1) : first === 0xfb ? swapped : frame;
  return inside.equals(PING) ? Drop.NONE : inside;
}
