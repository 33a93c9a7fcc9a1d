import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { payloadFormat } from '../../src/datachannel/payload-codec.ts';
import { DATA_CIPHERS } from '../../src/model/ciphers.ts';
import { connectedPair, type End, eventsOf } from './ends.ts';
import { ipv4Packet } from './fixtures.ts';

/** `fragment 1200` in each packet format. */
const FORMATS = [
  { name: 'AES-256-GCM', auth: 'SHA1', peerId: 7, epoch: false },
  { name: 'AES-256-GCM', auth: 'SHA1', peerId: undefined, epoch: false },
  { name: 'AES-256-GCM', auth: 'SHA1', peerId: 7, epoch: true },
  { name: 'AES-256-CBC', auth: 'SHA512', peerId: 7, epoch: false },
] as const;

function pairOf({ name, auth, peerId, epoch }: (typeof FORMATS)[number]) {
  const cipher = DATA_CIPHERS.get(name) ?? expect.fail();
  const pair = connectedPair({ auth }, {}, { cipher, peerId, epoch });
  const packets = { cipher, auth, peerId, epoch, framing: 'stub', fragmentBytes: 1200 } as const;
  for (const { channel } of [pair.client, pair.server]) {
    channel.useFormat(payloadFormat(packets, 1500));
  }
  return pair;
}

/** The outer packets of one IP packet. */
function allParts({ channel }: End, packet: Buffer): Buffer[] {
  const first = channel.seal(packet, 0);
  if (typeof first === 'number') return expect.fail(`dropped: ${first}`);
  const parts = [first];
  while (channel.hasParts) parts.push(channel.takeMessage(0) ?? expect.fail());
  return parts;
}

describe('DataChannel with fragment', () => {
  test.each(FORMATS)('$name, $peerId, $epoch: no outer packet is longer', (format) => {
    const { client, server } = pairOf(format);
    for (const length of [20, 1000, 1200, 1499, 1500]) {
      const packet = ipv4Packet(length, 3);
      const parts = allParts(client, packet);
      for (const part of parts) expect(part.length).toBeLessThanOrEqual(1200);
      expect(parts).toHaveLength(length <= 1000 ? 1 : 2);
      const opened = parts.map((part) => server.channel.open(part, 0));
      expect(opened.pop()).toEqual(packet);
      for (const drop of opened) expect(drop).toBe(Drop.NONE);
    }
  });

  test('pings and exits go through it as well', () => {
    const { client, server } = pairOf(FORMATS[0]);
    client.channel.configure({ pingMs: 1000, pingRestartMs: 0, pingExitMs: 0 });
    client.channel.onTimeout(1000);
    const ping = client.channel.takeMessage(1000) ?? expect.fail();
    expect(ping).toHaveLength(24 + 4 + 1 + 16);
    expect(server.channel.open(ping, 1000)).toBe(Drop.NONE);
    client.channel.sendExit();
    const exit = client.channel.takeMessage(1000) ?? expect.fail();
    expect(server.channel.open(exit, 1000)).toBe(Drop.NONE);
    expect(eventsOf(server.channel)).toEqual([{ kind: 'peer-exit' }]);
  });

  test('a part proves that the peer is there, a packet that is cut off does not arrive', () => {
    const { client, server } = pairOf(FORMATS[0]);
    const [first] = allParts(client, ipv4Packet(1500));
    expect(server.channel.open(first ?? expect.fail(), 500)).toBe(Drop.NONE);
    expect(server.activity.receivedAt).toBe(500);
  });

  test('a peer without fragment: its packets are refused', () => {
    const { client, server } = connectedPair();
    const cipher = DATA_CIPHERS.get('AES-256-GCM') ?? expect.fail();
    const packets = { cipher, auth: 'SHA1', peerId: 7, epoch: false, framing: 'none' } as const;
    server.channel.useFormat(payloadFormat({ ...packets, fragmentBytes: 1200 }, 1500));
    const [plain] = allParts(client, ipv4Packet(60));
    expect(server.channel.open(plain ?? expect.fail(), 0)).toBe(Drop.MALFORMED);
  });
});
