import { describe, expect, test } from 'vitest';
import { Channel } from '../../src/core/channel.ts';
import type { Clock } from '../../src/core/clock.ts';
import { MAX_ROUNDS, Pump, type Service } from '../../src/core/pump.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const neverFails = (error: unknown): void => expect.unreachable(String(error));

/** Writes down every call, and says for `busyRounds` rounds that something moved. */
function spy(name: string, calls: string[], busyRounds = 0): Service {
  let left = busyRounds;
  return {
    name,
    moveUpWorker: () => {
      calls.push(`${name} up`);
      left -= 1;
      return left >= 0;
    },
    endOfBurst: () => {
      calls.push(`${name} end`);
    },
    moveDownWorker: () => {
      calls.push(`${name} down`);
      return false;
    },
  };
}

/** Reaches `at` once, then never again. */
function alarm(at: number, fired: number[]): Service {
  let due = at;
  return {
    name: 'alarm',
    nextTimeout: () => due,
    onTimeout: (now) => {
      if (now < due) return;
      fired.push(now);
      due = Number.POSITIVE_INFINITY;
    },
  };
}

describe('Pump', () => {
  test('goes up from the bottom, runs timers and the ends of bursts, then down from the top', () => {
    const calls: string[] = [];
    const clock = new VirtualClock();
    const pump = new Pump(clock, neverFails);
    pump.add({
      ...spy('low', calls),
      nextTimeout: () => (calls.includes('low timer') ? Number.POSITIVE_INFINITY : 0),
      onTimeout: () => calls.push('low timer'),
    });
    pump.add(spy('high', calls));
    pump.run(0);
    expect(calls.slice(0, 7)).toEqual([
      'low up',
      'high up',
      'low timer',
      'low end',
      'high end',
      'high down',
      'low down',
    ]);
  });

  test('runs no timer while something comes up, but for the last round', () => {
    const calls: string[] = [];
    const rounds = (busyRounds: number) => {
      const fired: number[] = [];
      const pump = new Pump(new VirtualClock(), neverFails);
      calls.length = 0;
      pump.add(spy('input', calls, busyRounds));
      const timer = alarm(0, fired);
      pump.add({
        ...timer,
        onTimeout: (now) => {
          calls.push('timer');
          timer.onTimeout?.(now);
        },
      });
      pump.run(0);
      return calls.filter((call) => call === 'timer' || call === 'input up');
    };
    expect(rounds(2).slice(0, 4)).toEqual(['input up', 'input up', 'input up', 'timer']);
    expect(rounds(MAX_ROUNDS + 5)).toEqual([...Array(MAX_ROUNDS).fill('input up'), 'timer']);
  });

  test('goes round again while something moved', () => {
    const calls: string[] = [];
    const clock = new VirtualClock();
    const pump = new Pump(clock, neverFails);
    pump.add(spy('only', calls, 3));
    clock.settle();
    expect(calls.filter((call) => call === 'only up')).toHaveLength(4);
  });

  test('lets the event loop run after MAX_ROUNDS and goes on in the next turn', () => {
    const calls: string[] = [];
    const clock = new VirtualClock();
    const pump = new Pump(clock, neverFails);
    pump.add(spy('busy', calls, MAX_ROUNDS + 2));
    pump.run(0);
    expect(calls.filter((call) => call === 'busy up')).toHaveLength(MAX_ROUNDS);
    expect(clock.busy).toBe(true);
    clock.settle();
    expect(calls.filter((call) => call === 'busy up')).toHaveLength(MAX_ROUNDS + 3);
  });

  test('a burst is one turn, however often it is armed, and the turn leaves no other behind', () => {
    const clock = new VirtualClock();
    const pump = new Pump(clock, neverFails);
    const aToB = new Channel<number>('aToB', 64, pump.arm);
    const bToC = new Channel<number>('bToC', 64, pump.arm);
    const taken: number[] = [];
    let turns = 0;
    pump.add({
      name: 'b',
      moveUpWorker: () => {
        const item = aToB.take();
        return item !== undefined && bToC.push(item);
      },
    });
    pump.add({
      name: 'c',
      moveUpWorker: () => {
        const item = bToC.take();
        if (item !== undefined) taken.push(item);
        return item !== undefined;
      },
      endOfBurst: () => {
        turns += 1;
      },
    });
    clock.settle();
    turns = 0;
    for (let item = 0; item < 5; item += 1) aToB.push(item);
    pump.arm();
    clock.settle();
    expect(taken).toEqual([0, 1, 2, 3, 4]);
    expect(turns).toBe(6);
  });

  test('what is armed by a worker that moved nothing still gets its turn', () => {
    const clock = new VirtualClock();
    const pump = new Pump(clock, neverFails);
    let asked = 0;
    pump.add({
      name: 'late',
      moveDownWorker: () => {
        asked += 1;
        if (asked === 1) pump.arm();
        return false;
      },
    });
    clock.settle();
    expect(asked).toBe(2);
  });

  test('keeps one timer, set to the earliest deadline', () => {
    const clock = new VirtualClock();
    let running = 0;
    const counting: Clock = {
      now: () => clock.now(),
      unixSeconds: () => clock.unixSeconds(),
      setImmediate: (callback) => clock.setImmediate(callback),
      setTimer(at, callback) {
        running += 1;
        let open = true;
        const end = () => {
          if (open) running -= 1;
          open = false;
        };
        const cancel = clock.setTimer(at, () => {
          end();
          callback();
        });
        return () => {
          end();
          cancel();
        };
      },
    };
    const fired: number[] = [];
    const pump = new Pump(counting, neverFails);
    for (const at of [300, 100, 200]) pump.add(alarm(at, fired));
    clock.settle();
    expect([running, clock.nextAt]).toEqual([1, 100]);
    for (const after of [200, 300]) {
      clock.step();
      expect([running, clock.nextAt]).toEqual([1, after]);
    }
    clock.step();
    expect([running, fired]).toEqual([0, [100, 200, 300]]);
  });

  test('a removed service is not asked again', () => {
    const calls: string[] = [];
    const pump = new Pump(new VirtualClock(), neverFails);
    const gone = spy('gone', calls);
    pump.add(gone);
    pump.add(spy('there', calls));
    pump.remove(gone);
    pump.run(0);
    expect(calls).toEqual(['there up', 'there end', 'there down']);
  });

  const faults: Record<string, (fault: () => never) => Service> = {
    moveUpWorker: (fault) => ({ name: 'bad', moveUpWorker: fault }),
    endOfBurst: (fault) => ({ name: 'bad', endOfBurst: fault }),
    moveDownWorker: (fault) => ({ name: 'bad', moveDownWorker: fault }),
    onTimeout: (fault) => ({ name: 'bad', nextTimeout: () => 0, onTimeout: fault }),
    nextTimeout: (fault) => ({ name: 'bad', nextTimeout: fault }),
  };
  test.each(Object.entries(faults))('stops and tells when %s throws', (_, service) => {
    const errors: unknown[] = [];
    const calls: string[] = [];
    const clock = new VirtualClock();
    const pump = new Pump(clock, (error) => errors.push(error));
    pump.add(
      service(() => {
        throw new Error('bad worker');
      }),
    );
    clock.settle();
    pump.add(spy('later', calls));
    pump.arm();
    clock.settle();
    expect(errors).toEqual([new Error('bad worker')]);
    expect(calls).toEqual([]);
    expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('no worker runs after stop, not even in the round that is going on', () => {
    const calls: string[] = [];
    const clock = new VirtualClock();
    const pump = new Pump(clock, neverFails);
    pump.add({
      name: 'stopper',
      moveUpWorker: () => {
        pump.stop();
        return true;
      },
    });
    pump.add(spy('above', calls));
    clock.settle();
    expect(calls).toEqual([]);
    expect(clock.step()).toBe(false);
  });

  test('a run inside a run does nothing', () => {
    const pump = new Pump(new VirtualClock(), neverFails);
    let depth = 0;
    pump.add({
      name: 'recursive',
      moveUpWorker: (now) => {
        depth += 1;
        pump.run(now);
        return false;
      },
    });
    pump.run(0);
    expect(depth).toBe(1);
  });

  test('tells the time of the run that is going on, else the clock’s', () => {
    const clock = new VirtualClock();
    const pump = new Pump(clock, neverFails);
    const seen: number[] = [];
    clock.advance(5);
    pump.add({
      name: 'asker',
      moveUpWorker: (now) => {
        seen.push(now, pump.now);
        return false;
      },
    });
    expect(pump.now).toBe(5);
    pump.run(3);
    expect(seen).toEqual([3, 3]);
    expect(pump.now).toBe(5);
  });
});
