import { describe, expect, test } from 'vitest';
import { Drop } from '../../../src/core/machine.ts';
import { serialAdd } from '../../../src/core/serial.ts';
import { sealSegment } from '../../../src/netstack/tcp/segment.ts';
import {
  buildSegment,
  established,
  inState,
  LOCAL_ISN,
  REMOTE_ISN,
  ScriptedPeer,
} from './scripted-peer.ts';
import { IP_HEADER_BYTES, PSEUDO_HEADER_SUM } from './tcp-pair.ts';

const MSS = 1000;

/** A connection that has received so much that it is no longer young; the peer's next byte. */
function grown(): { peer: ScriptedPeer; next: number } {
  const peer = established();
  let next = 1;
  for (let count = 0; count < 32; count += 1) {
    peer.send('A', next, 1, { data: MSS });
    next += MSS;
  }
  peer.take();
  peer.readAll();
  peer.take();
  return { peer, next };
}

describe('acknowledgements', () => {
  test('a young connection acknowledges every burst at once, every second segment in it', () => {
    const peer = established();
    peer.send('A', 1, 1, { data: MSS });
    expect(peer.take()).toEqual(['A 1/1001']);
    for (let count = 1; count < 6; count += 1) peer.send('A', 1 + count * MSS, 1, { data: MSS });
    expect(peer.take()).toEqual(['A 1/3001', 'A 1/5001', 'A 1/6001']);
  });

  test('one segment waits 40 ms for company', () => {
    const { peer, next } = grown();
    peer.send('A', next, 1, { data: MSS });
    expect(peer.take()).toEqual([]);
    const start = peer.now;
    expect(peer.pass(100)).toEqual([`${start + 40}: A 1/${next + MSS}`]);
  });

  test('two full segments do not', () => {
    const { peer, next } = grown();
    peer.send('A', next, 1, { data: MSS });
    peer.send('A', next + MSS, 1, { data: MSS });
    expect(peer.take()).toEqual([`A 1/${next + 2 * MSS}`]);
    expect(peer.pass(100)).toEqual([]);
  });

  test('one is enough for a burst, but not for more than sixteen segments', () => {
    const { peer, next } = grown();
    for (let count = 0; count < 40; count += 1) {
      peer.send('A', next + count * MSS, 1, { data: MSS });
    }
    const numbers = [16, 32, 40].map((count) => `A 1/${next + count * MSS}`);
    expect(peer.take()).toEqual(numbers);
  });

  test('data carries them', () => {
    const { peer, next } = grown();
    peer.send('A', next, 1, { data: MSS });
    peer.connection.write(Buffer.from('answer'));
    expect(peer.take()).toEqual([`A 1/${next + MSS} +6`]);
    expect(peer.pass(100)).toEqual([]);
  });

  test('every segment behind a gap is answered by itself, and the one that fills it', () => {
    const { peer, next } = grown();
    for (const count of [1, 2, 3]) peer.send('A', next + count * MSS, 1, { data: MSS });
    const gap = `A 1/${next}`;
    expect(peer.take()).toEqual([gap, gap, gap]);
    peer.send('A', next, 1, { data: MSS });
    expect(peer.take()).toEqual([`A 1/${next + 4 * MSS}`]);
    expect(peer.readAll()).toHaveLength(4 * MSS);
  });

  test('what came before is answered', () => {
    const { peer, next } = grown();
    peer.send('A', next - MSS, 1, { data: MSS });
    expect(peer.take()).toEqual([`A 1/${next}`]);
  });

  test('readable is told once a burst', () => {
    const peer = established();
    peer.events.length = 0;
    for (let count = 0; count < 5; count += 1) peer.send('A', 1 + count * MSS, 1, { data: MSS });
    expect(peer.events).toEqual([]);
    peer.take();
    expect(peer.events).toEqual(['readable']);
    peer.take();
    expect(peer.events).toEqual(['readable']);
  });
});

describe('the window', () => {
  test('closes as data waits, and opens when half of it was read', () => {
    const peer = established({ receiveBufferBytes: 8 * MSS, maxReceiveBufferBytes: 8 * MSS });
    for (let count = 0; count < 8; count += 1) peer.send('A', 1 + count * MSS, 1, { data: MSS });
    peer.take();
    expect(peer.segments.at(-1)?.window).toBe(0);
    expect(peer.send('A', 1 + 8 * MSS, 1, { data: 1 })).toBe(Drop.OUT_OF_WINDOW);
    expect(peer.take()).toEqual(['A 1/8001']);
    peer.connection.read();
    expect(peer.take()).toEqual([]);
    peer.connection.read();
    expect(peer.take()).toEqual(['A 1/8001']);
    expect(peer.segments.at(-1)?.window).toBe(2 * MSS);
  });

  test('never moves its edge back', () => {
    const peer = established({ receiveBufferBytes: 8 * MSS });
    const edges: number[] = [];
    for (let count = 0; count < 40; count += 1) {
      peer.send('A', 1 + count * 150, 1, { data: 150 });
      peer.take();
      for (const { acknowledgment, window } of peer.segments) edges.push(acknowledgment + window);
      if (count % 5 === 0) peer.connection.read();
    }
    expect(edges).toEqual(edges.toSorted((a, b) => a - b));
  });

  test('what reaches beyond is cut', () => {
    const peer = established({ receiveBufferBytes: 1500 });
    peer.send('A', 1, 1, { data: MSS });
    peer.send('A', 1 + MSS, 1, { data: MSS });
    expect(peer.take().at(-1)).toBe('A 1/1501');
    expect(peer.readAll()).toHaveLength(1500);
  });
});

describe('overlapping segments', () => {
  test.each([
    {
      name: 'the same again',
      segments: [
        [1, 10],
        [1, 10],
      ],
      total: 10,
    },
    {
      name: 'a longer one',
      segments: [
        [1, 10],
        [1, 20],
      ],
      total: 20,
    },
    {
      name: 'over the edge of what is there',
      segments: [
        [1, 10],
        [6, 10],
      ],
      total: 15,
    },
    {
      name: 'over a range ahead',
      segments: [
        [11, 10],
        [1, 30],
      ],
      total: 30,
    },
    {
      name: 'into a range ahead',
      segments: [
        [11, 10],
        [1, 15],
      ],
      total: 20,
    },
    {
      name: 'around two ranges ahead',
      segments: [
        [11, 5],
        [21, 5],
        [6, 30],
        [1, 5],
      ],
      total: 35,
    },
  ])('$name', ({ segments, total }) => {
    const text = Buffer.from(Array.from({ length: 64 }, (_, at) => at));
    const peer = established();
    for (const [sequence = 0, length = 0] of segments) {
      peer.send('A', sequence, 1, { data: text.subarray(sequence - 1, sequence - 1 + length) });
    }
    peer.take();
    expect(peer.readAll()).toEqual(text.subarray(0, total));
  });

  test('a FIN ahead waits for what is missing; what lies behind it is refused', () => {
    const peer = established();
    peer.send('FA', 11, 1, { data: 10 });
    peer.send('A', 21, 1, { data: 10 });
    expect(peer.state).toBe('ESTABLISHED');
    peer.send('A', 1, 1, { data: 10 });
    expect(peer.state).toBe('CLOSE-WAIT');
    expect(peer.take().at(-1)).toBe('A 1/22');
    expect(peer.readAll()).toHaveLength(20);
    expect(peer.connection.ended).toBe(true);
  });
});

test('urgent data is data like any other, wherever its pointer leads', () => {
  for (const pointer of [0, 1, 3, 0x7fff, 0xffff]) {
    const peer = established();
    const packet = buildSegment('A', serialAdd(REMOTE_ISN, 1), serialAdd(LOCAL_ISN, 1), {
      data: Buffer.from('abc'),
    });
    const at = IP_HEADER_BYTES;
    packet.writeUInt8(packet.readUInt8(at + 13) | 0x20, at + 13);
    packet.writeUInt16BE(0, at + 16);
    packet.writeUInt16BE(pointer, at + 18);
    sealSegment(packet, at, PSEUDO_HEADER_SUM);
    expect(peer.feed(packet)).toBe(Drop.NONE);
    expect(peer.take()).toEqual(['A 1/4']);
    expect(peer.readAll().toString()).toBe('abc');
  }
});

describe('timestamps', () => {
  /** A connection with timestamps; the peer's clock stands at 1000. */
  function stamped(): ScriptedPeer {
    const peer = new ScriptedPeer({ windowScaling: false });
    peer.timestamp = 1000;
    peer.connection.connect(0);
    peer.take();
    peer.send('SA', 0, 1, { mss: MSS });
    peer.take();
    return peer;
  }

  test('the one of the first unacknowledged segment is echoed', () => {
    const peer = stamped();
    for (const [index, timestamp] of [1010, 1020].entries()) {
      peer.timestamp = timestamp;
      peer.send('A', 1 + index * 10, 1, { data: 10 });
    }
    peer.take();
    expect(peer.segments.at(-1)?.options.echo).toBe(1010);
  });

  test('one ahead of a gap is not echoed', () => {
    const peer = stamped();
    peer.timestamp = 1010;
    peer.send('A', 11, 1, { data: 10 });
    peer.take();
    expect(peer.segments[0]?.options.echo).toBe(1000);
  });

  test('an old one is refused and answered (PAWS)', () => {
    const peer = stamped();
    peer.timestamp = 999;
    expect(peer.send('A', 1, 1, { data: 10 })).toBe(Drop.OUT_OF_WINDOW);
    expect(peer.take()).toEqual(['A 1/1']);
    peer.timestamp = 1000;
    expect(peer.send('A', 1, 1, { data: 10 })).toBe(Drop.NONE);
  });

  test('an old one counts again after 24 days of silence', () => {
    const peer = stamped();
    peer.now += 25 * 24 * 60 * 60 * 1000;
    peer.timestamp = 5;
    expect(peer.send('A', 1, 1, { data: 10 })).toBe(Drop.NONE);
  });

  test('a segment without one is dropped, but not a RST', () => {
    const peer = stamped();
    peer.timestamp = undefined;
    expect(peer.send('A', 1, 1, { data: 10 })).toBe(Drop.UNEXPECTED);
    expect(peer.take()).toEqual([]);
    peer.send('R', 1, 0);
    expect(peer.state).toBe('CLOSED');
  });

  test('they wrap around', () => {
    const peer = new ScriptedPeer({ timestampOffset: 0xffff_ff00 });
    peer.timestamp = 0xffff_fff0;
    peer.connection.connect(0);
    peer.take();
    peer.send('SA', 0, 1, { mss: MSS });
    peer.now = 1000;
    peer.timestamp = 0x0000_0010;
    expect(peer.send('A', 1, 1, { data: 10 })).toBe(Drop.NONE);
    peer.take();
    expect(peer.segments[0]?.options).toMatchObject({ timestamp: 1000 - 256, echo: 0x10 });
  });
});

describe('answers to nonsense', () => {
  test('RSTs and SYNs in the window: at most two challenges a second, no reset', () => {
    const peer = established();
    let challenges = 0;
    for (let offset = 1; offset < 0xffff; offset += 1) {
      peer.now += 0.1;
      peer.send(offset % 2 === 0 ? 'R' : 'S', 1 + offset, 0);
      challenges += peer.take().length;
    }
    expect(peer.state).toBe('ESTABLISHED');
    expect(challenges).toBeLessThanOrEqual(Math.ceil(2 * (peer.now / 1000)));
    expect(challenges).toBeGreaterThan(5);
  });

  test('two ends that disagree do not answer each other for ever', () => {
    const peer = established();
    let answers = 0;
    for (let count = 0; count < 1000; count += 1) {
      peer.send('A', 50, 5000);
      answers += peer.take().length;
    }
    expect(answers).toBe(1);
  });

  test.each([
    { name: 'too short', change: (packet: Buffer) => packet.subarray(0, 39) },
    { name: 'an offset below five', change: withOffset(4) },
    { name: 'an offset behind the end', change: withOffset(6) },
    { name: 'a wrong checksum', change: withOffset(5, 1) },
  ])('$name', ({ change }) => {
    const peer = established();
    const drop = peer.feed(change(buildSegment('A', REMOTE_ISN + 1, 0)));
    expect([Drop.MALFORMED, Drop.BAD_CHECKSUM]).toContain(drop);
    expect(peer.take()).toEqual([]);
  });

  test('tiny segments ahead of a gap hold a bounded amount of memory', () => {
    const peer = inState('ESTABLISHED');
    for (let at = 3; at < 60_000; at += 2) peer.send('A', at, 1, { data: 1 });
    expect(peer.connection.info().aheadOfGap).toBeLessThan(100_000);
    peer.take();
    peer.send('A', 1, 1, { data: 2 });
    peer.take();
    const held = peer.readAll().length;
    expect(held).toBe(3);
  });
});

function withOffset(words: number, checksumError = 0): (packet: Buffer) => Buffer {
  return (packet) => {
    packet.writeUInt8(words << 4, 32);
    packet.writeUInt8(packet.readUInt8(37) ^ checksumError, 37);
    return packet;
  };
}
