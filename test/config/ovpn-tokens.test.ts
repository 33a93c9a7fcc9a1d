import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_DIRECTIVES, tokeniseProfile } from '../../src/config/ovpn-tokens.ts';

function directive(name: string, args: string[], line: number, block?: string) {
  return { name, args, line, block };
}

describe('tokeniseProfile', () => {
  test.each([
    {
      name: 'lines',
      text: 'a 1\n\n# c\nb\n',
      found: [directive('a', ['1'], 1), directive('b', [], 4)],
    },
    {
      name: 'CRLF',
      text: 'a 1\r\nb\r\n',
      found: [directive('a', ['1'], 1), directive('b', [], 2)],
    },
    { name: 'a byte order mark', text: '\ufeffa 1\n', found: [directive('a', ['1'], 1)] },
    {
      name: 'no last line end',
      text: 'a\nb 2',
      found: [directive('a', [], 1), directive('b', ['2'], 2)],
    },
    { name: 'two dashes', text: '--a 1\n', found: [directive('a', ['1'], 1)] },
    {
      name: 'a block',
      text: 'a\n<ca>\nx y\n z\n</ca>\nb',
      found: [directive('a', [], 1), directive('ca', [], 2, 'x y\n z'), directive('b', [], 6)],
    },
    {
      name: 'a block with CRLF',
      text: '<ca>\r\nx\r\n</ca>\r\nb',
      found: [directive('ca', [], 1, 'x'), directive('b', [], 4)],
    },
    { name: 'indented tags', text: ' <ca>\nx\n\t</ca> \n', found: [directive('ca', [], 1, 'x')] },
    {
      name: 'an empty block',
      text: '<ca>\n</ca>\nb',
      found: [directive('ca', [], 1, ''), directive('b', [], 3)],
    },
    {
      name: 'comments in a block are kept',
      text: '<ca>\n# x\n</ca>',
      found: [directive('ca', [], 1, '# x')],
    },
    {
      name: 'a tag that is no block name inside a block',
      text: '<auth-user-pass>\nme\n<pass>\n</auth-user-pass>',
      found: [directive('auth-user-pass', [], 1, 'me\n<pass>')],
    },
    {
      name: 'a comment behind a tag',
      text: '<ca> # mine\nx\n</ca>\t;end\nb',
      found: [directive('ca', [], 1, 'x'), directive('b', [], 4)],
    },
    {
      name: 'blocks in a connection',
      text: '<connection>\nremote a\n<tls-auth>\nx\n</tls-auth>\n</connection>\nb',
      found: [
        directive('connection', [], 1, 'remote a\n<tls-auth>\nx\n</tls-auth>'),
        directive('b', [], 7),
      ],
    },
    {
      name: 'an unknown block',
      text: '<odd>\nx\n</odd>\nb',
      found: [directive('odd', [], 1, 'x'), directive('b', [], 4)],
    },
    {
      name: 'names of Object',
      text: '__proto__ 1\nconstructor 2',
      found: [directive('__proto__', ['1'], 1), directive('constructor', ['2'], 2)],
    },
  ])('$name', ({ text, found }) => {
    expect(tokeniseProfile(text)).toEqual({ directives: found, problems: [] });
  });

  test.each([
    { name: 'an open quote', text: 'a\nb "x\nc', line: 2, message: 'a quote is not closed' },
    {
      name: 'a control character',
      text: 'a\nb \x1b[2J\n',
      line: 2,
      message: 'a control character',
    },
    { name: 'a NUL', text: 'a\0\n', line: 1, message: 'a control character' },
    { name: 'an open block', text: 'a\n<ca>\nx\n', line: 2, message: 'the block is not closed' },
    {
      name: 'a stray closing tag',
      text: 'a\n</ca>\n',
      line: 2,
      message: 'a closing tag without its opening one',
    },
  ])('tells of $name by its line', ({ text, line, message }) => {
    expect(tokeniseProfile(text).problems).toEqual([
      { code: 'OVPN_CONFIG_INVALID', line, message },
    ]);
  });

  test('an inner block ends the one that was left open, and is read itself', () => {
    const { directives, problems } = tokeniseProfile('<ca>\nx\n<cert>\ny\n</cert>\n');
    expect(problems.map(({ line, message }) => [line, message])).toEqual([
      [1, 'the block is not closed'],
    ]);
    expect(directives.map(({ name, block }) => [name, block])).toEqual([
      ['ca', 'x'],
      ['cert', 'y'],
    ]);
  });

  test('a closing tag of another block does not end a block', () => {
    const { problems } = tokeniseProfile('<ca>\nx\n</cert>\ny\n</ca>\n');
    expect(problems.map(({ line }) => line)).toEqual([1, 3, 5]);
  });

  test('a connection without its end ends at the next block', () => {
    const text = '<connection>\nremote a\n<ca>\nx\n</ca>\n<connection>\nremote b\n</connection>\n';
    const { directives, problems } = tokeniseProfile(text);
    expect(problems.map(({ line }) => line)).toEqual([1]);
    expect(directives.map(({ name, block }) => [name, block])).toEqual([
      ['connection', 'remote a'],
      ['ca', 'x'],
      ['connection', 'remote b'],
    ]);
  });

  test('counts the lines of a block from where it stands', () => {
    expect(tokeniseProfile('a\nb', 7).directives.map(({ line }) => line)).toEqual([7, 8]);
  });

  test('refuses more than 1 MiB', () => {
    const { directives, problems } = tokeniseProfile('a\n'.repeat(512 * 1024 + 1));
    expect(directives).toEqual([]);
    expect(problems.map(({ message }) => message)).toEqual(['longer than 1 MiB']);
  });

  test('stops at the limit of directives', () => {
    const { directives, problems } = tokeniseProfile('a\n'.repeat(MAX_DIRECTIVES + 5));
    expect(directives.length).toBe(MAX_DIRECTIVES);
    expect(problems.map(({ line }) => line)).toEqual([MAX_DIRECTIVES + 1]);
  });

  test('takes time in proportion to the length, whatever is in it', () => {
    for (const piece of [' ', '"', '\\', "'", '<', '<ca>\n', '</ca>\n', '<a>\n', '" ', '\\ ']) {
      const started = process.cpuUsage().user;
      tokeniseProfile(piece.repeat((256 * 1024) / piece.length));
      expect(process.cpuUsage().user - started).toBeLessThan(1_000_000);
    }
  });

  test('never throws', () => {
    const piece = fc.constantFrom(
      '<ca>',
      '</ca>',
      '\n',
      '\r\n',
      '"',
      "'",
      '\\',
      ' ',
      '#',
      'a',
      '<x>',
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const { directives } = tokeniseProfile(pieces.join(''));
        for (const { line } of directives) expect(line).toBeGreaterThan(0);
      }),
    );
  });
});
