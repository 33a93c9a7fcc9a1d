import { describe, expect, test } from 'vitest';
import { Channel } from '../../src/core/channel.ts';
import { BATCH, type Service } from '../../src/core/pump.ts';
import { Workers } from '../../src/core/workers.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

/** Two layers over small channels, with both outer ends waiting: a session in miniature. */
function chain() {
  const clock = new VirtualClock();
  const workers = new Workers(clock);
  const inToMiddle = new Channel<number>('inToMiddle', 2, workers.pump.arm);
  const middleToOut = new Channel<number>('middleToOut', 2, workers.pump.arm);
  const channels = [inToMiddle, middleToOut];
  const stopped: string[] = [];
  for (const channel of channels) channel.onRoom = workers.pump.arm;
  workers.start({
    name: 'middle',
    moveUpWorker: () => {
      let moved = 0;
      while (moved < BATCH && !middleToOut.full) {
        const item = inToMiddle.take();
        if (item === undefined) break;
        if (item < 0) throw new Error('bad item');
        middleToOut.push(item);
        moved += 1;
      }
      return moved > 0;
    },
    stop: () => {
      stopped.push('middle');
      for (const channel of channels) {
        if (workers.error === undefined) channel.close();
        else channel.fail(workers.error);
      }
    },
  });
  return { clock, workers, inToMiddle, middleToOut, stopped };
}

/** Runs the pump and the promises in turns until both are quiet. */
async function settle(clock: VirtualClock): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    clock.settle();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('Workers', () => {
  test('carry all that is sent, in order, through full channels', async () => {
    const { clock, workers, inToMiddle, middleToOut } = chain();
    const received: (number | undefined)[] = [];
    const sending = (async () => {
      for (let item = 0; item < 20; item += 1) await inToMiddle.send(item);
    })();
    const receiving = (async () => {
      while (received.length < 20) received.push(await middleToOut.receive());
    })();
    await settle(clock);
    await Promise.all([sending, receiving]);
    workers.stop();
    expect(received).toEqual(Array.from({ length: 20 }, (_, item) => item));
    expect(await workers.done).toBeUndefined();
  });

  const ends: Record<string, (workers: Workers, input: Channel<number>) => void> = {
    'stop is called': (workers) => workers.stop(),
    'fail is called': (workers) => workers.fail(new Error('link broken')),
    'a worker throws': (_, input) => input.push(-1),
  };
  test.each(Object.entries(ends))('nobody hangs when %s', async (_, end) => {
    const { clock, workers, inToMiddle, middleToOut } = chain();
    const receiver = middleToOut.receive();
    end(workers, inToMiddle);
    const settled = Promise.allSettled([receiver, workers.done]);
    await settle(clock);
    await settled;
    expect(workers.stopped).toBe(true);
    await Promise.allSettled([inToMiddle.send(1), middleToOut.receive()]);
  });

  test('nobody hangs who sends into a chain that is full to the end', async () => {
    const { clock, workers, inToMiddle } = chain();
    const sent = Promise.allSettled([0, 1, 2, 3, 4, 5, 6].map((item) => inToMiddle.send(item)));
    await settle(clock);
    workers.fail(new Error('link broken'));
    const results = await sent;
    expect(results.map(({ status }) => status)).toEqual([
      ...new Array<string>(4).fill('fulfilled'),
      ...new Array<string>(3).fill('rejected'),
    ]);
    expect(results[6]).toMatchObject({ reason: { message: 'link broken' } });
  });

  test('the first error is the one that is told', async () => {
    const { workers } = chain();
    workers.fail(new Error('first'));
    workers.fail(new Error('second'));
    workers.stop();
    expect(await workers.done).toEqual(new Error('first'));
    expect(workers.error).toEqual(new Error('first'));
  });

  test('a thrown value that is no error becomes one', async () => {
    const clock = new VirtualClock();
    const workers = new Workers(clock);
    workers.start({
      name: 'odd',
      moveUpWorker: () => {
        throw 'just text';
      },
    });
    clock.settle();
    expect(await workers.done).toEqual(new Error('just text'));
  });

  test('stop takes the layers from the top, each once, although one of them fails to', async () => {
    const stopped: string[] = [];
    const layer = (name: string, end: () => void = () => {}): Service => ({
      name,
      stop: () => {
        stopped.push(name);
        end();
      },
    });
    const workers = new Workers(new VirtualClock());
    workers.start(layer('low'));
    workers.start(
      layer('middle', () => {
        throw new Error('will not stop');
      }),
    );
    workers.start(layer('high', () => workers.stop()));
    workers.stop();
    workers.stop();
    expect(stopped).toEqual(['high', 'middle', 'low']);
    expect(await workers.done).toEqual(new Error('will not stop'));
  });

  test('a layer that comes after the end is stopped at once and never runs', () => {
    const clock = new VirtualClock();
    const workers = new Workers(clock);
    workers.stop();
    let stops = 0;
    workers.start({
      name: 'late',
      moveUpWorker: () => expect.unreachable(),
      stop: () => {
        stops += 1;
      },
    });
    clock.settle();
    expect(stops).toBe(1);
  });
});
