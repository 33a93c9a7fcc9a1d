import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MAX_URL_CHARS,
  readServerQuestion,
  type ServerQuestion,
  serverQuestionText,
} from '../../src/tlsstate/server-question.ts';

const NO_PROXY = { hidden: false, external: false, proxy: undefined };
const URL = 'https://vpn.example/login?id=7';

describe('readServerQuestion', () => {
  // biome-ignore format: a table, one row a line
  test.each<{ text: string; question: ServerQuestion }>([
    { text: 'CR_TEXT:E,R:Token: code?',           question: { kind: 'cr-text', text: 'Token: code?', echo: true, responseRequired: true } },
    { text: 'CR_TEXT:R:code?',                    question: { kind: 'cr-text', text: 'code?', echo: false, responseRequired: true } },
    { text: 'CR_TEXT::look at your phone',        question: { kind: 'cr-text', text: 'look at your phone', echo: false, responseRequired: false } },
    { text: `WEB_AUTH::${URL}`,                   question: { kind: 'web-auth', web: { url: URL, ...NO_PROXY } } },
    { text: `WEB_AUTH:hidden,external:${URL}`,    question: { kind: 'web-auth', web: { url: URL, hidden: true, external: true, proxy: undefined } } },
    { text: 'WEB_AUTH:new:http://vpn.example',    question: { kind: 'web-auth', web: { url: 'http://vpn.example/', ...NO_PROXY } } },
    { text: `OPEN_URL:${URL}`,                    question: { kind: 'open-url', web: { url: URL, ...NO_PROXY } } },
  ])('$text', ({ text, question }) => {
    expect(readServerQuestion(text)).toEqual(question);
    const again = readServerQuestion(serverQuestionText(question));
    expect(again).toEqual(question);
  });

  test('the proxy of a page: its password is a secret', () => {
    const question = readServerQuestion(`WEB_AUTH:proxy=10.0.0.1;3128;YWRh;aHVudGVyMg==:${URL}`);
    if (question?.kind !== 'web-auth') throw new Error('expected a page');
    const { proxy } = question.web;
    expect(proxy).toMatchObject({ host: '10.0.0.1', port: 3128, username: 'ada' });
    expect(proxy?.password?.reveal()).toBe('hunter2');
    expect(JSON.stringify(question)).not.toContain('hunter2');
  });

  test.each(['proxy=', 'proxy=h', 'proxy=h;0', 'proxy=h;65536', 'proxy=;1', 'proxy=a b;1'])(
    'a page by no proxy that could be one: %s',
    (flag) => {
      const question = readServerQuestion(`WEB_AUTH:${flag}:${URL}`);
      expect(question).toMatchObject({ web: { proxy: undefined } });
    },
  );

  test.each([
    'OPEN_URL:file:///etc/passwd',
    'OPEN_URL:javascript:alert(1)',
    'OPEN_URL:smb://host/share',
    'OPEN_URL:ms-msdt:/id',
    'OPEN_URL:https://bank.example@evil.example/',
    'OPEN_URL:https://user:word@evil.example/',
    'OPEN_URL:https://evil.example/ --flag',
    'OPEN_URL:https://evil.example/\x1b[2J',
    'OPEN_URL:https://evil.exämple/',
    'OPEN_URL:https://',
    'OPEN_URL:vpn.example',
    'OPEN_URL:',
    `OPEN_URL:https://vpn.example/${'x'.repeat(MAX_URL_CHARS)}`,
    'WEB_AUTH:https',
    'WEB_AUTH::file:///',
    'CR_TEXT:R',
    'CR_TEXT',
    'ACC:2048:6:A',
    '',
  ])('refuses %j', (text) => {
    expect(readServerQuestion(text)).toBeUndefined();
  });

  test('any text gives a question or none, and every page is http or https', () => {
    const word = fc.constantFrom('WEB_AUTH', 'OPEN_URL', 'CR_TEXT', ':', 'R', 'proxy=', ';', URL);
    const text = fc.array(fc.oneof(word, fc.string({ maxLength: 9 })), { maxLength: 9 });
    fc.assert(
      fc.property(text, (parts) => {
        const question = readServerQuestion(parts.join(''));
        if (question === undefined || question.kind === 'cr-text') return;
        expect(question.web.url).toMatch(/^https?:\/\/[\x21-\x7e]+$/);
      }),
      { numRuns: 2000 },
    );
  });
});
