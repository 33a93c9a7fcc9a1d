import { describe, expect, test } from 'vitest';
import { newReno } from '../../../src/netstack/tcp/congestion-choice.ts';
import type { LossBased } from '../../../src/netstack/tcp/loss-based.ts';
import { Phase, Recovery } from '../../../src/netstack/tcp/recovery.ts';

const MSS = 1000;
const START = 0xffff_f000;
const END = 0x0000_2000;

function recovery(): { recovery: Recovery; congestion: LossBased } {
  const congestion = newReno(MSS);
  return { recovery: new Recovery(congestion, START), congestion };
}

describe('Recovery', () => {
  test('lasts until all is acknowledged that was sent before it', () => {
    const { recovery: repair } = recovery();
    expect(repair.isOver(START)).toBe(false);
    repair.begin(true, START, END, 10 * MSS, 10 * MSS, 0);
    expect(repair.phase).toBe(Phase.LOSS);
    expect([END - 1, END, END + 1].map((sequence) => repair.isOver(sequence))).toEqual([
      false,
      true,
      true,
    ]);
    repair.end(MSS, 0);
    expect(repair.phase).toBe(Phase.NONE);
  });

  test('sends the first lost segment whatever the window says, with SACK only that', () => {
    const { recovery: repair } = recovery();
    repair.begin(true, START, END, 10 * MSS, 10 * MSS, 0);
    expect(repair.ignoresWindow).toBe(true);
    repair.onResend(START, MSS, -1);
    expect(repair.ignoresWindow).toBe(false);
    repair.begin(false, START, END, 10 * MSS, 10 * MSS, 0);
    repair.onResend(START, MSS, -1);
    expect(repair.ignoresWindow).toBe(true);
  });

  test('the window follows what arrives, with SACK', () => {
    const { recovery: repair, congestion } = recovery();
    repair.begin(true, START, END, 10 * MSS, 10 * MSS, 0);
    repair.pace(2 * MSS, 7 * MSS, false, MSS);
    expect(congestion.cwnd).toBe(7 * MSS + Math.ceil(0.2 * congestion.ssthresh));
  });

  test.each([
    { name: 'no recovery', begin: () => {}, grows: true },
    {
      name: 'loss',
      begin: (repair: Recovery) => repair.begin(true, START, END, 1, 10 * MSS, 0),
      grows: false,
    },
    {
      name: 'a timeout',
      begin: (repair: Recovery) => repair.beginAfterTimeout(false, START, END, 10 * MSS, 0),
      grows: true,
    },
    {
      name: 'a reduction',
      begin: (repair: Recovery) => repair.reduce(START, END, 10 * MSS, 0),
      grows: false,
    },
  ])('acknowledgements open the window during $name: $grows', ({ begin, grows }) => {
    const { recovery: repair } = recovery();
    begin(repair);
    expect(repair.mayGrow(START)).toBe(grows);
  });

  test('reduces once until more than was in flight is acknowledged, and never while repairing', () => {
    const { recovery: repair, congestion } = recovery();
    expect(repair.reduce(START, END, 10 * MSS, 0)).toBe(true);
    const { ssthresh } = congestion;
    expect(repair.reduce(END, END + MSS, MSS, 0)).toBe(false);
    expect(congestion.ssthresh).toBe(ssthresh);
    expect(repair.reduce(END + 1, END + MSS, MSS, 0)).toBe(true);
    repair.begin(true, END + 1, END + MSS, MSS, MSS, 0);
    expect(repair.reduce(END + MSS + 1, END + MSS + 2, 1, 0)).toBe(false);
  });

  test('a reduction long ago does not come back when numbers wrap', () => {
    const { recovery: repair } = recovery();
    repair.reduce(START, END, 10 * MSS, 0);
    for (let turn = 1; turn <= 4; turn += 1) repair.onProgress((END + turn * 0x3000_0000) >>> 0);
    expect(repair.mayGrow((END + 4 * 0x3000_0000) >>> 0)).toBe(true);
  });

  test('undone gives back the window, and is counted', () => {
    const { recovery: repair, congestion } = recovery();
    repair.begin(true, START, END, 10 * MSS, 10 * MSS, 0);
    repair.undo(0);
    expect(congestion).toMatchObject({ cwnd: 10 * MSS, ssthresh: Number.POSITIVE_INFINITY });
    expect(repair).toMatchObject({ phase: Phase.NONE, undone: 1, ignoresWindow: false });
  });
});
