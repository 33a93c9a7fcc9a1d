import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { bytesText, describe as describeError, Output } from '../../src/cli/output.ts';
import { OvpnTimeoutError } from '../../src/core/errors.ts';

const CLEAR = '\r\x1b[K';

let written: { stream: 'out' | 'err'; text: string }[];
let mocks: MockInstance[];

beforeEach(() => {
  written = [];
  const record = (stream: 'out' | 'err') => (text: string | Uint8Array) => {
    written.push({ stream, text: String(text) });
    return true;
  };
  mocks = [
    vi.spyOn(process.stdout, 'write').mockImplementation(record('out')),
    vi.spyOn(process.stderr, 'write').mockImplementation(record('err')),
  ];
});

afterEach(() => {
  for (const mock of mocks) mock.mockRestore();
  Object.defineProperty(process.stderr, 'isTTY', { value: undefined, configurable: true });
});

function onTerminal(): void {
  Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
}

const timeout = new OvpnTimeoutError('OVPN_SERVER_SILENT', 'expected an answer', {
  layer: 'session',
  phase: 'hard reset',
  timeoutMs: 1000,
});

describe('Output', () => {
  test('results go to standard output: text, or JSON lines', () => {
    for (const json of [false, true]) {
      const output = new Output({ json });
      output.line('for people');
      output.record({ for: 'programs' });
    }
    expect(written).toEqual([
      { stream: 'out', text: 'for people\n' },
      { stream: 'out', text: '{"for":"programs"}\n' },
    ]);
  });

  test('all else goes to standard error, details with --verbose only', () => {
    for (const verbose of [false, true]) {
      const output = new Output({ verbose });
      output.note('a note');
      output.detail('a detail');
    }
    expect(written.map(({ stream, text }) => `${stream} ${text.trim()}`)).toEqual([
      'err tundial: a note',
      'err tundial: a note',
      'err tundial: a detail',
    ]);
  });

  test('log lines: warnings and errors always, the rest with --verbose', () => {
    for (const verbose of [false, true]) {
      const { logger } = new Output({ verbose });
      for (const level of ['error', 'warn', 'info', 'debug'] as const) logger(level, 'tun', level);
    }
    expect(written.map(({ text }) => text.trim())).toEqual([
      'tundial: tun: error',
      'tundial: tun: warn',
      'tundial: tun: error',
      'tundial: tun: warn',
      'tundial: tun: info',
      'tundial: tun: debug',
    ]);
  });

  test('progress is shown on a terminal only, and gives way to what follows', () => {
    new Output({}).progress('unseen');
    expect(written).toEqual([]);
    onTerminal();
    const output = new Output({});
    output.progress('connecting');
    output.line('done');
    output.line('more');
    expect(written.map(({ text }) => text)).toEqual([
      `${CLEAR}connecting`,
      CLEAR,
      'done\n',
      'more\n',
    ]);
  });

  test('a failure has its code once, and its stack with --verbose', () => {
    new Output({}).failure(timeout);
    new Output({}).failure(Object.assign(new Error('connect EX 1'), { code: 'EX' }));
    new Output({}).failure(new Error('plain'));
    expect(written.map(({ text }) => text)).toEqual([
      'tundial: expected an answer (OVPN_SERVER_SILENT)\n',
      'tundial: connect EX 1\n',
      'tundial: plain\n',
    ]);
    new Output({ verbose: true }).failure(timeout);
    expect(written.at(-1)?.text).toContain('output.test.ts');
  });

  test('a failure is a record too with --json', () => {
    new Output({ json: true }).failure(timeout);
    expect(JSON.parse(written[0]?.text ?? '')).toEqual({
      error: { message: 'expected an answer', code: 'OVPN_SERVER_SILENT', retryable: true },
    });
  });
});

describe('describe', () => {
  test('shows what is no error in printable form', () => {
    expect(describeError('a\nb')).toEqual({ message: 'a\\x0ab' });
  });
});

describe('bytesText', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    [0, '0 B'], [999, '999 B'], [1000, '1.0 kB'], [1_234_567, '1.2 MB'], [20_000_000, '20.0 MB'],
  ])('%d: %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });
});
