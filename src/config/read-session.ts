import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';
import { parseUserPassword } from './user-password.ts';

/** Most `setenv` lines that go into peer info, and the longest of their values. */
export const MAX_PEER_INFO_LINES = 32;
export const MAX_PEER_INFO_VALUE_CHARS = 256;

/** Who we are and what kind of session it is. */
export const SESSION_READERS: DirectiveReaders = [
  [
    'client',
    (draft) => {
      draft.pull = true;
    },
  ],
  [
    'pull',
    (draft) => {
      draft.pull = true;
    },
  ],
  ['tls-client', () => {}],
  ['ignore-unknown-option', () => {}],
  ['auth-user-pass', readAuthUserPass],
  ['setenv', readSetenv],
  ['mode', readMode],
  ['key-method', readKeyMethod],
  ['dev', readDevice],
  ['dev-type', readDevice],
  ['pull-filter', readPullFilter],
];

/** Looks for what every client profile must say, once everything has been read. */
export function finishSession(draft: ProfileDraft): void {
  if (!draft.pull) {
    draft.problems.push({
      code: 'OVPN_CONFIG_REFUSED',
      message: 'expected client or pull: other modes are not supported',
    });
  }
}

function readAuthUserPass(draft: ProfileDraft, directive: Directive): void {
  const [file] = directive.args;
  if (directive.block === undefined && (file === undefined || file === 'stdin')) {
    draft.profile.authUserPass = Object.freeze({ username: undefined, password: undefined });
    return;
  }
  const text = draft.privateTextOf(directive);
  if (text === undefined) return;
  const stored = parseUserPassword(text);
  if (stored === undefined) {
    draft.invalid(directive, 'expected a user name in the first line, a password in the second');
    return;
  }
  draft.profile.authUserPass = Object.freeze(stored);
}

function readSetenv(draft: ProfileDraft, directive: Directive): void {
  const [name = '', value = ''] = directive.args;
  if (name === 'GENERIC_CONFIG') {
    draft.refuse(directive, 'the profile is a template that lacks its user');
  } else if (name === 'CLIENT_CERT' && value === '0') {
    draft.certificateless = true;
  } else if (!PEER_INFO_NAME.test(name)) {
    draft.ignore(directive, 'quiet', 'no environment is set: no program is ever started');
  } else if (draft.profile.peerInfo.length === MAX_PEER_INFO_LINES) {
    draft.invalid(directive, `more than ${MAX_PEER_INFO_LINES} lines of peer info`);
  } else if (value.length > MAX_PEER_INFO_VALUE_CHARS) {
    draft.invalid(directive, `longer than ${MAX_PEER_INFO_VALUE_CHARS} characters`);
  } else {
    const others = draft.profile.peerInfo.filter(([known]) => known !== name);
    draft.profile.peerInfo = [...others, Object.freeze([name, value] as const)];
  }
}

/** `IV_` names that tell what the stack itself can do are not the profile's to set. */
const PEER_INFO_NAME = /^(UV_[A-Za-z0-9_]{1,60}|IV_GUI_VER|IV_PLAT_VER|IV_HWADDR)$/;

function readMode(draft: ProfileDraft, directive: Directive): void {
  if (directive.args[0] !== 'p2p') draft.refuse(directive, 'only a client is started');
}

function readKeyMethod(draft: ProfileDraft, directive: Directive): void {
  if (directive.args[0] !== '2') draft.refuse(directive, 'only key method 2 is spoken');
}

function readDevice(draft: ProfileDraft, directive: Directive): void {
  const [device = ''] = directive.args;
  if (device.startsWith('tap')) draft.refuse(directive, 'tap is not supported, only tun');
  else if (device === 'null') draft.refuse(directive, 'a null device is not supported');
  else if (device === '') draft.invalid(directive, 'expected the name of a device');
  else draft.ignore(directive, device === 'tun' ? 'quiet' : 'warn', 'no device is opened');
}

function readPullFilter(draft: ProfileDraft, directive: Directive): void {
  const [action] = directive.args;
  if (action === 'accept' || action === 'ignore') {
    draft.ignore(directive, 'warn', 'what is pushed is not filtered yet');
  } else draft.refuse(directive, 'only accept and ignore are understood');
}
