import { hasControlCharacter } from '../core/log.ts';
import type { OuterProxy, StoredCredentials } from '../model/profile.ts';
import type { ConnectionDraft, HttpProxyDraft } from './connection-draft.ts';
import { isHost } from './host.ts';
import { decimal } from './numbers.ts';
import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';
import { ASKED_CREDENTIALS, credentialsOf } from './read-sign-in.ts';

/** Most lines that `http-proxy-option` may add to a request (proxy.h `MAX_CUSTOM_HTTP_HEADER`: 10). */
export const MAX_PROXY_HEADERS = 10;

/** Longest name and value of such a line. Unit: characters. */
export const MAX_PROXY_HEADER_CHARS = 1024;

const SOCKS_PORT = 1080;

/** What stands between us and the server. */
export const PROXY_READERS: DirectiveReaders = [
  ['http-proxy', readHttpProxy],
  ['http-proxy-option', readHttpOption],
  ['http-proxy-user-pass', readHttpUserPassword],
  ['socks-proxy', readSocksProxy],
];

/** The proxy of a connection, once every directive has been read. There is one at most. */
export function outerProxyOf(
  draft: ProfileDraft,
  { httpProxy, httpHeaders, httpCredentials, socksProxy }: ConnectionDraft,
): OuterProxy | undefined {
  if (httpProxy === undefined) return socksProxy?.value;
  if (socksProxy !== undefined) {
    draft.refuse(socksProxy.directive, 'cannot stand beside http-proxy');
  }
  const { host, port, auth, credentials } = httpProxy.value;
  const known = httpCredentials ?? credentials;
  return Object.freeze({
    kind: 'http',
    host,
    port,
    credentials: known,
    auth: auth ?? (known === undefined ? 'none' : 'auto'),
    headers: httpHeaders,
  });
}

/** `http-proxy HOST PORT [auto|auto-nct|FILE|stdin] [none|basic]` */
function readHttpProxy(draft: ProfileDraft, directive: Directive): void {
  const [, , how, method] = directive.args;
  const place = placeOf(draft, directive, undefined);
  if (place === undefined) return;
  const { connection } = draft;
  if (how === undefined) {
    const value: HttpProxyDraft = { ...place, auth: undefined, credentials: undefined };
    connection.httpProxy = { directive, value };
  } else if (how === 'auto' || how === 'auto-nct') {
    const value: HttpProxyDraft = { ...place, auth: how, credentials: ASKED_CREDENTIALS };
    connection.httpProxy = { directive, value };
  } else if (method === 'ntlm' || method === 'ntlm2') {
    draft.refuse(directive, 'NTLM is not supported: name basic or auto');
  } else if (method !== undefined && method !== 'none' && method !== 'basic') {
    draft.invalid(directive, 'expected none or basic as the way to sign in');
  } else {
    const credentials = method === 'none' ? undefined : fileCredentials(draft, directive, how);
    const value: HttpProxyDraft = { ...place, auth: method ?? 'basic', credentials };
    connection.httpProxy = { directive, value };
  }
}

/** `socks-proxy HOST [PORT [FILE|stdin]]` */
function readSocksProxy(draft: ProfileDraft, directive: Directive): void {
  const [, , file] = directive.args;
  const place = placeOf(draft, directive, SOCKS_PORT);
  if (place === undefined) return;
  const credentials = file === undefined ? undefined : fileCredentials(draft, directive, file);
  const value: OuterProxy = Object.freeze({
    kind: 'socks5',
    ...place,
    credentials,
    auth: file === undefined ? 'none' : 'basic',
    headers: [],
  });
  draft.connection.socksProxy = { directive, value };
}

function placeOf(
  draft: ProfileDraft,
  directive: Directive,
  defaultPort: number | undefined,
): { readonly host: string; readonly port: number } | undefined {
  const [host = '', portText] = directive.args;
  const port = portText === undefined ? defaultPort : decimal(portText, 1, 0xffff);
  if (!isHost(host)) draft.invalid(directive, 'expected a host name or an address');
  else if (port === undefined)
    draft.invalid(directive, 'expected a port 1 to 65535 after the host');
  else return { host, port };
  return undefined;
}

function fileCredentials(
  draft: ProfileDraft,
  directive: Directive,
  file: string,
): StoredCredentials | undefined {
  return credentialsOf(draft, { ...directive, args: [file] });
}

/** A file or a block; how the proxy wants them is the proxy's to say. */
function readHttpUserPassword(draft: ProfileDraft, directive: Directive): void {
  draft.connection.httpCredentials =
    credentialsOf(draft, directive) ?? draft.connection.httpCredentials;
}

/** `EXT1` and `EXT2` are what patched versions call a line of one's own. */
function readHttpOption(draft: ProfileDraft, directive: Directive): void {
  const [option = '', first, second] = directive.args;
  if (option === 'VERSION') {
    draft.ignore(directive, 'quiet', 'requests are HTTP/1.1');
  } else if (option === 'AGENT' && first !== undefined) {
    addHeader(draft, directive, ['User-Agent', first]);
  } else if (OWN_LINES.has(option) && first !== undefined) {
    const colon = first.indexOf(':');
    if (second !== undefined) addHeader(draft, directive, [first.replace(/:$/, ''), second]);
    else if (colon < 0) draft.invalid(directive, 'expected a header and its value');
    else addHeader(draft, directive, [first.slice(0, colon), first.slice(colon + 1).trim()]);
  } else {
    draft.invalid(directive, 'expected VERSION, AGENT or CUSTOM-HEADER with a value');
  }
}

const OWN_LINES: ReadonlySet<string> = new Set(['CUSTOM-HEADER', 'EXT1', 'EXT2']);

function addHeader(
  draft: ProfileDraft,
  directive: Directive,
  [name, value]: readonly [name: string, value: string],
): void {
  const { connection } = draft;
  if (!HEADER_NAME.test(name) || name.length > MAX_PROXY_HEADER_CHARS) {
    draft.invalid(directive, 'expected the name of a header: letters, digits and hyphens');
  } else if (!isHeaderValue(value)) {
    draft.invalid(
      directive,
      `expected a value of at most ${MAX_PROXY_HEADER_CHARS} characters, none of them for control`,
    );
  } else if (connection.httpHeaders.length === MAX_PROXY_HEADERS) {
    draft.invalid(directive, `more than ${MAX_PROXY_HEADERS} headers`);
  } else {
    const header = Object.freeze([name, value] as const);
    connection.httpHeaders = Object.freeze([...connection.httpHeaders, header]);
  }
}

/** A token (RFC 9110 §5.6.2). */
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** One line that ends nothing, in bytes that a request may hold (RFC 9110 §5.5). */
function isHeaderValue(value: string): boolean {
  if (value.length > MAX_PROXY_HEADER_CHARS || hasControlCharacter(value)) return false;
  return /^[\u0020-\u00ff]*$/.test(value);
}
