import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { writeIpv4 } from '../../src/netstack/ipv4.ts';
import { Flag, Segment, sealSegment } from '../../src/netstack/tcp/segment.ts';
import { TcpState } from '../../src/netstack/tcp/state.ts';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { StreamEnd } from '../sim/stream-end.ts';
import { codeOf } from './socket-logs.ts';
import { buildSegment, established, inState, LOCAL_ISN, REMOTE_ISN } from './tcp/scripted-peer.ts';
import { IP_HEADER_BYTES } from './tcp/tcp-pair.ts';
import { serve } from './tcp-ends.ts';

const RIGHT = address('10.8.0.2');
const IP_BYTES = 20;

function parse(packet: Buffer): Segment {
  const segment = new Segment();
  segment.read(packet, IP_BYTES, packet.length - IP_BYTES);
  return segment;
}

describe('TIME-WAIT in the netstack', () => {
  /** A connection from port 5555 that both sides ended, the left one first. */
  function rested(
    filter: (packet: Buffer, from: 'left' | 'right') => Buffer | undefined = (p) => p,
  ) {
    const pair = new NetstackPair({ filter });
    const servers = serve(pair, 80);
    const client = new StreamEnd(100);
    client.start(pair.left.connectTcp(RIGHT, 80, client, { localPort: 5555 }));
    pair.advance(500);
    return { pair, servers, client };
  }

  test('is a record: the flow itself is gone, and its owner reads on', () => {
    const { pair, client } = rested();
    expect(client.closings).toEqual([undefined]);
    expect(client.connection?.state).toBe(TcpState.TIME_WAIT);
    expect(client.connection?.info().segmentsSent).toBeGreaterThan(2);
    expect(pair.left.stats().tcpFlows).toBe(1);
    client.connection?.abort();
    client.connection?.setNoDelay(true);
    pair.advance(1);
    expect(pair.left.stats().tcpFlows).toBe(1);
    pair.advance(60_000);
    expect(pair.left.stats().tcpFlows).toBe(0);
  });

  test('acknowledges the FIN again when that was lost', () => {
    let first: number | undefined;
    let dropped = 0;
    const pair = new NetstackPair({
      filter: (packet, from) => {
        if (from === 'right') return packet;
        const { flags, payloadLength, sequence } = parse(packet);
        first ??= sequence;
        // Behind SYN, 100 bytes and FIN: the acknowledgement of the other FIN.
        const isLast = flags === Flag.ACK && payloadLength === 0 && sequence - first === 102;
        if (!isLast || dropped === 2) return packet;
        dropped += 1;
        return undefined;
      },
    });
    const closings: unknown[] = [];
    pair.right.listenTcp({ port: 80 }, (connection) => ({
      connected() {},
      readable() {
        while (connection.read() !== undefined);
        if (connection.ended) connection.shutdown();
      },
      writable() {},
      closed: (failure) => closings.push(failure),
    }));
    const client = new StreamEnd(100);
    client.start(pair.left.connectTcp(RIGHT, 80, client));
    pair.advance(100);
    expect(client.closings).toEqual([undefined]);
    expect(closings).toEqual([]);
    pair.advance(2000);
    expect(dropped).toBe(2);
    expect(closings).toEqual([undefined]);
    expect(pair.right.stats().tcpFlows).toBe(0);
  });

  test('lets the port be used again after a second, with later numbers', () => {
    const syns: Segment[] = [];
    const { pair, client } = rested((packet) => {
      const segment = parse(packet);
      if (segment.flags === Flag.SYN) syns.push(segment);
      return packet;
    });
    const again = new StreamEnd(50);
    const connect = () => again.start(pair.left.connectTcp(RIGHT, 80, again, { localPort: 5555 }));
    expect(codeOf(connect)).toBe('EADDRINUSE');
    pair.advance(1001);
    expect(codeOf(connect)).toBe('nothing');
    pair.advance(500);
    expect(again.closings).toEqual([undefined]);
    const [first, second] = syns;
    expect(((second?.sequence ?? 0) - (first?.sequence ?? 0)) | 0).toBeGreaterThan(100);
    expect(
      ((second?.options.timestamp ?? 0) - (first?.options.timestamp ?? 0)) | 0,
    ).toBeGreaterThan(1000);
    expect(client.closings).toEqual([undefined]);
  });

  test('of a server gives way to a new call from the same port (RFC 6191)', () => {
    const pair = new NetstackPair();
    const sequences: number[] = [];
    pair.right.listenTcp({ port: 80 }, (connection) => {
      sequences.push(connection.info().bytesSent);
      return new StreamEnd(2_000_000).start(connection);
    });
    const call = () => {
      const end = new StreamEnd(0);
      end.connection = pair.left.connectTcp(RIGHT, 80, end, { localPort: 6666 });
      pair.advance(3000);
      end.connection.shutdown();
      pair.advance(100);
      return end;
    };
    const [first, second] = [call(), call()];
    expect([first.receivedBytes, second.receivedBytes]).toEqual([2_000_000, 2_000_000]);
    expect([first.closings, second.closings]).toEqual([[undefined], [undefined]]);
    expect(sequences.length).toBe(2);
    expect(pair.right.stats().tcpFlows).toBe(1);
  });

  test('ports that are chosen for us do not meet those at rest', () => {
    const pair = new NetstackPair();
    serve(pair, 80);
    for (let call = 0; call < 300; call += 1) {
      const end = new StreamEnd(0);
      const before = pair.left.stats().tcpFlows;
      end.start(pair.left.connectTcp(RIGHT, 80, end));
      pair.advance(5);
      expect(pair.left.stats().tcpFlows).toBe(before + 1);
    }
    expect(pair.left.stats().tcpFlows).toBe(300);
  });
});

describe('calls that nobody should make', () => {
  test('to itself, port and all: one connection that talks to itself', () => {
    const pair = new NetstackPair();
    const end = new StreamEnd(5000);
    const own = address('10.8.0.1');
    end.start(pair.left.connectTcp(own, 7777, end, { localPort: 7777 }));
    pair.advance(1000);
    expect(end.connects).toBe(1);
    expect(end.receivedBytes).toBe(5000);
    expect(end.closings).toEqual([undefined]);
    const { packetsOut } = pair.left.stats();
    expect(packetsOut).toBeLessThan(40);
    pair.advance(120_000);
    expect(pair.left.stats()).toMatchObject({ tcpFlows: 0, packetsOut });
  });

  test.each([
    { name: '0.0.0.0', from: '0.0.0.0' },
    { name: 'itself', from: '10.8.0.2' },
    { name: 'everybody', from: '255.255.255.255' },
    { name: 'a group', from: '224.0.0.1' },
    { name: 'loopback', from: '127.0.0.1' },
  ])('a SYN from $name is not answered', ({ from }) => {
    const pair = new NetstackPair();
    serve(pair, 80);
    const source = address(from);
    const segment = new Segment();
    Object.assign(segment, { sourcePort: 80, destinationPort: 80, flags: Flag.SYN, window: 100 });
    const packet = Buffer.alloc(IP_BYTES + segment.headerBytes);
    segment.write(packet, IP_BYTES);
    const sum = (source.word3 >>> 16) + (source.word3 & 0xffff) + 0x0a08 + 0x0002 + 6;
    sealSegment(packet, IP_BYTES, sum);
    writeIpv4(packet, 6, source, RIGHT, 1, 0);
    pair.rightTun.inject(packet);
    pair.advance(10_000);
    expect(pair.right.stats()).toMatchObject({ packetsOut: 0, tcpFlows: 0 });
  });
});

describe('attacks that do not see the connection (RFC 5961)', () => {
  test.each(['R', 'S', 'SA', 'RA'])(
    '%s with any of 65,536 numbers: no end, few answers',
    (flags) => {
      const peer = established();
      let answers = 0;
      for (let sequence = 2; sequence < 65_536 + 2; sequence += 1) {
        peer.now += 0.05;
        peer.send(flags, sequence, 1);
        answers += peer.take().length;
      }
      expect(peer.state).toBe('ESTABLISHED');
      const seconds = peer.now / 1000;
      expect(answers / seconds).toBeLessThanOrEqual(2.5);
      expect(answers).toBeGreaterThan(0);
    },
  );

  test('an exact RST does end it: the test above can fail', () => {
    const peer = established();
    peer.send('R', 1, 0);
    expect(peer.state).toBe('CLOSED');
  });

  test('two ends that disagree do not answer each other for ever', () => {
    const [one, two] = [established(), established()];
    // Each gets the other's empty acknowledgements, whose numbers mean nothing to it.
    let packets = 0;
    let queue: ['one' | 'two', Buffer][] = [['one', buildSegment('A', REMOTE_ISN - 9, LOCAL_ISN)]];
    for (let turn = 0; turn < 2000; turn += 1) {
      const next: ['one' | 'two', Buffer][] = [];
      one.now += 1;
      two.now += 1;
      for (const [to, packet] of queue) {
        const [end, other] = to === 'one' ? [one, 'two' as const] : [two, 'one' as const];
        end.feed(packet);
        end.connection.endOfBurst(end.now);
        for (
          let answer = end.connection.takeDown(end.now);
          answer;
          answer = end.connection.takeDown(end.now)
        ) {
          packets += 1;
          next.push([other, answer]);
        }
      }
      queue = next;
    }
    expect(packets).toBeLessThan(10);
  });
});

describe('what made other stacks stumble', () => {
  test('FIN in SYN-SENT', () => {
    const peer = inState('SYN-SENT');
    expect(peer.send('F', 0, 0)).toBe(Drop.UNEXPECTED);
    expect(peer.send('FA', 0, 0)).toBe(Drop.UNEXPECTED);
    expect(peer.take()).toEqual(['R 0']);
    expect(peer.state).toBe('SYN-SENT');
  });

  test('a SYN-ACK that acknowledges the SYN’s own number', () => {
    const peer = inState('SYN-SENT');
    peer.send('SA', 0, 0);
    expect(peer.take()).toEqual(['R 0']);
    expect(peer.state).toBe('SYN-SENT');
  });

  test('every data offset, with every option length behind it', () => {
    for (let offset = 0; offset < 16; offset += 1) {
      for (let length = 0; length < 256; length += 5) {
        const peer = established();
        const packet = buildSegment('A', REMOTE_ISN + 1, LOCAL_ISN + 1, { data: 8 });
        packet.writeUInt8(offset << 4, IP_HEADER_BYTES + 12);
        packet.writeUInt8(8, IP_HEADER_BYTES + 20);
        packet.writeUInt8(length, IP_HEADER_BYTES + 21);
        expect(() => peer.feed(packet)).not.toThrow();
      }
    }
  });

  test('an urgent pointer beyond everything: urgent data is data', () => {
    const peer = established();
    const packet = buildSegment('PA', REMOTE_ISN + 1, (LOCAL_ISN + 1) >>> 0, {
      data: Buffer.from('now'),
    });
    packet.writeUInt8(0x38, IP_HEADER_BYTES + 13);
    packet.writeUInt16BE(0xffff, IP_HEADER_BYTES + 18);
    // What was added to the words of the header leaves its checksum.
    let checksum = ~packet.readUInt16BE(IP_HEADER_BYTES + 16) & 0xffff;
    checksum += 0x20 + 0xffff;
    while (checksum > 0xffff) checksum = (checksum & 0xffff) + (checksum >>> 16);
    packet.writeUInt16BE(~checksum & 0xffff, IP_HEADER_BYTES + 16);
    expect(peer.feed(packet)).toBe(Drop.NONE);
    expect(peer.readAll().toString()).toBe('now');
  });
});

describe('the path', () => {
  test('what one connection has learned, the next one begins with', () => {
    const lengths: number[] = [];
    const pair = new NetstackPair({
      filter: (packet, from) => {
        if (from === 'left') lengths.push(packet.length);
        return from === 'left' && packet.length > 1300 ? undefined : packet;
      },
    });
    const servers = serve(pair, 80);
    const send = () => {
      lengths.length = 0;
      const end = new StreamEnd(100_000);
      end.start(pair.left.connectTcp(RIGHT, 80, end));
      pair.advance(30_000);
      return Math.max(...lengths);
    };
    expect(send()).toBe(1500);
    expect(send()).toBeLessThanOrEqual(1300);
    pair.advance(60_000);
    expect(send()).toBe(1500);
    expect(servers.map(({ receivedBytes }) => receivedBytes)).toEqual([100_000, 100_000, 100_000]);
  });
});
