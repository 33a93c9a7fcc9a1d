import { assertNever } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import { joinOptions, splitOptions } from './option-list.ts';

/** Dynamic challenge of `AUTH_FAILED,CRV1:…`. */
export interface DynamicChallenge {
  readonly echo: boolean;
  readonly responseRequired: boolean;
  readonly stateId: Secret;
  readonly username: string;
  readonly text: string;
}

/** `AUTH_FAILED,TEMP`: try again later. */
export interface TemporaryFailure {
  /** Least time to wait; 0 when none is named. Unit: milliseconds. */
  readonly backoffMs: number;
  /** Where to try next. Default: `no`, the same address. */
  readonly advance: 'no' | 'addr' | 'remote';
}

/** Texts of the control channel, after the key exchange (push.c, sig.c). */
export type ControlMessage =
  | { readonly kind: 'push-request' }
  | { readonly kind: 'push-reply' | 'push-update'; readonly options: readonly string[] }
  | AuthFailed
  | { readonly kind: 'auth-pending'; readonly timeoutMs: number | undefined }
  | { readonly kind: 'restart' | 'halt'; readonly flags: string; readonly text: string }
  | { readonly kind: 'exit' }
  | { readonly kind: 'info' | 'info-pre' | 'cr-response'; readonly text: string }
  | { readonly kind: 'unknown'; readonly text: string };

export interface AuthFailed {
  readonly kind: 'auth-failed';
  readonly reason: string | undefined;
  readonly temporary: TemporaryFailure | undefined;
  /** Whether it is the session (an expired token) that was refused. */
  readonly session: boolean;
  readonly challenge: DynamicChallenge | undefined;
}

/** Reads one text, without its NUL. Never fails: what nobody knows is `unknown`. */
export function parseControlMessage(text: string): ControlMessage {
  const comma = text.indexOf(',');
  const name = comma === -1 ? text : text.slice(0, comma);
  const rest = comma === -1 ? undefined : text.slice(comma + 1);
  switch (name) {
    case 'PUSH_REPLY':
      return { kind: 'push-reply', options: splitOptions(rest ?? '') };
    case 'PUSH_UPDATE':
      return { kind: 'push-update', options: splitOptions(rest ?? '') };
    case 'AUTH_FAILED':
      return parseAuthFailed(rest);
    case 'AUTH_PENDING':
      return { kind: 'auth-pending', timeoutMs: pendingTimeout(rest ?? '') };
    case 'RESTART':
    case 'HALT':
      return { kind: name === 'RESTART' ? 'restart' : 'halt', ...flagsAndText(rest ?? '') };
    case 'INFO':
      return { kind: 'info', text: rest ?? '' };
    case 'INFO_PRE':
      return { kind: 'info-pre', text: rest ?? '' };
    case 'CR_RESPONSE':
      return { kind: 'cr-response', text: rest ?? '' };
    case 'PUSH_REQUEST':
    case 'EXIT':
      if (rest !== undefined) return { kind: 'unknown', text };
      return { kind: name === 'EXIT' ? 'exit' : 'push-request' };
    default:
      return { kind: 'unknown', text };
  }
}

/** The message with its NUL, as one TLS record takes it. */
export function encodeControlMessage(message: ControlMessage): Buffer {
  return Buffer.from(`${textOf(message)}\0`);
}

function textOf(message: ControlMessage): string {
  switch (message.kind) {
    case 'push-request':
      return 'PUSH_REQUEST';
    case 'push-reply':
      return ['PUSH_REPLY', ...joinOptions(message.options)].join(',');
    case 'push-update':
      return ['PUSH_UPDATE', ...joinOptions(message.options)].join(',');
    case 'auth-failed':
      return authFailedText(message);
    case 'auth-pending': {
      const { timeoutMs } = message;
      return timeoutMs === undefined
        ? 'AUTH_PENDING'
        : `AUTH_PENDING,timeout ${Math.round(timeoutMs / 1000)}`;
    }
    case 'restart':
    case 'halt': {
      const flags = message.flags === '' ? '' : `[${message.flags}]`;
      return withText(message.kind === 'restart' ? 'RESTART' : 'HALT', flags + message.text);
    }
    case 'exit':
      return 'EXIT';
    case 'info':
      return `INFO,${message.text}`;
    case 'info-pre':
      return `INFO_PRE,${message.text}`;
    case 'cr-response':
      return `CR_RESPONSE,${message.text}`;
    case 'unknown':
      return message.text;
    default:
      return assertNever(message);
  }
}

function withText(name: string, text: string | undefined): string {
  return text === undefined || text === '' ? name : `${name},${text}`;
}

/** `AUTH_FAILED[,TEMP[…][:text] | ,SESSION[:text] | ,CRV1:… | ,reason]` */
function parseAuthFailed(rest: string | undefined): AuthFailed {
  const plain: AuthFailed = {
    kind: 'auth-failed',
    reason: rest === '' ? undefined : rest,
    temporary: undefined,
    session: false,
    challenge: undefined,
  };
  if (rest === undefined) return plain;
  const temporary = TEMPORARY.exec(rest);
  if (temporary !== null) {
    const [, flags, reason] = temporary;
    return { ...plain, reason, temporary: temporaryFlags(flags ?? '') };
  }
  const session = SESSION.exec(rest);
  if (session !== null) return { ...plain, reason: session[1], session: true };
  const challenge = CHALLENGE.exec(rest);
  if (challenge === null) return plain;
  const [, flags = '', stateId = '', user = '', text = ''] = challenge;
  const words = flags.split(',');
  return {
    ...plain,
    reason: text,
    challenge: {
      echo: words.includes('E'),
      responseRequired: words.includes('R'),
      stateId: new Secret(stateId),
      username: Buffer.from(user, 'base64').toString(),
      text,
    },
  };
}

function temporaryFlags(flags: string): TemporaryFailure {
  let backoffMs = 0;
  let advance: TemporaryFailure['advance'] = 'no';
  for (const flag of flags.split(',')) {
    const [name, value = ''] = flag.trim().split(/ +/, 2);
    if (name === 'backoff') backoffMs = secondsOf(value) ?? 0;
    if (name === 'advance' && (value === 'addr' || value === 'remote')) advance = value;
  }
  return { backoffMs, advance };
}

function authFailedText({ reason, temporary, session, challenge }: AuthFailed): string {
  const tail = reason === undefined ? '' : `:${reason}`;
  if (temporary !== undefined) {
    const { backoffMs, advance } = temporary;
    return `AUTH_FAILED,TEMP[backoff ${Math.round(backoffMs / 1000)},advance ${advance}]${tail}`;
  }
  if (session) return `AUTH_FAILED,SESSION${tail}`;
  if (challenge === undefined) return withText('AUTH_FAILED', reason);
  const flags = [challenge.echo ? 'E' : '', challenge.responseRequired ? 'R' : ''];
  const user = Buffer.from(challenge.username).toString('base64');
  return `AUTH_FAILED,CRV1:${flags.filter(Boolean).join(',')}:${challenge.stateId.reveal()}:${user}:${challenge.text}`;
}

/** Keywords of AUTH_PENDING; unknown ones are ignored. */
function pendingTimeout(rest: string): number | undefined {
  const keyword = rest.split(',').find((text) => text.startsWith('timeout '));
  return keyword === undefined ? undefined : secondsOf(keyword.slice('timeout '.length));
}

function flagsAndText(rest: string): { flags: string; text: string } {
  const bracketed = BRACKETED.exec(rest);
  return bracketed === null
    ? { flags: '', text: rest }
    : { flags: bracketed[1] ?? '', text: rest.slice(bracketed[0].length) };
}

/** Whole seconds, 0 to a day, as milliseconds; undefined for anything else. */
function secondsOf(text: string): number | undefined {
  return SECONDS.test(text) ? Math.min(Number(text), MAX_SECONDS) * 1000 : undefined;
}

const TEMPORARY = /^TEMP(?:\[([^\]]*)\])?(?::(.*))?$/;
const SESSION = /^SESSION(?::(.*))?$/;
const CHALLENGE = /^CRV1:([^:]*):([^:]*):([^:]*):(.*)$/;
const BRACKETED = /^\[([A-Za-z]*)\]/;
const SECONDS = /^\d{1,10}$/;
const MAX_SECONDS = 86_400;
