import { isHost } from './host.ts';
import { DAY_SECONDS, YEAR_SECONDS } from './numbers.ts';
import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';

/** Longest pause that `connect-retry` may begin with; what is longer is cut. Unit: seconds. */
export const MAX_CONNECT_RETRY_SECONDS = 65_535;

const MAX_ROUNDS = 1_000_000;

/** Our own end of the outer socket, and how long and how often a remote is tried. */
export const CONNECTING_READERS: DirectiveReaders = [
  ['local', readLocal],
  ['lport', readLport],
  [
    'bind',
    (draft, directive) => {
      draft.connection.bind = directive;
    },
  ],
  [
    'nobind',
    (draft, directive) => {
      draft.connection.nobind = directive;
    },
  ],
  [
    'float',
    (draft, directive) => {
      draft.connection.float = true;
      draft.ignore(directive, 'warn', "the link keeps the server's address it was opened to");
    },
  ],
  ['server-poll-timeout', readPollTimeout],
  ['connect-timeout', readPollTimeout],
  ['connect-retry', readConnectRetry],
  ['connect-retry-max', readConnectRetryMax],
  ['resolv-retry', readResolvRetry],
];

/** `local ADDRESS|* [PORT]` */
function readLocal(draft: ProfileDraft, directive: Directive): void {
  const [address, port] = directive.args;
  if (address !== '*' && (address === undefined || !isHost(address))) {
    draft.invalid(directive, 'expected an address of this machine');
    return;
  }
  const { connection } = draft;
  connection.bind = directive;
  connection.localAddress = address === '*' ? undefined : address;
  if (port !== undefined) {
    connection.localPort = draft.numberOf(directive, 1, 0, 65_535) ?? connection.localPort;
  }
}

/** 0 asks for nothing: any port will do. */
function readLport(draft: ProfileDraft, directive: Directive): void {
  const port = draft.numberOf(directive, 0, 0, 65_535);
  if (port === undefined) return;
  draft.connection.localPort = port;
  if (port > 0) draft.connection.bind = directive;
}

function readPollTimeout(draft: ProfileDraft, directive: Directive): void {
  const seconds = draft.numberOf(directive, 0, 1, DAY_SECONDS);
  if (seconds !== undefined) draft.connection.serverPollTimeoutMs = seconds * 1000;
}

/** `connect-retry SECONDS [MAX]` */
function readConnectRetry(draft: ProfileDraft, directive: Directive): void {
  const first = draft.numberOf(directive, 0, 0, DAY_SECONDS);
  if (first === undefined) return;
  const firstMs = Math.min(first, MAX_CONNECT_RETRY_SECONDS) * 1000;
  let { maxMs } = draft.connection.connectRetry;
  if (directive.args.length > 1) {
    const max = draft.numberOf(directive, 1, 0, DAY_SECONDS);
    if (max === undefined) return;
    maxMs = max * 1000;
  }
  draft.connection.connectRetry = Object.freeze({ firstMs, maxMs: Math.max(firstMs, maxMs) });
}

/** 0 is for ever. The profile's alone: a block's says nothing. */
function readConnectRetryMax(draft: ProfileDraft, directive: Directive): void {
  const rounds = draft.numberOf(directive, 0, 0, MAX_ROUNDS);
  if (rounds === undefined) return;
  if (draft.isInBlock) draft.ignore(directive, 'quiet', 'has an effect outside <connection> only');
  else draft.profile.connectRetryMax = rounds === 0 ? Number.POSITIVE_INFINITY : rounds;
}

function readResolvRetry(draft: ProfileDraft, directive: Directive): void {
  if (directive.args[0] === 'infinite') {
    draft.profile.resolvRetryMs = Number.POSITIVE_INFINITY;
    return;
  }
  const seconds = draft.numberOf(directive, 0, 0, YEAR_SECONDS);
  if (seconds !== undefined) draft.profile.resolvRetryMs = seconds * 1000;
}
