import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Channel } from '../../src/core/channel.ts';

/** Lets every promise that can settle do so. */
const quiet = () => new Promise((resolve) => setImmediate(resolve));

function filled(slots: number): Channel<number> {
  const channel = new Channel<number>('aToB', slots);
  for (let item = 0; item < slots; item += 1) channel.push(item);
  return channel;
}

describe('Channel, the synchronous half', () => {
  test('equals an array with a limit, whatever is done to it', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.constant<'push'>('push') },
      { weight: 4, arbitrary: fc.constant<'take'>('take') },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.array(step, { maxLength: 200 }),
        (n, steps) => {
          const channel = new Channel<number>('aToB', n);
          const model: number[] = [];
          for (const [item, kind] of steps.entries()) {
            if (kind === 'push') {
              expect(channel.push(item)).toBe(model.length < n);
              if (model.length < n) model.push(item);
            } else {
              expect(channel.take()).toBe(model.shift());
            }
            expect(channel.size).toBe(model.length);
            expect(channel.empty).toBe(model.length === 0);
            expect(channel.full).toBe(model.length === n);
          }
        },
      ),
    );
  });

  test('wakes the reader once for the first item and the writer once for the first room', () => {
    const woken: string[] = [];
    const channel = new Channel<number>('aToB', 2, () => woken.push('item'));
    channel.onRoom = () => woken.push('room');
    channel.push(1);
    channel.push(2);
    channel.push(3);
    expect(woken).toEqual(['item']);
    channel.take();
    channel.take();
    expect(woken).toEqual(['item', 'room']);
  });

  test('a wake that is named later replaces the first', () => {
    let woken = 0;
    const channel = new Channel<number>('aToB', 2, () => expect.unreachable());
    channel.onItem = () => {
      woken += 1;
    };
    channel.push(1);
    expect(woken).toBe(1);
  });

  test('closed: takes nothing more in, gives out what is inside, wakes the reader', () => {
    let woken = 0;
    const channel = filled(2);
    channel.onItem = () => {
      woken += 1;
    };
    channel.close();
    channel.close();
    expect([channel.push(9), channel.closed, woken]).toEqual([false, true, 1]);
    expect([channel.take(), channel.take(), channel.take()]).toEqual([0, 1, undefined]);
  });

  test('failed: drops what is inside', () => {
    const channel = filled(2);
    channel.fail(new Error('broken'));
    expect([channel.size, channel.take(), channel.push(9)]).toEqual([0, undefined, false]);
  });
});

describe('Channel, the waiting half', () => {
  test('send waits for room, receive for an item, and the order is kept', async () => {
    const channel = new Channel<number>('aToB', 2);
    const received: (number | undefined)[] = [];
    const reading = (async () => {
      for (let n = 0; n < 50; n += 1) received.push(await channel.receive());
    })();
    for (let item = 0; item < 50; item += 1) await channel.send(item);
    await reading;
    expect(received).toEqual(Array.from({ length: 50 }, (_, item) => item));
  });

  test('every one of several who wait gets its turn', async () => {
    const full = filled(1);
    const sent = [1, 2, 3].map((item) => full.send(item));
    const taken: (number | undefined)[] = [];
    for (let n = 0; n < 4; n += 1) taken.push(await full.receive());
    await Promise.all(sent);
    expect(taken).toEqual([0, 1, 2, 3]);

    const empty = new Channel<number>('aToB', 4);
    const receiving = Promise.all([empty.receive(), empty.receive(), empty.receive()]);
    for (const item of [1, 2, 3]) empty.push(item);
    expect(await receiving).toEqual([1, 2, 3]);
  });

  const ends = {
    close: {
      end: (channel: Channel<number>) => channel.close(),
      message: 'channel aToB is closed',
    },
    fail: { end: (channel: Channel<number>) => channel.fail(new Error('cut')), message: 'cut' },
  };
  test.each(Object.entries(ends))('nobody who sends waits past %s', async (_, { end, message }) => {
    const channel = filled(1);
    const settled = Promise.allSettled([channel.send(1), channel.send(2)]);
    end(channel);
    for (const result of await settled) {
      expect(result).toMatchObject({ status: 'rejected', reason: { message } });
    }
    await expect(channel.send(3)).rejects.toThrow(message);
  });

  test('nobody who receives waits past close: what is inside first, then undefined', async () => {
    const channel = new Channel<number>('aToB', 4);
    const waiting = Promise.all([channel.receive(), channel.receive()]);
    channel.push(1);
    channel.close();
    expect(await waiting).toEqual([1, undefined]);
    expect(await channel.receive()).toBeUndefined();
  });

  test('nobody who receives waits past fail; the first failure is the one that is told', async () => {
    const channel = new Channel<number>('aToB', 4);
    const waiting = channel.receive();
    channel.fail(new Error('first'));
    channel.fail(new Error('second'));
    await expect(waiting).rejects.toThrow('first');
    await expect(channel.receive()).rejects.toThrow('first');
  });

  test('fail after close still drops the rest and rejects', async () => {
    const channel = filled(3);
    channel.close();
    channel.fail(new Error('cut'));
    await expect(channel.receive()).rejects.toThrow('cut');
  });

  test('an abort frees the one who waits and takes nothing from the others', async () => {
    const channel = new Channel<number>('aToB', 1);
    const controller = new AbortController();
    const aborted = channel.receive({ signal: controller.signal });
    const patient = channel.receive();
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    channel.push(7);
    expect(await patient).toBe(7);
  });

  test('an aborted send places nothing, and a signal that is aborted already does not wait', async () => {
    const channel = filled(1);
    const controller = new AbortController();
    const sending = channel.send(1, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(sending).rejects.toThrow('enough');
    await expect(channel.send(2, { signal: controller.signal })).rejects.toThrow('enough');
    channel.take();
    await quiet();
    expect(channel.size).toBe(0);
  });

  test('an abort between wake-up and turn loses no item', async () => {
    const channel = new Channel<number>('aToB', 1);
    const controller = new AbortController();
    const receiving = channel.receive({ signal: controller.signal });
    channel.push(7);
    controller.abort();
    expect(await receiving).toBe(7);
  });

  test('whoever is overtaken waits on and is woken again', async () => {
    const channel = new Channel<number>('aToB', 1);
    const receiving = channel.receive();
    channel.push(1);
    expect(channel.take()).toBe(1);
    await quiet();
    channel.push(2);
    expect(await receiving).toBe(2);
  });

  test('under any mix of operations that ends in close or fail, every promise settles', async () => {
    const step = fc.constantFrom('push', 'take', 'send', 'receive', 'abort', 'turn');
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.constantFrom<'close' | 'fail'>('close', 'fail'),
        async (steps, end) => {
          const channel = new Channel<number>('aToB', 2);
          const controller = new AbortController();
          const { signal } = controller;
          let open = 0;
          const watch = (promise: Promise<unknown>) => {
            open += 1;
            const settled = () => {
              open -= 1;
            };
            promise.then(settled, settled);
          };
          for (const [item, kind] of steps.entries()) {
            const options = item % 2 === 0 ? { signal } : {};
            if (kind === 'push') channel.push(item);
            else if (kind === 'take') channel.take();
            else if (kind === 'send') watch(channel.send(item, options));
            else if (kind === 'receive') watch(channel.receive(options));
            else if (kind === 'abort') controller.abort();
            else await quiet();
          }
          if (end === 'close') channel.close();
          else channel.fail(new Error('cut'));
          await quiet();
          expect(open).toBe(0);
        },
      ),
    );
  });
});
