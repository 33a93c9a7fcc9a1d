import { describe, expect, test } from 'vitest';
import { Drop } from '../../../src/core/machine.ts';
import { serialAdd } from '../../../src/core/serial.ts';
import { sealSegment } from '../../../src/netstack/tcp/segment.ts';
import { buildSegment, established, inState, LOCAL_ISN, REMOTE_ISN } from './scripted-peer.ts';
import { IP_HEADER_BYTES, PSEUDO_HEADER_SUM } from './tcp-pair.ts';

const MSS = 1000;
const WINDOW = 8 * MSS;
const BUFFER = { receiveBufferBytes: WINDOW, maxReceiveBufferBytes: WINDOW };

describe('a segment outside of the window', () => {
  test.each([
    { name: 'before it', sequence: -MSS, data: MSS, drop: Drop.OUT_OF_WINDOW, got: 0 },
    {
      name: 'before it, up to its start',
      sequence: 1 - MSS,
      data: MSS,
      drop: Drop.OUT_OF_WINDOW,
      got: 0,
    },
    { name: 'one byte inside', sequence: 2 - MSS, data: MSS, drop: Drop.NONE, got: 1 },
    { name: 'at its start', sequence: 1, data: MSS, drop: Drop.NONE, got: MSS },
    { name: 'its last byte', sequence: WINDOW, data: 1, drop: Drop.NONE, got: 0 },
    { name: 'behind it', sequence: WINDOW + 1, data: MSS, drop: Drop.OUT_OF_WINDOW, got: 0 },
    {
      name: 'half a turn away',
      sequence: 2 ** 31 - 1,
      data: MSS,
      drop: Drop.OUT_OF_WINDOW,
      got: 0,
    },
    { name: 'empty, at the edge', sequence: WINDOW + 1, data: 0, drop: Drop.NONE, got: 0 },
    {
      name: 'empty, behind the edge',
      sequence: WINDOW + 2,
      data: 0,
      drop: Drop.OUT_OF_WINDOW,
      got: 0,
    },
    { name: 'empty, before it', sequence: 0, data: 0, drop: Drop.OUT_OF_WINDOW, got: 0 },
  ])('is answered and not taken: $name', ({ sequence, data, drop, got }) => {
    const peer = established(BUFFER);
    expect(peer.send('A', sequence, 1, { data })).toBe(drop);
    const answers = peer.take();
    if (drop !== Drop.NONE) expect(answers).toEqual(['A 1/1']);
    expect(peer.readAll()).toHaveLength(got);
  });

  test('does not acknowledge what it acknowledges, nor end anything', () => {
    const peer = established(BUFFER);
    peer.connection.write(Buffer.alloc(100));
    peer.take();
    peer.send('FA', WINDOW + 1, 101, { data: 10 });
    peer.send('FA', 1 - MSS, 101, { data: MSS - 2 });
    expect(peer.connection.info().unacknowledged).toBe(100);
    expect(peer.state).toBe('ESTABLISHED');
  });

  test.each(['FIN-WAIT-1', 'FIN-WAIT-2'] as const)('is answered in %s', (state) => {
    const peer = inState(state, BUFFER);
    peer.send('A', WINDOW + 1, 2, { data: MSS });
    expect(peer.take()).toEqual(['A 2/1']);
    expect(peer.state).toBe(state);
  });

  test.each(['CLOSE-WAIT', 'LAST-ACK', 'CLOSING', 'TIME-WAIT'] as const)(
    'data after the FIN is answered and dropped in %s',
    (state) => {
      const peer = inState(state);
      peer.send('A', 2, state === 'CLOSE-WAIT' ? 1 : 2, { data: MSS });
      peer.take();
      expect(peer.readAll()).toHaveLength(0);
    },
  );
});

describe('a window of zero', () => {
  test('its probes are answered with the window, and their byte is not taken', () => {
    const peer = established(BUFFER);
    for (let at = 1; at < WINDOW; at += MSS) peer.send('A', at, 1, { data: MSS });
    peer.take();
    expect(peer.segments.at(-1)?.window).toBe(0);
    for (let probe = 0; probe < 3; probe += 1) {
      peer.now += 5000;
      peer.send('A', WINDOW + 1, 1, { data: 1 });
      expect(peer.take()).toEqual([`A 1/${WINDOW + 1}`]);
      expect(peer.segments[0]?.window).toBe(0);
    }
    expect(peer.connection.info().unread).toBe(WINDOW);
  });

  test('a probe with an old byte is answered, too', () => {
    const peer = established(BUFFER);
    for (let at = 1; at < WINDOW; at += MSS) peer.send('A', at, 1, { data: MSS });
    peer.take();
    peer.send('A', WINDOW, 1);
    expect(peer.take()).toEqual([`A 1/${WINDOW + 1}`]);
  });

  test('reading tells the peer unasked, once there is room for a segment', () => {
    const peer = established(BUFFER);
    for (let at = 1; at < WINDOW; at += MSS) peer.send('A', at, 1, { data: MSS });
    peer.take();
    peer.connection.read();
    peer.connection.read();
    expect(peer.take()).toEqual([`A 1/${WINDOW + 1}`]);
    expect(peer.segments[0]?.window).toBe(2 * MSS);
    expect(peer.send('A', WINDOW + 1, 1, { data: MSS })).toBe(Drop.NONE);
    expect(peer.readAll()).toHaveLength(WINDOW - MSS);
  });

  test('acknowledgements and a RST of the peer still count', () => {
    const peer = established(BUFFER);
    peer.connection.write(Buffer.alloc(10));
    for (let at = 1; at < WINDOW; at += MSS) peer.send('A', at, 1, { data: MSS });
    peer.take();
    peer.send('A', WINDOW + 1, 11);
    expect(peer.connection.info().unacknowledged).toBe(0);
    peer.send('R', WINDOW + 1, 0);
    expect(peer.state).toBe('CLOSED');
  });
});

describe('a window that the peer was told', () => {
  test('is kept to, however little is read: all of it is taken', () => {
    const peer = established(BUFFER);
    peer.send('A', 1, 1, { data: MSS });
    peer.take();
    const [first] = peer.segments;
    const edge = 1 + MSS + (first?.window ?? 0);
    for (let at = 1 + MSS; at < edge; at += 7) {
      peer.send('A', at, 1, { data: Math.min(7, edge - at) });
    }
    peer.take();
    expect(peer.readAll()).toHaveLength(edge - 1);
  });
});

describe('urgent data stays in line', () => {
  test.each([
    { name: 'the pointer at its end', pointer: 4 },
    { name: 'the pointer behind it', pointer: 400 },
    { name: 'no pointer', pointer: 0 },
  ])('$name', ({ pointer }) => {
    const peer = established();
    const texts = ['one ', 'two ', 'three'];
    let at = 1;
    for (const text of texts) {
      const packet = buildSegment('A', serialAdd(REMOTE_ISN, at), serialAdd(LOCAL_ISN, 1), {
        data: Buffer.from(text),
      });
      if (text === 'two ') {
        packet.writeUInt8(packet.readUInt8(IP_HEADER_BYTES + 13) | 0x20, IP_HEADER_BYTES + 13);
        packet.writeUInt16BE(pointer, IP_HEADER_BYTES + 18);
        packet.writeUInt16BE(0, IP_HEADER_BYTES + 16);
        sealSegment(packet, IP_HEADER_BYTES, PSEUDO_HEADER_SUM);
      }
      expect(peer.feed(packet)).toBe(Drop.NONE);
      at += text.length;
    }
    peer.take();
    expect(peer.readAll().toString()).toBe('one two three');
  });
});

describe('a FIN that comes again', () => {
  test.each([
    { state: 'CLOSE-WAIT', answer: 'A 1/2' },
    { state: 'LAST-ACK', answer: 'A 2/2' },
    { state: 'CLOSING', answer: 'A 2/2' },
    { state: 'TIME-WAIT', answer: 'A 2/2' },
  ] as const)('is acknowledged again in $state', ({ state, answer }) => {
    const peer = inState(state);
    for (let again = 0; again < 3; again += 1) {
      peer.send('FA', 1, 1);
      expect(peer.take()).toEqual([answer]);
      expect(peer.state).toBe(state);
    }
  });

  test('with the data before it: nothing is taken twice', () => {
    const peer = established();
    for (let again = 0; again < 3; again += 1) {
      peer.send('FA', 1, 1, { data: 10 });
      expect(peer.take()).toEqual(['A 1/12']);
    }
    expect(peer.readAll()).toHaveLength(10);
    expect(peer.connection.ended).toBe(true);
    expect(peer.events.filter((event) => event === 'readable')).toHaveLength(1);
  });
});
