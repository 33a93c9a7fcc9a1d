import { describe, expect, test } from 'vitest';
import { SpuriousRecovery } from '../../../src/netstack/tcp/spurious-recovery.ts';

const MSS = 1000;
const NONE = -1;

type Step =
  | { readonly ack: number; readonly echo?: number; readonly sacked?: boolean }
  | { readonly resend: number; readonly stamp?: number }
  | { readonly fresh: number };

/**
 * `una` to `nxt` is out when recovery begins; gives what each acknowledgement told. Numbers are
 * segments, counted from `base`.
 */
function verdicts(cause: 'loss' | 'timeout', steps: readonly Step[], base = 0): string[] {
  const recovery = new SpuriousRecovery();
  const at = (segments: number) => (base + segments * MSS) >>> 0;
  const told: string[] = [];
  let una = 0;
  recovery.begin(cause, at(0), at(10));
  for (const step of steps) {
    if ('resend' in step) recovery.onResend(at(step.resend), MSS, step.stamp ?? NONE);
    else if ('fresh' in step) recovery.onNewData(at(step.fresh));
    else {
      const { ack, echo = NONE, sacked = false } = step;
      told.push(recovery.onAck(at(ack), echo, ack > una, sacked));
      una = Math.max(una, ack);
    }
  }
  return told;
}

describe('SpuriousRecovery', () => {
  describe('by timestamps (Eifel)', () => {
    test.each([
      { name: 'the original was answered', stamp: 500, echo: 499, told: 'spurious' },
      { name: 'what was sent again was answered', stamp: 500, echo: 500, told: 'genuine' },
      { name: 'what was sent later was answered', stamp: 500, echo: 501, told: 'genuine' },
      { name: 'the clock has wrapped since', stamp: 3, echo: 0xffff_fff0, told: 'spurious' },
      { name: 'the clock has wrapped before', stamp: 0xffff_fff0, echo: 3, told: 'genuine' },
      { name: 'the peer left its timestamp out', stamp: 500, echo: NONE, told: 'genuine' },
    ])('$name: $told', ({ stamp, echo, told }) => {
      for (const cause of ['loss', 'timeout'] as const) {
        expect(
          verdicts(cause, [
            { resend: 0, stamp },
            { ack: 1, echo },
          ]),
        ).toEqual([told]);
      }
    });

    test('a duplicate tells nothing', () => {
      const steps = [
        { resend: 0, stamp: 500 },
        { ack: 0, echo: 400 },
        { ack: 1, echo: 400 },
      ];
      expect(verdicts('loss', steps)).toEqual(['unknown', 'spurious']);
    });

    test('waits for the segment that was sent again first', () => {
      const steps = [
        { resend: 2, stamp: 500 },
        { resend: 3, stamp: 510 },
        { ack: 2, echo: 400 },
        { ack: 3, echo: 500 },
      ];
      expect(verdicts('loss', steps)).toEqual(['unknown', 'genuine']);
    });

    test('compares with the first of several times', () => {
      const steps = [
        { resend: 0, stamp: 500 },
        { resend: 0, stamp: 900 },
        { ack: 1, echo: 500 },
      ];
      expect(verdicts('timeout', steps)).toEqual(['genuine']);
    });

    test('tells it once', () => {
      const steps = [
        { resend: 0, stamp: 500 },
        { ack: 1, echo: 400 },
        { ack: 2, echo: 400 },
      ];
      expect(verdicts('loss', steps)).toEqual(['spurious', 'unknown']);
      const genuine = [
        { resend: 0, stamp: 500 },
        { ack: 1, echo: 500 },
        { ack: 2, echo: 400 },
      ];
      expect(verdicts('loss', genuine)).toEqual(['genuine', 'unknown']);
    });

    test('does without probes', () => {
      const recovery = new SpuriousRecovery();
      recovery.begin('timeout', 0, 10 * MSS);
      recovery.onResend(0, MSS, 500);
      recovery.onAck(500, 500, true, false);
      expect(recovery.probesWithNewData).toBe(false);
    });
  });

  describe('by new data after a timeout (F-RTO)', () => {
    test.each<{ name: string; steps: readonly Step[]; told: string[] }>([
      {
        name: 'two parts are acknowledged',
        steps: [{ resend: 0 }, { ack: 1 }, { fresh: 10 }, { fresh: 11 }, { ack: 2 }],
        told: ['unknown', 'spurious'],
      },
      {
        name: 'all that was out is acknowledged, and no probe',
        steps: [{ resend: 0 }, { ack: 1 }, { fresh: 10 }, { ack: 10 }],
        told: ['unknown', 'spurious'],
      },
      {
        name: 'a probe is acknowledged with it',
        steps: [{ resend: 0 }, { ack: 1 }, { fresh: 10 }, { ack: 11 }],
        told: ['unknown', 'genuine'],
      },
      {
        name: 'a duplicate comes first',
        steps: [{ resend: 0 }, { ack: 0 }, { ack: 1 }, { ack: 2 }],
        told: ['genuine', 'unknown', 'unknown'],
      },
      {
        name: 'a duplicate comes after the probes',
        steps: [{ resend: 0 }, { ack: 1 }, { fresh: 10 }, { ack: 1 }],
        told: ['unknown', 'genuine'],
      },
      {
        name: 'SACK tells of a probe',
        steps: [{ resend: 0 }, { ack: 1 }, { fresh: 10 }, { ack: 1, sacked: true }],
        told: ['unknown', 'genuine'],
      },
      {
        name: 'SACK tells of something before there was a probe',
        steps: [{ resend: 0 }, { ack: 1 }, { ack: 1, sacked: true }],
        told: ['unknown', 'spurious'],
      },
      {
        name: 'SACK tells of something before the first part',
        steps: [{ resend: 0 }, { ack: 0, sacked: true }, { ack: 1 }, { ack: 2 }],
        told: ['unknown', 'unknown', 'spurious'],
      },
      {
        name: 'all is acknowledged at once',
        steps: [{ resend: 0 }, { ack: 10 }, { ack: 11 }],
        told: ['genuine', 'unknown'],
      },
      {
        name: 'all but one is acknowledged at once',
        steps: [{ resend: 0 }, { ack: 9 }, { ack: 10 }],
        told: ['unknown', 'spurious'],
      },
      {
        name: 'less than one segment is acknowledged',
        steps: [{ resend: 0 }, { ack: 0.5 }, { ack: 1 }, { ack: 2 }],
        told: ['unknown', 'unknown', 'spurious'],
      },
      {
        name: 'more is sent again instead of probes',
        steps: [{ resend: 0 }, { ack: 1 }, { resend: 1 }, { ack: 2 }],
        told: ['unknown', 'unknown'],
      },
      {
        name: 'more was sent again before: its acknowledgement tells nothing',
        steps: [{ resend: 0 }, { resend: 1 }, { ack: 1 }, { ack: 2 }, { ack: 3 }],
        told: ['unknown', 'unknown', 'spurious'],
      },
      {
        name: 'nothing was sent again yet',
        steps: [{ ack: 1 }, { ack: 2 }],
        told: ['unknown', 'unknown'],
      },
      {
        name: 'new data goes out before the answer: it is no probe',
        steps: [{ resend: 0 }, { fresh: 10 }, { ack: 10 }],
        told: ['genuine'],
      },
    ])('$name: $told', ({ steps, told }) => {
      expect(verdicts('timeout', steps)).toEqual(told);
      expect(verdicts('timeout', steps, 0xffff_f000)).toEqual(told);
    });

    test('has no say in fast recovery', () => {
      const steps = [{ resend: 0 }, { ack: 1 }, { ack: 2 }, { ack: 2 }];
      expect(verdicts('loss', steps)).toEqual(['unknown', 'unknown', 'unknown']);
    });

    test('asks for new data between the first answer and the next', () => {
      const recovery = new SpuriousRecovery();
      const asked: boolean[] = [];
      const look = () => asked.push(recovery.probesWithNewData);
      recovery.begin('timeout', 0, 10 * MSS);
      recovery.onResend(0, MSS, NONE);
      look();
      recovery.onAck(MSS, NONE, true, false);
      look();
      recovery.onNewData(10 * MSS);
      look();
      recovery.onAck(2 * MSS, NONE, true, false);
      look();
      expect(asked).toEqual([false, true, true, false]);
    });

    test.each<{ name: string; act: (recovery: SpuriousRecovery) => void }>([
      { name: 'when recovery ends', act: (recovery) => recovery.end() },
      { name: 'when more is sent again', act: (recovery) => recovery.onResend(MSS, MSS, NONE) },
    ])('asks no longer $name', ({ act }) => {
      const recovery = new SpuriousRecovery();
      recovery.begin('timeout', 0, 10 * MSS);
      recovery.onResend(0, MSS, NONE);
      recovery.onAck(MSS, NONE, true, false);
      act(recovery);
      expect(recovery.probesWithNewData).toBe(false);
      expect(recovery.onAck(2 * MSS, NONE, true, false)).toBe('unknown');
    });
  });

  describe('a timeout after a timeout', () => {
    test('keeps the first timestamp, while nothing was acknowledged', () => {
      const recovery = new SpuriousRecovery();
      recovery.begin('timeout', 0, 10 * MSS);
      recovery.onResend(0, MSS, 500);
      recovery.begin('timeout', 0, 10 * MSS);
      recovery.onResend(0, MSS, 900);
      expect(recovery.onAck(MSS, 500, true, false)).toBe('genuine');
    });

    test('keeps the verdict too', () => {
      const recovery = new SpuriousRecovery();
      recovery.begin('timeout', 0, 10 * MSS);
      recovery.onResend(0, MSS, NONE);
      recovery.onAck(0, NONE, false, false);
      recovery.begin('timeout', 0, 10 * MSS);
      recovery.onResend(0, MSS, NONE);
      expect(recovery.onAck(MSS, NONE, true, false)).toBe('unknown');
      expect(recovery.probesWithNewData).toBe(false);
    });

    test.each([
      { name: 'after progress', cause: 'timeout' as const, una: MSS },
      { name: 'after fast recovery', cause: 'loss' as const, una: 0 },
    ])('is another one $name', ({ cause, una }) => {
      const recovery = new SpuriousRecovery();
      recovery.begin(cause, 0, 10 * MSS);
      recovery.onResend(0, MSS, 500);
      recovery.begin('timeout', una, 10 * MSS);
      recovery.onResend(una, MSS, 900);
      expect(recovery.onAck(una + MSS, 800, true, false)).toBe('spurious');
    });

    test('after one that was spurious is another one', () => {
      const recovery = new SpuriousRecovery();
      recovery.begin('timeout', 0, 10 * MSS);
      recovery.onResend(0, MSS, 500);
      expect(recovery.onDuplicate(0, MSS)).toBe(true);
      recovery.begin('timeout', 0, 10 * MSS);
      recovery.onResend(0, MSS, 900);
      expect(recovery.onAck(MSS, 800, true, false)).toBe('spurious');
    });
  });

  describe('by duplicates that the peer reports (D-SACK)', () => {
    /** Segments 2 and 5 were sent again. */
    function resent(base = 0): SpuriousRecovery {
      const recovery = new SpuriousRecovery();
      recovery.begin('loss', base, (base + 10 * MSS) >>> 0);
      recovery.onResend((base + 2 * MSS) >>> 0, MSS, NONE);
      recovery.onResend((base + 5 * MSS) >>> 0, MSS, NONE);
      return recovery;
    }

    test.each([0, 0xffff_f000])('every byte must be reported, from %d', (base) => {
      const recovery = resent(base);
      const report = (from: number, to: number) =>
        recovery.onDuplicate((base + from) >>> 0, (base + to) >>> 0);
      expect(report(2 * MSS, 3 * MSS)).toBe(false);
      expect(report(5 * MSS, 6 * MSS - 1)).toBe(false);
      expect(report(6 * MSS - 1, 6 * MSS)).toBe(true);
    });

    test('says so once', () => {
      const recovery = resent();
      recovery.onDuplicate(2 * MSS, 3 * MSS);
      expect(recovery.onDuplicate(5 * MSS, 6 * MSS)).toBe(true);
      expect(recovery.onDuplicate(5 * MSS, 6 * MSS)).toBe(false);
      recovery.onResend(MSS, MSS, NONE);
      expect(recovery.onDuplicate(MSS, 2 * MSS)).toBe(false);
    });

    test.each([
      { name: 'before all of it', start: 0xffff_0000, end: 0 },
      { name: 'behind all of it', start: 6 * MSS, end: 9 * MSS },
      { name: 'turned around', start: 6 * MSS, end: 0 },
      { name: 'empty', start: 3 * MSS, end: 3 * MSS },
    ])('a report $name counts nothing', ({ start, end }) => {
      const recovery = resent();
      recovery.onDuplicate(2 * MSS, 3 * MSS);
      expect(recovery.onDuplicate(start, end)).toBe(false);
      expect(recovery.onDuplicate(start, end)).toBe(false);
      expect(recovery.onDuplicate(5 * MSS, 6 * MSS)).toBe(true);
    });

    test.each([
      { name: 'from before', start: 0xffff_0000, end: MSS },
      { name: 'to behind', start: 5 * MSS, end: 60 * MSS },
    ])('of a report that reaches $name only what lies within counts', ({ start, end }) => {
      expect(resent().onDuplicate(start, end)).toBe(false);
    });

    test('what was sent three times is reported twice', () => {
      const recovery = new SpuriousRecovery();
      recovery.begin('loss', 0, 10 * MSS);
      recovery.onResend(0, MSS, NONE);
      recovery.onResend(0, MSS, NONE);
      expect(recovery.onDuplicate(0, MSS)).toBe(false);
      expect(recovery.onDuplicate(0, MSS)).toBe(true);
    });

    test('watches on when recovery is over, until the next begins', () => {
      const recovery = resent();
      recovery.end();
      recovery.onDuplicate(2 * MSS, 3 * MSS);
      expect(recovery.onDuplicate(5 * MSS, 6 * MSS)).toBe(true);
      const other = resent();
      other.begin('loss', 9 * MSS, 20 * MSS);
      expect(other.onDuplicate(0, 9 * MSS)).toBe(false);
    });

    test('may tell more than a timestamp that spoke against it', () => {
      const recovery = new SpuriousRecovery();
      recovery.begin('loss', 0, 10 * MSS);
      recovery.onResend(0, MSS, 500);
      expect(recovery.onAck(MSS, 500, true, false)).toBe('genuine');
      expect(recovery.onDuplicate(0, MSS)).toBe(true);
    });

    test('says nothing new when another witness has spoken for it', () => {
      const recovery = new SpuriousRecovery();
      recovery.begin('loss', 0, 10 * MSS);
      recovery.onResend(0, MSS, 500);
      expect(recovery.onAck(MSS, 400, true, false)).toBe('spurious');
      expect(recovery.onDuplicate(0, MSS)).toBe(false);
    });

    test('ends the wait of the others', () => {
      const recovery = new SpuriousRecovery();
      recovery.begin('loss', 0, 10 * MSS);
      recovery.onResend(0, MSS, 500);
      expect(recovery.onDuplicate(0, MSS)).toBe(true);
      expect(recovery.onAck(MSS, 400, true, false)).toBe('unknown');
    });

    test('knows nothing where nothing was sent again', () => {
      const recovery = new SpuriousRecovery();
      expect(recovery.onDuplicate(0, MSS)).toBe(false);
      recovery.onResend(0, MSS, NONE);
      expect(recovery.onDuplicate(0, MSS)).toBe(false);
      recovery.begin('loss', 0, 10 * MSS);
      expect(recovery.onDuplicate(0, MSS)).toBe(false);
    });
  });
});
