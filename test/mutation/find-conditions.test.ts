import { describe, expect, test } from 'vitest';
import { findConditions } from './find-conditions.ts';
import { type Mutant, mutatedText } from './mutant.ts';

const FILE = 'src/layer/file.ts';

function mutatedConditions(text: string, kind: Mutant['kind']): string[] {
  return findConditions(text, FILE)
    .filter((mutant) => mutant.kind === kind)
    .map(({ mutated }) => mutated);
}

describe('findConditions', () => {
  test.each<[string, string, string[]]>([
    ['if', 'if (a === b) f();', ['a !== b']],
    ['if on a value', 'if (a.b) f();', ['!(a.b)']],
    ['else if', 'if (a) f(); else if (b) g();', ['!(a)', '!(b)']],
    ['? :', 'const x = a ? 1 : 2;', ['!(a)']],
    ['while', 'while (a !== b) f();', ['a === b']],
    ['do', 'do f(); while (a());', ['!(a())']],
    ['for', 'for (let i = 0; i < n; i += 1) f();', ['!(i < n)']],
    ['for without a condition', 'for (;;) f();', []],
    ['not', 'if (!a) f();', ['a']],
    ['not of a comparison', 'if (!(a === b)) f();', ['!(a !== b)']],
    ['and', 'if (a && b < c) f();', ['!(a) && b < c', 'a && !(b < c)']],
    [
      'or, in order',
      'if (a || !b || c) f();',
      ['!(a) || !b || c', 'a || b || c', 'a || !b || !(c)'],
    ],
    [
      'nested',
      'if (a && (b || c)) f();',
      ['!(a) && (b || c)', 'a && (!(b) || c)', 'a && (b || !(c))'],
    ],
    ['not of a compound', 'if (!(a && b)) f();', ['!(!(a) && b)', '!(a && !(b))']],
    ['returned comparison', 'function f() { return a === b; }', ['a !== b']],
    ['returned value, declared', 'function f(): boolean { return a.has(b); }', ['!(a.has(b))']],
    ['type predicate', 'function f(a: A): a is B { return g(a); }', ['!(g(a))']],
    ['returned value, not declared', 'function f() { return a.has(b); }', []],
    ['getter', 'class A { get b(): boolean { return this.#b; } }', ['!(this.#b)']],
    ['constants', 'function f(): boolean { return true; }', []],
    ['arrow, declared', 'const f = (): boolean => a;', ['!(a)']],
    ['arrow that compares', 'x.find((a) => a.b === c);', ['a.b !== c']],
    ['kept comparison', 'const same = a >= b;', ['!(a >= b)']],
    ['secrets', 'const same = timingSafeEqual(a, b);', ['!(timingSafeEqual(a, b))']],
    ['secrets, by module', 'f(crypto.timingSafeEqual(a, b));', ['!(crypto.timingSafeEqual(a, b))']],
    ['buffers', 'const same = a.equals(b);', ['!(a.equals(b))']],
    ['buffers that may be missing', 'const same = a?.equals(b);', ['!(a?.equals(b))']],
    ['not of buffers', 'if (!a?.equals(b)) f();', ['!!(a?.equals(b))']],
    ['instanceof', 'const is = a instanceof B;', ['!(a instanceof B)']],
    ['default values', 'const x = a ?? b; const y = a || b;', []],
    ['over lines', 'if (\n  a &&\n  b\n) f();', ['!(a) && b', 'a && !(b)']],
    [
      'function of its own',
      'function f(): boolean { return g(() => { return a; }); }',
      ['!(g(() => { return a; }))'],
    ],
  ])('negates each condition alone: %s', (_name, text, mutated) => {
    expect(mutatedConditions(text, 'negated')).toEqual(mutated);
  });

  test.each<[string, string, string[]]>([
    ['<', 'if (a < b) f();', ['a <= b']],
    ['<=', 'if (a <= b) f();', ['a < b']],
    ['>', 'if (a > b) f();', ['a >= b']],
    ['>=', 'if (a >= b) f();', ['a > b']],
    ['an operand', 'if (a && b < c) f();', ['a && b <= c']],
    ['not of one', 'if (!(a < b)) f();', ['!(a <= b)']],
    ['===', 'if (a === b) f();', []],
    ['&&', 'if (a && b) f();', []],
  ])('moves boundaries: %s', (_name, text, mutated) => {
    expect(mutatedConditions(text, 'boundary')).toEqual(mutated);
  });

  test('says where the operand is, and what the whole condition was', () => {
    const text = 'f();\nif (a &&  b) g();\n';
    const [, second] = findConditions(text, FILE);
    expect(second).toMatchObject({ file: FILE, line: 2, column: 11, original: 'a && b' });
  });
});

describe('mutatedText', () => {
  test('changes nothing but the operand', () => {
    const text = 'if (a) f(); // b\nreturn c === d;\n';
    const texts = findConditions(text, FILE).map((mutant) => mutatedText(text, mutant));
    expect(texts).toEqual([
      'if (!(a)) f(); // b\nreturn c === d;\n',
      'if (a) f(); // b\nreturn c !== d;\n',
    ]);
  });
});
