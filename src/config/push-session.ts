import { PEER_ID_UNDEFINED } from '../model/ids.ts';
import { DAY_SECONDS, decimal } from './numbers.ts';
import type { PushDraft, PushReader, PushReaders } from './push-draft.ts';

/** Keys, formats, timers and the session token. */
export const PUSH_SESSION: PushReaders = [
  ['peer-id', readPeerId],
  ['cipher', readCipher],
  ['key-derivation', readKeyDerivation],
  ['protocol-flags', readProtocolFlags],
  ['compress', rejectCompression],
  ['comp-lzo', rejectCompression],
  [
    'ping',
    seconds((draft, ms) => {
      draft.pingMs = ms;
    }),
  ],
  ['ping-restart', seconds(setPingRestart)],
  ['ping-exit', seconds(setPingExit)],
  [
    'inactive',
    seconds((draft, ms) => {
      draft.inactiveMs = ms;
    }),
  ],
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

function readPeerId(draft: PushDraft, [text]: readonly string[]): void {
  const peerId = decimal(text, 0, PEER_ID_UNDEFINED);
  if (peerId === undefined) draft.reject('expected a peer-id 0 to 16777215');
  draft.peerId = peerId === PEER_ID_UNDEFINED ? undefined : peerId;
}

function readCipher(draft: PushDraft, [name = '']: readonly string[]): void {
  if (!/^[A-Za-z0-9-]{1,40}$/.test(name)) draft.reject('expected the name of a cipher');
  draft.cipher = name.toUpperCase();
}

function readKeyDerivation(draft: PushDraft, [method]: readonly string[]): void {
  if (method !== 'tls-ekm') draft.reject('expected key-derivation tls-ekm');
  draft.tlsEkm = true;
}

function readProtocolFlags(draft: PushDraft, flags: readonly string[]): void {
  for (const flag of flags) {
    if (flag === 'tls-ekm') draft.tlsEkm = true;
    else if (flag === 'cc-exit') draft.ccExit = true;
    else if (WIRE_FLAGS.has(flag)) draft.reject('expected only flags that were offered');
    else draft.ignore('holds a flag that is unknown');
  }
}

/** Flags that change packets on the wire: granted unasked, the other end could not be understood. */
const WIRE_FLAGS: ReadonlySet<string> = new Set(['dyn-tls-crypt', 'aead-epoch']);

/** Every form of these options, `no` and the stubs too, puts a framing around each packet. */
function rejectCompression(draft: PushDraft): void {
  draft.reject('compression and its framing are not supported yet');
}

function seconds(set: (draft: PushDraft, ms: number) => void): PushReader {
  return (draft, [text]) => {
    const value = decimal(text, 0, DAY_SECONDS);
    if (value === undefined) draft.ignore(`expected 0 to ${DAY_SECONDS} seconds`);
    else set(draft, value * 1000);
  };
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
