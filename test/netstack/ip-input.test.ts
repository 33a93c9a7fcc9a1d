import { describe, expect, test } from 'vitest';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { type FragmentSpec, fragment, headerOf } from './fragments.ts';
import { icmpError, TIME_EXCEEDED } from './icmp-error.ts';
import { FAMILIES, UdpLog, udpPacket } from './socket-logs.ts';

const SOURCE = 'fd00000000000000000000000000000' + '1';
const OWN = 'fd00000000000000000000000000000' + '2';
const STRANGER = 'fd00000000000000000000000000000' + '9';
const MULTICAST = 'ff020000000000000000000000000001';

/** An IPv6 packet whose first next header is `first`, with `rest` behind the fixed header. */
function six(first: string, rest: string, to: string = OWN): Buffer {
  const length = (rest.length / 2).toString(16).padStart(4, '0');
  return Buffer.from(`60000000${length}${first}40${SOURCE}${to}${rest}`, 'hex');
}

/** What the right end answers: type, code and pointer; undefined for silence. */
function answerTo(packet: Buffer): { type: string; pointer: number } | undefined {
  const pair = new NetstackPair();
  pair.leftTun.onReadable = () => {};
  pair.rightTun.inject(packet);
  pair.settle();
  const answer = pair.leftTun.read();
  if (answer === undefined) return undefined;
  const { payloadAt } = headerOf(answer);
  return {
    type: answer.subarray(payloadAt, payloadAt + 2).toString('hex'),
    pointer: answer.readUInt32BE(payloadAt + 4),
  };
}

const UDP = '00350035000c000001020304';
const ECHO = '8000000000010001';
const ERROR = '0104000000000000';
const PAD6 = '010400000000';

describe('IPv6 headers that we cannot follow', () => {
  // biome-ignore format: one case a line
  test.each([
    { name: 'option to skip (00)',                   packet: six('3c', `3b001e0400000000${UDP}`),                  answer: undefined },
    { name: 'option to discard in silence (01)',     packet: six('3c', `11005e0400000000${UDP}`),                  answer: undefined },
    { name: 'option to report (10)',                 packet: six('3c', `11009e0400000000${UDP}`),                  answer: { type: '0402', pointer: 42 } },
    { name: 'option to report (11)',                 packet: six('3c', `1100de0400000000${UDP}`),                  answer: { type: '0402', pointer: 42 } },
    { name: 'option to report behind a pad',         packet: six('00', `11000100009e0000${UDP}`.replace('0100009e0000', '01009e020000')), answer: { type: '0402', pointer: 44 } },
    { name: 'the first of two',                      packet: six('00', `3c009e0400000000${'1100de0400000000'}${UDP}`), answer: { type: '0402', pointer: 42 } },
    { name: 'routing of type 0',                     packet: six('2b', `1100000100000000${UDP}`),                  answer: { type: '0400', pointer: 42 } },
    { name: 'hop-by-hop that is not first',          packet: six('3c', `0000${PAD6}1100${PAD6}${UDP}`),            answer: { type: '0401', pointer: 40 } },
    { name: 'unknown next header',                   packet: six('84', UDP),                                       answer: { type: '0401', pointer: 6 } },
    { name: 'unknown next header behind another',    packet: six('3c', `8400${PAD6}${UDP}`),                       answer: { type: '0401', pointer: 40 } },
    { name: 'no next header',                        packet: six('3b', ''),                                        answer: undefined },
    { name: 'to somebody else',                      packet: six('3c', `11009e0400000000${UDP}`, STRANGER),        answer: undefined },
    { name: 'to multicast',                          packet: six('3c', `1100de0400000000${UDP}`, MULTICAST),       answer: undefined },
    { name: 'in front of an ICMPv6 error',           packet: six('3c', `3a009e0400000000${ERROR}`),                answer: undefined },
    { name: 'in front of an ICMPv6 query',           packet: six('3c', `3a009e0400000000${ECHO}`),                 answer: { type: '0402', pointer: 42 } },
    { name: 'in front of a fragment',                packet: six('3c', `2c009e0400000000${'1100000100000001'}${UDP}${'0'.repeat(8)}`), answer: undefined },
    { name: 'in front of a header that is cut',      packet: six('3c', `3c009e0400000000${'1102'}${PAD6}`),        answer: undefined },
  ])('$name', ({ packet, answer }) => {
    expect(answerTo(packet)).toEqual(answer);
  });
});

describe.each(FAMILIES)(
  'reassembly of IPv$family that takes too long',
  ({ family, left, right, headerBytes }) => {
    const first: FragmentSpec = { offset: 0, more: true, payload: Buffer.alloc(24, 1) };
    const later: FragmentSpec = { offset: 24, more: true, payload: Buffer.alloc(24, 2) };

    function answersTo(pieces: readonly FragmentSpec[]): Buffer[] {
      const pair = new NetstackPair();
      const answers: Buffer[] = [];
      pair.leftTun.onReadable = () => {};
      for (const piece of pieces) pair.rightTun.inject(fragment(family, piece));
      pair.advance(14_999);
      expect(pair.leftTun.read()).toBeUndefined();
      pair.advance(1);
      for (let next = pair.leftTun.read(); next !== undefined; next = pair.leftTun.read()) {
        answers.push(next);
      }
      return answers;
    }

    test('is told to the sender, with the first fragment', () => {
      const [answer, ...others] = answersTo([first, later]);
      expect(others).toEqual([]);
      expect(answer?.readUInt16BE(headerBytes)).toBe(TIME_EXCEEDED[family] + 1);
      expect(answer?.subarray(headerBytes + 8).equals(fragment(family, first))).toBe(true);
      expect(String(headerOf(answer ?? Buffer.alloc(0)).destination())).toBe(left);
    });

    test('is not told when the first fragment is what is missing', () => {
      expect(answersTo([later])).toEqual([]);
    });

    test('is not told about a datagram that was refused, or an error', () => {
      const protocol = family === 4 ? 1 : 58;
      const error = icmpError(udpPacket(right, 1, left, 2), {
        typeAndCode: TIME_EXCEEDED[family],
        from: left,
        to: right,
      }).subarray(headerBytes, headerBytes + 24);
      expect(answersTo([first, { ...first, payload: Buffer.alloc(24, 9) }])).toEqual([]);
      expect(answersTo([{ ...first, protocol, payload: error }])).toEqual([]);
    });
  },
);

describe('loopback and the tunnel', () => {
  test('take turns: neither starves the other', () => {
    const pair = new NetstackPair();
    const [own, other] = [new UdpLog(), new UdpLog()];
    const { left, leftTun } = pair;
    left.openUdp({ family: 4, port: 7 }, own);
    left.openUdp({ family: 4, port: 8 }, other);
    const client = left.openUdp({ family: 4 }, new UdpLog());
    for (let sent = 0; sent < 128; sent += 1) client.send(Buffer.alloc(1), address('10.8.0.1'), 7);
    for (let round = 0; round < 2; round += 1) left.moveDownWorker(0);
    for (let sent = 0; sent < 32; sent += 1)
      leftTun.inject(udpPacket('10.8.0.2', 1, '10.8.0.1', 8));
    left.moveUpWorker(0);
    expect([own.received.length, other.received.length]).toEqual([32, 32]);
    left.moveUpWorker(0);
    left.moveUpWorker(0);
    expect([own.received.length, other.received.length]).toEqual([128, 32]);
  });
});
