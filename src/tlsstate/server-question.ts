import { Secret } from '../core/secret.ts';
import type { WebSignIn, WebSignInProxy } from '../model/credentials.ts';

/** Longest address of a page that is taken. Unit: characters. */
export const MAX_URL_CHARS = 2048;

/** What `INFO_PRE` asks of the user while the server waits (AUTH_PENDING). */
export type ServerQuestion =
  | {
      readonly kind: 'cr-text';
      readonly text: string;
      readonly echo: boolean;
      readonly responseRequired: boolean;
    }
  | { readonly kind: 'web-auth' | 'open-url'; readonly web: WebSignIn };

/**
 * Reads the text behind `INFO_PRE,`:
 *
 *     CR_TEXT:<flags>:<text>      flags E (echo), R (response required)
 *     WEB_AUTH:<flags>:<url>      flags hidden, external, proxy=<host>;<port>;<user>;<password>
 *     OPEN_URL:<url>              deprecated
 *
 * undefined for anything else, a page that is not http or https included.
 */
export function readServerQuestion(text: string): ServerQuestion | undefined {
  const [, name, rest = ''] = NAMED.exec(text) ?? [];
  if (name === 'OPEN_URL') return page('open-url', rest, []);
  const [, flagText = '', body] = FLAGGED.exec(rest) ?? [];
  if (body === undefined) return undefined;
  const flags = flagText.split(',');
  if (name === 'WEB_AUTH') return page('web-auth', body, flags);
  if (name !== 'CR_TEXT') return undefined;
  const [echo, responseRequired] = [flags.includes('E'), flags.includes('R')];
  return { kind: 'cr-text', text: body, echo, responseRequired };
}

/** How `question` is sent, behind `INFO_PRE,`. */
export function serverQuestionText(question: ServerQuestion): string {
  if (question.kind === 'cr-text') {
    const flags = [question.echo ? 'E' : '', question.responseRequired ? 'R' : ''];
    return `CR_TEXT:${flags.filter(Boolean).join(',')}:${question.text}`;
  }
  const { url, hidden, external } = question.web;
  if (question.kind === 'open-url') return `OPEN_URL:${url}`;
  const flags = [hidden ? 'hidden' : '', external ? 'external' : ''];
  return `WEB_AUTH:${flags.filter(Boolean).join(',')}:${url}`;
}

function page(
  kind: 'web-auth' | 'open-url',
  address: string,
  flags: readonly string[],
): ServerQuestion | undefined {
  const url = pageAddress(address);
  if (url === undefined) return undefined;
  const proxy = flags.find((flag) => flag.startsWith(PROXY));
  return {
    kind,
    web: {
      url,
      hidden: flags.includes('hidden'),
      external: flags.includes('external'),
      proxy: proxy === undefined ? undefined : pageProxy(proxy.slice(PROXY.length)),
    },
  };
}

/** A name of a host in front of an `@` deceives the eye, so addresses with a user are not taken. */
function pageAddress(text: string): string | undefined {
  if (text.length > MAX_URL_CHARS || !VISIBLE.test(text) || !URL.canParse(text)) return undefined;
  const { protocol, username, password, href } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  return username === '' && password === '' ? href : undefined;
}

function pageProxy(text: string): WebSignInProxy | undefined {
  const [host = '', port = '', user = '', word = ''] = text.split(';');
  if (!VISIBLE.test(host) || !PORT.test(port) || Number(port) > MAX_PORT) return undefined;
  return {
    host,
    port: Number(port),
    username: user === '' ? undefined : decoded(user),
    password: word === '' ? undefined : new Secret(decoded(word)),
  };
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

const NAMED = /^([A-Z_]+):([\s\S]*)$/;
const FLAGGED = /^([^:]*):([\s\S]*)$/;
const VISIBLE = /^[\x21-\x7e]+$/;
const PORT = /^[1-9]\d{0,4}$/;
const MAX_PORT = 65_535;
const PROXY = 'proxy=';
