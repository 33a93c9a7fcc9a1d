import { DAY_SECONDS, decimal, MAX_COUNT } from './numbers.ts';
import type { PushDraft, PushReader, PushReaders } from './push-draft.ts';

/** Timers and the session token. */
export const PUSH_SESSION: PushReaders = [
  [
    'ping',
    seconds((draft, ms) => {
      draft.pingMs = ms;
    }),
  ],
  ['ping-restart', seconds(setPingRestart)],
  ['ping-exit', seconds(setPingExit)],
  ['keepalive', readKeepalive],
  ['inactive', readInactive],
  [
    'session-timeout',
    seconds((draft, ms) => {
      draft.sessionTimeoutMs = ms;
    }),
  ],
  ['explicit-exit-notify', readExitNotify],
  ['auth-token', readAuthToken],
  ['auth-token-user', readAuthTokenUser],
  ['push-continuation', () => {}],
];

function seconds(set: (draft: PushDraft, ms: number) => void): PushReader {
  return (draft, [text]) => {
    const value = decimal(text, 0, DAY_SECONDS);
    if (value === undefined) draft.ignore(`expected 0 to ${DAY_SECONDS} seconds`);
    else set(draft, value * 1000);
  };
}

/** `inactive SECONDS [BYTES]` */
function readInactive(draft: PushDraft, [text, least]: readonly string[]): void {
  const idle = decimal(text, 0, DAY_SECONDS);
  const bytes = decimal(least, 0, MAX_COUNT);
  if (idle === undefined || (least !== undefined && bytes === undefined)) {
    draft.ignore(`expected 0 to ${DAY_SECONDS} seconds and a number of bytes`);
    return;
  }
  draft.inactiveMs = idle * 1000;
  draft.inactiveBytes = bytes;
}

/** The later of `ping-restart` and `ping-exit` decides: a session ends in one way. */
function setPingRestart(draft: PushDraft, ms: number): void {
  draft.pingRestartMs = ms;
  draft.pingExitMs = undefined;
}

function setPingExit(draft: PushDraft, ms: number): void {
  draft.pingExitMs = ms;
  draft.pingRestartMs = undefined;
}

/** Only a PUSH_UPDATE holds it; it is short for `ping` and `ping-restart`. */
function readKeepalive(draft: PushDraft, [interval, timeout]: readonly string[]): void {
  const pingSeconds = decimal(interval, 0, DAY_SECONDS);
  const restartSeconds = decimal(timeout, 0, DAY_SECONDS);
  if (pingSeconds === undefined || restartSeconds === undefined) {
    draft.ignore(`expected twice 0 to ${DAY_SECONDS} seconds`);
    return;
  }
  draft.pingMs = pingSeconds * 1000;
  setPingRestart(draft, restartSeconds * 1000);
}

function readExitNotify(draft: PushDraft, args: readonly string[]): void {
  const times = args.length === 0 ? 1 : decimal(args[0], 0, 100);
  if (times === undefined) draft.ignore('expected 0 to 100');
  else draft.explicitExitNotify = times;
}

function readAuthToken(draft: PushDraft, [token = '']: readonly string[]): void {
  if (token === '') draft.ignore('expected a token');
  else draft.authToken = token;
}

function readAuthTokenUser(draft: PushDraft, [encoded = '']: readonly string[]): void {
  const username = Buffer.from(encoded, 'base64');
  if (username.length === 0 || username.toString('base64') !== encoded) {
    draft.ignore('expected a user name in base64');
  } else draft.authTokenUser = username.toString('utf8');
}
