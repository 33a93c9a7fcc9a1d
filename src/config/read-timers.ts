import { DAY_SECONDS, MAX_COUNT, YEAR_SECONDS } from './numbers.ts';
import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReader, DirectiveReaders, ProfileDraft } from './profile-draft.ts';

/** Keepalive, renegotiation and the time that a handshake may take. */
export const TIMER_READERS: DirectiveReaders = [
  [
    'ping',
    seconds(0, DAY_SECONDS, (draft, ms) => {
      draft.profile.pingMs = ms;
    }),
  ],
  ['ping-restart', seconds(0, DAY_SECONDS, setPingRestart)],
  ['ping-exit', seconds(0, DAY_SECONDS, setPingExit)],
  ['keepalive', readKeepalive],
  ['inactive', readInactive],
  [
    'session-timeout',
    seconds(0, YEAR_SECONDS, (draft, ms) => {
      draft.profile.sessionTimeoutMs = ms;
    }),
  ],
  ['explicit-exit-notify', readExitNotify],
  [
    'hand-window',
    seconds(1, DAY_SECONDS, (draft, ms) => {
      draft.profile.handWindowMs = ms;
    }),
  ],
  [
    'tran-window',
    seconds(1, YEAR_SECONDS, (draft, ms) => {
      draft.profile.tranWindowMs = ms;
    }),
  ],
  [
    'tls-timeout',
    seconds(1, DAY_SECONDS, (draft, ms) => {
      draft.profile.tlsTimeoutMs = ms;
    }),
  ],
  [
    'reneg-sec',
    seconds(0, YEAR_SECONDS, (draft, ms) => {
      draft.profile.renegSecMs = ms;
    }),
  ],
  [
    'reneg-bytes',
    count((draft, bytes) => {
      draft.profile.renegBytes = bytes;
    }),
  ],
  [
    'reneg-pkts',
    count((draft, packets) => {
      draft.profile.renegPackets = packets;
    }),
  ],
];

function seconds(
  min: number,
  max: number,
  set: (draft: ProfileDraft, ms: number) => void,
): DirectiveReader {
  return (draft, directive) => {
    const value = draft.numberOf(directive, 0, min, max);
    if (value !== undefined) set(draft, value * 1000);
  };
}

function count(set: (draft: ProfileDraft, value: number) => void): DirectiveReader {
  return (draft, directive) => {
    const value = draft.numberOf(directive, 0, 0, MAX_COUNT);
    if (value !== undefined) set(draft, value);
  };
}

/** The later of `ping-restart` and `ping-exit` decides: a session ends in one way. */
function setPingRestart(draft: ProfileDraft, ms: number): void {
  draft.profile.pingRestartMs = ms;
  draft.profile.pingExitMs = 0;
}

function setPingExit(draft: ProfileDraft, ms: number): void {
  draft.profile.pingExitMs = ms;
  draft.profile.pingRestartMs = 0;
}

function readKeepalive(draft: ProfileDraft, directive: Directive): void {
  const ping = draft.numberOf(directive, 0, 1, DAY_SECONDS);
  const restart = draft.numberOf(directive, 1, 1, DAY_SECONDS);
  if (ping === undefined || restart === undefined) return;
  if (restart < ping * 2) {
    draft.invalid(directive, 'the second time must be at least twice the first');
    return;
  }
  draft.profile.pingMs = ping * 1000;
  setPingRestart(draft, restart * 1000);
}

/** `inactive SECONDS [BYTES]` */
function readInactive(draft: ProfileDraft, directive: Directive): void {
  const idle = draft.numberOf(directive, 0, 0, YEAR_SECONDS);
  const bytes = directive.args.length < 2 ? 0 : draft.numberOf(directive, 1, 0, MAX_COUNT);
  if (idle === undefined || bytes === undefined) return;
  draft.profile.inactive = Object.freeze({ ms: idle * 1000, bytes });
}

function readExitNotify(draft: ProfileDraft, directive: Directive): void {
  const times = directive.args.length === 0 ? 1 : draft.numberOf(directive, 0, 0, 100);
  if (times !== undefined) draft.connection.explicitExitNotify = times;
}
