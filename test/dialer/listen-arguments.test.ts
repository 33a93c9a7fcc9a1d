import { describe, expect, test } from 'vitest';
import { listenArguments } from '../../src/dialer/listen-arguments.ts';

const listener = () => {};

describe('listenArguments', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'nothing',                   given: [],                                   options: { port: 0 } },
    { name: 'a listener alone',          given: [listener],                           options: { port: 0 } },
    { name: 'null',                      given: [null, listener],                     options: { port: 0 } },
    { name: 'a port',                    given: [80, listener],                       options: { port: 80 } },
    { name: 'a port as text',            given: ['80', listener],                     options: { port: 80 } },
    { name: 'port and host',             given: [80, '10.8.0.1', listener],           options: { port: 80, host: '10.8.0.1' } },
    { name: 'port and backlog',          given: [80, 5, listener],                    options: { port: 80, backlog: 5 } },
    { name: 'port, host and backlog',    given: [80, '10.8.0.1', 5, listener],        options: { port: 80, host: '10.8.0.1', backlog: 5 } },
    { name: 'port, no host and backlog', given: [80, undefined, 5, listener],         options: { port: 80, backlog: 5 } },
    { name: 'options',                   given: [{ port: 80, backlog: 5 }, listener], options: { port: 80, backlog: 5 } },
    { name: 'options without a port',    given: [{ host: '10.8.0.1' }],               options: { port: 0, host: '10.8.0.1' } },
  ])('$name', ({ given, options }) => {
    const found = listenArguments(...given);
    expect(found.options).toEqual(options);
    expect(found.listener).toBe((given as readonly unknown[]).includes(listener) ? listener : undefined);
  });

  test.each([
    { name: 'a path', target: '/tmp/socket' },
    { name: 'a path as option', target: { path: '/tmp/socket' } },
    { name: 'a file descriptor', target: { fd: 3 } },
    { name: 'a port that is too large', target: 65_536 },
    { name: 'a negative port', target: { port: -1 } },
    { name: 'half a port', target: 80.5 },
    { name: 'no number', target: Number.NaN },
  ])('refuses $name', ({ target }) => {
    expect(() => listenArguments(target)).toThrow(/^expected a port/);
  });
});
