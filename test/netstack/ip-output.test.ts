import { describe, expect, test } from 'vitest';
import { Channel } from '../../src/core/channel.ts';
import { IpProtocol } from '../../src/netstack/ip-header.ts';
import { allocatePacket, IpOutput } from '../../src/netstack/ip-output.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { cut, ENDS, headerOf } from './fragments.ts';

describe.each([{ family: 4 }, { family: 6 }] as const)('IpOutput of IPv$family', ({ family }) => {
  const headerBytes = family === 4 ? 20 : 40;

  test('what fits goes whole', () => {
    const packets = cut(family, Buffer.alloc(1500 - headerBytes, 7), 1500);
    expect(packets.map(({ length }) => length)).toEqual([1500]);
    expect(headerOf(packets[0] ?? Buffer.alloc(0)).fragment).toBe(false);
  });

  test('one byte more goes in two fragments of one identification', () => {
    const packets = cut(family, Buffer.alloc(1501 - headerBytes, 7), 1500).map(headerOf);
    expect(
      packets.map(({ fragmentOffset, moreFragments }) => [fragmentOffset, moreFragments]),
    ).toEqual([
      [0, true],
      [family === 4 ? 1480 : 1448, false],
    ]);
    expect(packets[0]?.identification).toBe(packets[1]?.identification);
  });

  test('says how many packets it makes', () => {
    const output = new IpOutput(576, new SeededRandom(1));
    for (let payload = 0; payload < 5000; payload += 13) {
      const expected = cut(family, Buffer.alloc(payload), 576).length;
      expect(output.packetsFor(ENDS[family].destination, headerBytes + payload)).toBe(expected);
    }
  });

  test('places all fragments or none', () => {
    const output = new IpOutput(576, new SeededRandom(1));
    const queue = new Channel<Buffer>('packets', 4);
    const { source, destination } = ENDS[family];
    const send = (payload: number) =>
      output.send(allocatePacket(family, payload), IpProtocol.UDP, source, destination, queue);
    expect(send(1000)).toBe(true);
    expect(queue.size).toBe(2);
    expect(send(1500)).toBe(false);
    expect(queue.size).toBe(2);
    expect(send(1000)).toBe(true);
    expect(send(1)).toBe(false);
  });

  test('what nobody may cut goes whole, with the hop limit that was asked for', () => {
    // The known path is narrower; the tunnel itself is not.
    const output = new IpOutput(1500, new SeededRandom(1), () => 576);
    const queue = new Channel<Buffer>('packets', 4);
    const { source, destination } = ENDS[family];
    const carriage = { hopLimit: 5, fragments: 'forbidden' } as const;
    const tooLong = allocatePacket(family, 1501 - headerBytes);
    expect(output.send(tooLong, 17, source, destination, queue, carriage)).toBe(false);
    const packet = allocatePacket(family, 1000);
    output.send(packet, IpProtocol.UDP, source, destination, queue, carriage);
    const sent = queue.take() ?? Buffer.alloc(0);
    expect(queue.size).toBe(0);
    expect(headerOf(sent)).toMatchObject({ fragment: false, hopLimit: 5, payloadLength: 1000 });
    // Don't Fragment, and no identification (RFC 6864 §4.1).
    if (family === 4) expect(sent.subarray(4, 8).toString('hex')).toBe('00004000');
  });

  test('cuts to the path of each destination', () => {
    const { source, destination } = ENDS[family];
    const output = new IpOutput(1500, new SeededRandom(1), (to) =>
      to.equals(destination) ? 1300 : 1500,
    );
    const queue = new Channel<Buffer>('packets', 4);
    const lengths = (to: typeof destination) => {
      const packet = allocatePacket(family, 1400);
      output.send(packet, IpProtocol.UDP, source, to, queue, {
        hopLimit: 9,
        fragments: 'allowed',
      });
      const sent: Buffer[] = [];
      for (let next = queue.take(); next !== undefined; next = queue.take()) sent.push(next);
      expect(new Set(sent.map((one) => headerOf(one).hopLimit))).toEqual(new Set([9]));
      return sent.map(({ length }) => length <= 1300);
    };
    expect(lengths(destination)).toEqual([true, true]);
    expect(lengths(source)).toEqual([false]);
  });

  test('identifications of fragmented datagrams do not repeat', () => {
    const output = new IpOutput(576, new SeededRandom(9));
    const { source, destination } = ENDS[family];
    const seen = new Set<number>();
    for (let sent = 0; sent < 5000; sent += 1) {
      const queue = new Channel<Buffer>('packets', 4);
      output.send(allocatePacket(family, 600), IpProtocol.UDP, source, destination, queue);
      seen.add(headerOf(queue.take() ?? Buffer.alloc(0)).identification);
    }
    expect(seen.size).toBe(5000);
  });
});
