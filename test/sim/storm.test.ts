import { expect, test } from 'vitest';
import { SIM_WRAPS } from './sim-identity.ts';
import { Storm } from './storm.ts';

const SESSIONS = 24;
const MIN_PACKETS = 10_000;
const STEP_MS = 10;
const STEPS = 24;
const BURST = 12;
const LIMIT_STEPS = 1_000;

test.each(SIM_WRAPS.map((wrap) => ({ wrap })))(
  'sessions that replace each other under $wrap send nothing of memory that was used before',
  async ({ wrap }) => {
    const storm = await Storm.of(wrap);
    for (let round = 0; round < SESSIONS; round += 1) {
      const [oldest] = storm.living;
      storm.stopUnfinished();
      storm.open();
      // Some are replaced before they have a tunnel, in a different phase each time.
      if (round % 4 === 3) {
        await storm.advance(round);
        continue;
      }
      for (let step = 0; !storm.isUp && step < LIMIT_STEPS; step += 1) {
        storm.talk(1);
        await storm.advance(STEP_MS);
      }
      expect({ isUp: storm.isUp, faults: storm.wire.faults }).toEqual({ isUp: true, faults: [] });
      if (round % 2 === 0) storm.renegotiate();
      for (let step = 0; step < STEPS; step += 1) {
        storm.talk(BURST);
        await storm.advance(STEP_MS);
        if (step === STEPS / 2 && storm.living.length > 2) leave(round, oldest);
      }
    }
    await storm.stop();
    expect(storm.wire.faults).toEqual([]);
    expect(storm.inner.faults).toBe(0);
    expect(storm.inner.received).toBeGreaterThan(MIN_PACKETS / 4);
    expect(storm.wire.packets).toBeGreaterThan(MIN_PACKETS);
    expect(storm.wire.serverSessions).toBeGreaterThan(SESSIONS / 2);
  },
);

/** The oldest session ends, in one way or another. */
function leave(round: number, session: Storm['living'][number] | undefined): void {
  if (round % 3 === 0) session?.stop();
  else if (round % 3 === 1) session?.fail(new Error('replaced'));
  else void session?.close();
}
