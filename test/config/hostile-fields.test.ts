import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BLOCK_NAMES, MAX_PROBLEMS, tokeniseProfile } from '../../src/config/ovpn-tokens.ts';
import { pemBlocks } from '../../src/config/pem.ts';

describe('pemBlocks', () => {
  const label = fc.stringMatching(/^[A-Z]([A-Z0-9 ]{0,20}[A-Z0-9])?$/);
  const body = fc.array(fc.base64String({ maxLength: 64 }).map((line) => line.trim()));
  const around = fc.constantFrom('', 'subject=/CN=x', '-----', '-----END Z-----');

  test('finds all blocks that are written, whatever stands around them', () => {
    const block = fc.record({ label, body, around });
    fc.assert(
      fc.property(fc.array(block), fc.constantFrom('\n', '\r\n'), (blocks, lineEnd) => {
        const text = blocks.map((one) => [one.around, ...linesOf(one)].join(lineEnd)).join(lineEnd);
        expect(pemBlocks(text)).toEqual(
          blocks.map((one) => ({ label: one.label, text: `${linesOf(one).join('\n')}\n` })),
        );
      }),
    );
  });

  test('any text gives blocks that are a part of it', () => {
    const line = fc.oneof(
      fc.constantFrom('-----BEGIN A-----', '-----END A-----', '-----BEGIN -----', '-----BEGIN '),
      fc.constantFrom('-----END -----', '-----BEGIN B-----', '-----END B-----', '-----', 'AAAA'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const text = lines.join('\n');
        const trimmed = text
          .split('\n')
          .map((one) => one.trim())
          .join('\n');
        for (const block of pemBlocks(text)) {
          expect(`${trimmed}\n`).toContain(block.text);
          expect(block.text.startsWith(`-----BEGIN ${block.label}-----\n`)).toBe(true);
          expect(block.text.endsWith(`-----END ${block.label}-----\n`)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  function linesOf(block: { label: string; body: readonly string[] }): string[] {
    return [`-----BEGIN ${block.label}-----`, ...block.body, `-----END ${block.label}-----`];
  }
});

describe('tokeniseProfile', () => {
  const word = fc.stringMatching(/^[A-Za-z0-9.:/-]{1,12}$/).filter((one) => !one.startsWith('--'));
  const line = fc.record({ name: word, args: fc.array(word, { maxLength: 3 }) });
  const block = fc.record({
    name: fc.constantFrom(...BLOCK_NAMES),
    block: fc.array(
      fc.string().filter((one) => !/[\n\r<]/.test(one)),
      { minLength: 1 },
    ),
  });

  test('gives back any directives and blocks that are written, with their lines', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(line, block)),
        fc.constantFrom('\n', '\r\n'),
        (written, lineEnd) => {
          const lines: string[] = [];
          const expected = written.map((one) => {
            const at = lines.length + 1;
            if ('args' in one) {
              lines.push([one.name, ...one.args].join(' '));
              return { ...one, line: at, block: undefined };
            }
            lines.push(`<${one.name}>`, ...one.block, `</${one.name}>`);
            return { name: one.name, args: [], line: at, block: one.block.join('\n') };
          });
          const read = tokeniseProfile(lines.join(lineEnd));
          expect(read).toEqual({ directives: expected, problems: [] });
        },
      ),
    );
  });

  test('any bytes give directives and problems that are bounded and on lines that are there', () => {
    const piece = fc.oneof(
      fc.constantFrom('<ca>', '</ca>', '<key>', '\n', '\r\n', '"', "'", '\\', '#', ';', ' ', '\0'),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('');
        const lines = text.split('\n').length;
        const { directives, problems } = tokeniseProfile(text);
        expect(problems.length).toBeLessThanOrEqual(MAX_PROBLEMS);
        expect(directives.length).toBeLessThanOrEqual(lines);
        for (const { line: at = 1 } of [...directives, ...problems]) {
          expect(at).toBeGreaterThanOrEqual(1);
          expect(at).toBeLessThanOrEqual(lines);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
