import { describe, expect, test } from 'vitest';
import { DELAYED_ACK_ALLOWANCE_MS, LossProbe } from '../../../src/netstack/tcp/loss-probe.ts';

const END = 0x0000_0010;
const BEFORE = 0xffff_fff0;

describe('LossProbe', () => {
  test.each([
    { name: 'no round trip measured', smoothedMs: 0, segments: 5, delay: 1000 },
    { name: 'several segments', smoothedMs: 30, segments: 2, delay: 60 },
    { name: 'one segment', smoothedMs: 30, segments: 1, delay: 60 + DELAYED_ACK_ALLOWANCE_MS },
  ])('waits for an answer: $name', ({ smoothedMs, segments, delay }) => {
    expect(new LossProbe().delayMs(smoothedMs, segments)).toBe(delay);
  });

  test.each([
    {
      name: 'before its end',
      again: true,
      duplicate: false,
      upTo: [BEFORE],
      repaired: false,
      open: true,
    },
    { name: 'of its end', again: true, duplicate: false, upTo: [END], repaired: false, open: true },
    {
      name: 'beyond its end',
      again: true,
      duplicate: false,
      upTo: [END, END + 1],
      repaired: true,
      open: false,
    },
    { name: 'of both', again: true, duplicate: true, upTo: [END], repaired: false, open: false },
    {
      name: 'of new data',
      again: false,
      duplicate: false,
      upTo: [END + 1],
      repaired: false,
      open: false,
    },
  ])('an acknowledgement $name', ({ again, duplicate, upTo, repaired, open }) => {
    const probe = new LossProbe();
    probe.owed = true;
    probe.sent(END, again);
    expect(probe.owed).toBe(false);
    const verdicts = upTo.map((acknowledgment) => probe.onAck(acknowledgment, duplicate));
    expect(verdicts.at(-1)).toBe(repaired);
    expect(probe.outstanding).toBe(open);
  });

  test.each([
    { name: 'its end', from: BEFORE, to: END, again: true, matches: true },
    { name: 'what follows', from: END, to: END + 9, again: true, matches: false },
    { name: 'what precedes', from: BEFORE, to: END - 1, again: true, matches: false },
    { name: 'new data', from: BEFORE, to: END, again: false, matches: false },
  ])('knows its own duplicate: $name', ({ from, to, again, matches }) => {
    const probe = new LossProbe();
    expect(probe.isDuplicate(from, to)).toBe(false);
    probe.sent(END, again);
    expect(probe.isDuplicate(from, to)).toBe(matches);
  });

  test('is forgotten when recovery begins', () => {
    const probe = new LossProbe();
    probe.sent(END, true);
    probe.owed = true;
    probe.clear();
    expect(probe).toMatchObject({ owed: false, outstanding: false, count: 1 });
    expect(probe.onAck(END + 1, false)).toBe(false);
  });
});
