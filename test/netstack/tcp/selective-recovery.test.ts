import { describe, expect, test } from 'vitest';
import { answer, blocks, MSS, ROUND_TRIP_MS, sacking } from './sacking-peer.ts';

describe('SACK', () => {
  test('of three segments in one acknowledgement sends the hole again at once', () => {
    const peer = sacking(10);
    peer.pass(ROUND_TRIP_MS);
    expect(answer(peer, 0, blocks([1, 4]))).toEqual(['A 1/1 +1000']);
    expect(peer.connection.info()).toMatchObject({
      recovering: true,
      ssthresh: 5 * MSS,
      sacked: 3 * MSS,
      lost: 0,
    });
  });

  test('repairs every hole in one round trip, and nothing else', () => {
    const peer = sacking(10);
    peer.pass(ROUND_TRIP_MS);
    const sent = answer(peer, 0, blocks([1, 2], [3, 4], [5, 10]));
    expect(sent).toEqual(['A 1/1 +1000', 'A 2001/1 +1000', 'A 4001/1 +1000']);
    peer.pass(ROUND_TRIP_MS);
    expect(answer(peer, 10)).toEqual([]);
    expect(peer.connection.info()).toMatchObject({
      retransmits: 3,
      recovering: false,
      timeouts: 0,
    });
  });

  test('lets one new segment go for each that has arrived (limited transmit)', () => {
    const peer = sacking(50);
    peer.pass(ROUND_TRIP_MS);
    expect(answer(peer, 0, blocks([1, 2]))).toEqual(['A 10001/1 +1000']);
    expect(answer(peer, 0, blocks([1, 3]))).toEqual(['A 11001/1 +1000']);
    expect(peer.connection.info()).toMatchObject({ recovering: false, retransmits: 0 });
  });

  test('in recovery the window comes down evenly', () => {
    const peer = sacking(60);
    peer.pass(ROUND_TRIP_MS);
    answer(peer, 0, blocks([1, 4]));
    const sent: number[] = [];
    for (let arrived = 5; arrived <= 10; arrived += 1) {
      sent.push(answer(peer, 0, blocks([1, arrived])).length);
    }
    expect(sent).toEqual([1, 0, 0, 1, 1, 1]);
    expect(peer.connection.info().inFlight).toBe(14 * MSS);
  });

  test('a long acknowledgement in recovery makes no burst', () => {
    const peer = sacking(60, { congestion: 'cubic' });
    for (let next = 10; next <= 30; next += 10) {
      peer.pass(ROUND_TRIP_MS);
      answer(peer, next);
    }
    peer.pass(ROUND_TRIP_MS);
    const before = peer.connection.info().inFlight / MSS;
    const sent = answer(peer, 30, blocks([31, 30 + before]));
    expect(sent[0]).toBe('A 30001/1 +1000');
    expect(sent.length).toBeLessThanOrEqual(Math.ceil(0.7 * before));
    expect(answer(peer, 30 + before).length).toBeLessThanOrEqual(Math.ceil(0.7 * before));
  });

  test('a lost retransmission is found by what was sent after it, without a timeout', () => {
    const peer = sacking(60);
    peer.pass(ROUND_TRIP_MS);
    expect(answer(peer, 0, blocks([1, 8]))).toEqual([
      'A 1/1 +1000',
      'A 10001/1 +1000',
      'A 11001/1 +1000',
    ]);
    peer.pass(ROUND_TRIP_MS);
    expect(answer(peer, 0, blocks([1, 11]))[0]).toBe('A 1/1 +1000');
    expect(peer.connection.info()).toMatchObject({ retransmits: 2, timeouts: 0 });
  });

  test.each<{ name: string; sacked: readonly (readonly [number, number])[] }>([
    { name: 'of what was never sent', sacked: [[20_001, 21_001]] },
    { name: 'across the end of what was sent', sacked: [[9001, 10_002]] },
    { name: 'that ends before it begins', sacked: [[3001, 2001]] },
    { name: 'of nothing', sacked: [[2001, 2001]] },
    { name: 'from the first missing byte on', sacked: [[1, 4001]] },
    { name: 'of a part of a segment', sacked: [[1002, 2000]] },
  ])('a block $name is not believed', ({ sacked }) => {
    const peer = sacking(10);
    peer.pass(ROUND_TRIP_MS);
    peer.send('A', 1, 1, { sacked });
    expect(peer.take()).toEqual([]);
    expect(peer.connection.info()).toMatchObject({ sacked: 0, lost: 0, recovering: false });
  });

  test('blocks say nothing when SACK was not agreed', () => {
    const peer = sacking(10, { sack: false });
    peer.pass(ROUND_TRIP_MS);
    expect(answer(peer, 0, blocks([1, 10]))).toEqual([]);
    expect(peer.connection.info().sacked).toBe(0);
  });

  test('a peer that takes back what it SACKed gets it again after the timeout', () => {
    const peer = sacking(10);
    peer.pass(ROUND_TRIP_MS);
    answer(peer, 0, blocks([1, 10]));
    peer.pass(400);
    expect(peer.connection.info()).toMatchObject({ timeouts: 1, sacked: 0 });
    const sent: string[] = [];
    for (let next = 1; next < 10; next += 1) sent.push(...answer(peer, next));
    expect(new Set(sent).size).toBe(9);
    answer(peer, 10);
    expect(peer.connection.info()).toMatchObject({ inFlight: 0, recovering: false });
  });

  test('equal acknowledgements without blocks are no sign of loss', () => {
    const peer = sacking(10);
    peer.pass(ROUND_TRIP_MS);
    for (let count = 0; count < 9; count += 1) expect(answer(peer, 0)).toEqual([]);
    expect(peer.connection.info().recovering).toBe(false);
  });
});

describe('reordering', () => {
  test('within a quarter of the round trip sends nothing again', () => {
    const peer = sacking(10);
    peer.pass(ROUND_TRIP_MS);
    expect(answer(peer, 0, blocks([1, 3]))).toEqual([]);
    expect(peer.pass(ROUND_TRIP_MS / 4 - 1)).toEqual([]);
    expect(answer(peer, 3)).toEqual([]);
    expect(peer.connection.info()).toMatchObject({ reordering: true, retransmits: 0 });
  });

  test('beyond that is loss', () => {
    const peer = sacking(10);
    peer.pass(ROUND_TRIP_MS);
    expect(answer(peer, 0, blocks([1, 3]))).toEqual([]);
    expect(peer.pass(ROUND_TRIP_MS / 4)).toEqual(['225: A 1/1 +1000']);
  });

  test('once seen, more than three segments may come first', () => {
    const peer = sacking(20);
    peer.pass(ROUND_TRIP_MS);
    answer(peer, 0, blocks([1, 3]));
    answer(peer, 3);
    peer.pass(ROUND_TRIP_MS);
    expect(answer(peer, 3, blocks([4, 9])).filter((text) => text.startsWith('A 3001/'))).toEqual(
      [],
    );
    peer.pass(ROUND_TRIP_MS / 4 - 1);
    answer(peer, 9);
    expect(peer.connection.info()).toMatchObject({ retransmits: 0, spuriousRecoveries: 0 });
  });

  test('that was held for loss is undone by the report of a duplicate', () => {
    const peer = sacking(10);
    peer.pass(ROUND_TRIP_MS);
    answer(peer, 0, blocks([1, 4]));
    answer(peer, 10);
    expect(peer.connection.info()).toMatchObject({ ssthresh: 5 * MSS, retransmits: 1 });
    peer.pass(ROUND_TRIP_MS);
    answer(peer, 10, blocks([0, 1]));
    expect(peer.connection.info()).toMatchObject({
      cwnd: 10 * MSS,
      ssthresh: Number.POSITIVE_INFINITY,
      spuriousRecoveries: 1,
      reordering: true,
    });
  });

  test('a report of what was never sent twice undoes nothing', () => {
    const peer = sacking(10);
    peer.pass(ROUND_TRIP_MS);
    answer(peer, 0, blocks([1, 4]));
    answer(peer, 10);
    answer(peer, 10, blocks([5, 6]));
    expect(peer.connection.info()).toMatchObject({ ssthresh: 5 * MSS, spuriousRecoveries: 0 });
  });

  test('is not seen in a duplicate that the network made', () => {
    const peer = sacking(10);
    peer.pass(ROUND_TRIP_MS);
    answer(peer, 5);
    answer(peer, 5, blocks([3, 4]));
    expect(peer.connection.info().reordering).toBe(false);
  });

  test('that was held for loss is undone by the echo of a timestamp', () => {
    const peer = sacking(10, { timestamps: true });
    const echo = peer.segments[0]?.options.timestamp ?? 0;
    peer.pass(ROUND_TRIP_MS);
    expect(answer(peer, 0, { ...blocks([1, 4]), timestamps: [2, echo] })).toEqual(['A 1/1 +1000']);
    peer.now += 5;
    answer(peer, 4, { timestamps: [2, echo] });
    expect(peer.connection.info()).toMatchObject({
      recovering: false,
      spuriousRecoveries: 1,
      ssthresh: Number.POSITIVE_INFINITY,
    });
  });
});

describe('a timeout', () => {
  test('that came too soon is undone by the echo of a timestamp, back-off and all', () => {
    const peer = sacking(10, { timestamps: true });
    const echo = peer.segments[0]?.options.timestamp ?? 0;
    const { rtoMs } = peer.connection.info();
    peer.pass(600);
    expect(peer.connection.info().timeouts).toBe(1);
    answer(peer, 10, { timestamps: [2, echo] });
    expect(peer.connection.info()).toMatchObject({ spuriousRecoveries: 1, inFlight: 0, rtoMs });
    expect(peer.connection.info().cwnd).toBeGreaterThanOrEqual(10 * MSS);
  });

  test('that came too soon is found without timestamps by new data (F-RTO)', () => {
    const peer = sacking(20);
    peer.pass(650);
    expect(peer.connection.info()).toMatchObject({ timeouts: 1, lost: expect.any(Number) });
    const probes = answer(peer, 1);
    expect(probes).toEqual(['A 11001/1 +1000', 'A 12001/1 +1000']);
    answer(peer, 2);
    expect(peer.connection.info()).toMatchObject({ spuriousRecoveries: 1, lost: 0 });
  });

  test('that was right sends again in slow start', () => {
    const peer = sacking(10);
    const sent = peer.pass(900);
    expect(sent.at(-1)).toMatch(/A 1\/1 \+1000$/);
    const again = answer(peer, 1);
    expect(again).toEqual(['A 1001/1 +1000', 'A 2001/1 +1000']);
  });
});
