import { describe, expect, test } from 'vitest';
import { sendArguments } from '../../src/dialer/udp-send-arguments.ts';

const TEN = Buffer.from('0123456789');
const done = () => {};

describe('sendArguments', () => {
  // biome-ignore format: one case a line
  test.each([
    { name: 'port',                             rest: [7],                          expected: { port: 7, text: '0123456789' } },
    { name: 'port as digits',                   rest: ['7'],                        expected: { port: 7, text: '0123456789' } },
    { name: 'port, callback',                   rest: [7, done],                    expected: { port: 7, text: '0123456789', callback: done } },
    { name: 'port, address',                    rest: [7, 'host'],                  expected: { port: 7, text: '0123456789', address: 'host' } },
    { name: 'port, address, callback',          rest: [7, 'host', done],            expected: { port: 7, text: '0123456789', address: 'host', callback: done } },
    { name: 'port, no address, callback',       rest: [7, undefined, done],         expected: { port: 7, text: '0123456789', callback: done } },
    { name: 'port, null as address',            rest: [7, null],                    expected: { port: 7, text: '0123456789' } },
    { name: 'offset, length, port',             rest: [2, 3, 7],                    expected: { port: 7, text: '234' } },
    { name: 'offset, length, port, callback',   rest: [2, 3, 7, done],              expected: { port: 7, text: '234', callback: done } },
    { name: 'offset, length, digits, address',  rest: [2, 3, '7', 'host'],          expected: { port: 7, text: '234', address: 'host' } },
    { name: 'offset, length, port, address, callback', rest: [0, 10, 7, 'host', done], expected: { port: 7, text: '0123456789', address: 'host', callback: done } },
    { name: 'nothing of it',                    rest: [10, 0, 7],                   expected: { port: 7, text: '' } },
  ])('$name', ({ rest, expected }) => {
    const { payload, ...given } = sendArguments(TEN, rest, { connected: false });
    const { text, ...others } = { address: undefined, callback: undefined, ...expected };
    expect(`${payload}`).toBe(text);
    expect(given).toEqual(others);
  });

  // biome-ignore format: one case a line
  test.each([
    { name: 'nothing',                  rest: [],           text: '0123456789', callback: undefined },
    { name: 'callback',                 rest: [done],       text: '0123456789', callback: done },
    { name: 'offset, length',           rest: [2, 3],       text: '234',        callback: undefined },
    { name: 'offset, length, callback', rest: [2, 3, done], text: '234',        callback: done },
  ])('connected: $name', ({ rest, text, callback }) => {
    const given = sendArguments(TEN, rest, { connected: true });
    expect(`${given.payload}`).toBe(text);
    expect(given).toMatchObject({ port: undefined, address: undefined, callback });
  });

  // biome-ignore format: one case a line
  test.each([
    { name: 'no port',                    rest: [],                    connected: false, message: 'expected a port' },
    { name: 'port 0',                     rest: [0, 'host'],           connected: false, message: 'expected a port' },
    { name: 'a port past the last',       rest: [65_536],              connected: false, message: 'expected a port' },
    { name: 'half a port',                rest: [7.5],                 connected: false, message: 'expected a port' },
    { name: 'a name as port',             rest: ['host'],              connected: false, message: 'expected a port' },
    { name: 'an offset past the end',     rest: [11, 0, 7],            connected: false, message: 'inside 10 bytes' },
    { name: 'a length past the end',      rest: [8, 3, 7],             connected: false, message: 'inside 10 bytes' },
    { name: 'a negative offset',          rest: [-1, 3, 7],            connected: false, message: 'inside 10 bytes' },
    { name: 'an offset that is no number', rest: ['x', 3, 7, 'host'],  connected: false, message: 'inside 10 bytes' },
    { name: 'an address that is no text', rest: [7, 8n],               connected: false, message: 'address as text' },
    { name: 'a port',                     rest: [7],                   connected: true,  message: 'already connected' },
    { name: 'port and address',           rest: [7, 'host'],           connected: true,  message: 'already connected' },
    { name: 'slice and port',             rest: [2, 3, 7],             connected: true,  message: 'already connected' },
  ])('refuses $name (connected: $connected)', ({ rest, connected, message }) => {
    expect(() => sendArguments(TEN, rest, { connected })).toThrow(message);
  });

  test.each([
    { content: 'text', bytes: 4 },
    { content: [], bytes: 0 },
    { content: ['a', TEN, new Uint8Array(2)], bytes: 13 },
    { content: new DataView(new ArrayBuffer(6), 2), bytes: 4 },
  ])('takes $content', ({ content, bytes }) => {
    expect(sendArguments(content, [7], { connected: false }).payload).toHaveLength(bytes);
  });

  test.each([undefined, 7, {}, [7]])('refuses %o as content', (content) => {
    expect(() => sendArguments(content, [7], { connected: false })).toThrow('expected a string');
  });
});
