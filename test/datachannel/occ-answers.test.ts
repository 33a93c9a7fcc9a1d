import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import {
  OCC_MAGIC,
  OccOpcode,
  occMessage,
  occNumbers,
} from '../../src/datachannel/in-band-message.ts';
import { OCC_ANSWERS_PER_SECOND, OccAnswers, probe } from '../../src/datachannel/occ-answers.ts';
import type { OuterSizes } from '../../src/datachannel/outer-sizes.ts';

const OVERHEAD = 24;
const LONGEST = 1524;
const { REQUEST, REPLY, MTU_LOAD_REQUEST, MTU_LOAD, MTU_REQUEST, MTU_REPLY } = OccOpcode;

function answers(optionsString = 'V4,dev-type tun'): { answers: OccAnswers; sizes: OuterSizes } {
  const sizes = { received: 1100, sent: 900 };
  return { sizes, answers: new OccAnswers(optionsString, sizes, OVERHEAD, LONGEST) };
}

/** What the peer gets for its message, once it has paid with probes of its own. */
function answerTo(message: Buffer, credit = 60_000): Buffer | undefined {
  const { answers: machine } = answers();
  machine.receive(occMessage(MTU_LOAD), credit, 0);
  machine.receive(message, message.length, 0);
  return machine.take();
}

describe('OccAnswers', () => {
  test('tells the options string, ended by NUL', () => {
    expect(answerTo(occMessage(REQUEST))).toEqual(
      Buffer.concat([OCC_MAGIC, Buffer.of(REPLY), Buffer.from('V4,dev-type tun\0')]),
    );
  });

  test('tells no options string where there is none', () => {
    const { answers: machine } = answers('');
    expect(machine.receive(occMessage(REQUEST), 41, 0)).toBe(Drop.NONE);
    expect(machine.take()).toBeUndefined();
  });

  test('tells the longest packets as they are when asked', () => {
    const { answers: machine, sizes } = answers();
    sizes.sent = 1300;
    machine.receive(occMessage(MTU_REQUEST), 41, 0);
    expect(machine.take()).toEqual(
      Buffer.concat([OCC_MAGIC, Buffer.of(MTU_REPLY, 0x04, 0x4c, 0x05, 0x14)]),
    );
    expect(machine.take()).toBeUndefined();
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { asked: 0,      outer: 41 },
    { asked: 41,     outer: 41 },
    { asked: 42,     outer: 42 },
    { asked: 1524,   outer: 1524 },
    { asked: 1525,   outer: 1524 },
    { asked: 0xffff, outer: 1524 },
  ])('a probe of $asked is a packet of $outer', ({ asked, outer }) => {
    const answer = answerTo(occNumbers(MTU_LOAD_REQUEST, asked));
    expect(answer?.length).toBe(outer - OVERHEAD);
    expect(answer?.subarray(0, 17)).toEqual(Buffer.concat([OCC_MAGIC, Buffer.of(MTU_LOAD)]));
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'a reply',        message: Buffer.concat([occMessage(REPLY), Buffer.from('V4\0')]) },
    { name: 'a probe',        message: probe(1000, OVERHEAD) },
    { name: 'sizes',          message: occNumbers(MTU_REPLY, 1, 2) },
    { name: 'another opcode', message: Buffer.concat([OCC_MAGIC, Buffer.of(77)]) },
  ])('$name is not answered', ({ message }) => {
    expect(answerTo(message)).toBeUndefined();
  });

  test('a request for a probe that names no size is malformed', () => {
    const { answers: machine } = answers();
    expect(machine.receive(occMessage(MTU_LOAD_REQUEST), 41, 0)).toBe(Drop.MALFORMED);
    expect(machine.receive(occMessage(MTU_LOAD_REQUEST, 1), 42, 0)).toBe(Drop.MALFORMED);
    expect(machine.take()).toBeUndefined();
  });

  test('never more bytes of probes go out than came in', () => {
    const { answers: machine } = answers();
    let came = 0;
    let went = 0;
    for (let second = 0; second < 200; second += 1) {
      const request = occNumbers(MTU_LOAD_REQUEST, LONGEST);
      const outer = request.length + OVERHEAD;
      came += outer;
      const drop = machine.receive(request, outer, second * 1000);
      const answer = machine.take();
      went += answer === undefined ? 0 : answer.length + OVERHEAD;
      expect(drop).toBe(answer === undefined ? Drop.RATE_LIMITED : Drop.NONE);
      expect(went).toBeLessThanOrEqual(came);
    }
    expect(went).toBeGreaterThan(0);
  });

  test.each([REQUEST, MTU_REQUEST, MTU_LOAD_REQUEST])(
    'opcode %i: a few answers a second',
    (opcode) => {
      const { answers: machine } = answers();
      machine.receive(occMessage(MTU_LOAD), 60_000, 0);
      const askHundred = (now: number) => {
        let count = 0;
        for (let each = 0; each < 100; each += 1) {
          machine.receive(occNumbers(opcode, 100), 43, now);
          if (machine.take() !== undefined) count += 1;
        }
        return count;
      };
      expect(askHundred(0)).toBe(OCC_ANSWERS_PER_SECOND);
      expect(askHundred(0)).toBe(0);
      expect(askHundred(1000)).toBe(OCC_ANSWERS_PER_SECOND);
    },
  );

  test('one answer waits at a time: the last', () => {
    const { answers: machine } = answers();
    machine.receive(occMessage(REQUEST), 41, 0);
    machine.receive(occMessage(MTU_REQUEST), 41, 0);
    expect(machine.take()?.[OCC_MAGIC.length]).toBe(MTU_REPLY);
    expect(machine.take()).toBeUndefined();
  });
});
