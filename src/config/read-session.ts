import { hasControlCharacter } from '../core/log.ts';
import { decimal } from './numbers.ts';
import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';

/** Most `setenv` lines that go into peer info, and the longest of their values. */
export const MAX_PEER_INFO_LINES = 32;
export const MAX_PEER_INFO_VALUE_CHARS = 256;

/** What kind of session it is, and what is told about us. */
export const SESSION_READERS: DirectiveReaders = [
  ['client', pull],
  ['pull', pull],
  ['tls-client', () => {}],
  ['ignore-unknown-option', () => {}],
  ['mode', readMode],
  ['key-method', readKeyMethod],
  [
    'dev',
    (draft, directive) => {
      draft.device = directive;
    },
  ],
  [
    'dev-type',
    (draft, directive) => {
      draft.deviceType = directive;
    },
  ],
  [
    'persist-tun',
    (draft) => {
      draft.profile.persistTun = true;
    },
  ],
  ['push-peer-info', tellMore],
  ['setenv', readSetenv],
  ['compat-mode', readCompatMode],
];

/** Looks for what every client profile must say, once everything has been read. */
export function finishSession(draft: ProfileDraft): void {
  if (!draft.pull) {
    draft.problems.push({
      code: 'OVPN_CONFIG_REFUSED',
      message: 'expected client or pull: other modes are not supported',
    });
  }
  finishDevice(draft);
}

/** The type decides where there is one, else how the device's name begins. */
function finishDevice(draft: ProfileDraft): void {
  const { device, deviceType } = draft;
  const named = device?.args[0] ?? '';
  const type = deviceType?.args[0] ?? named;
  if (device !== undefined && named === '') draft.invalid(device, 'expected the name of a device');
  for (const directive of [device, deviceType]) {
    if (directive === undefined || directive.args[0] === undefined) continue;
    const isDecisive = directive === (deviceType ?? device);
    if (isDecisive && type.startsWith('tap')) {
      draft.refuse(directive, 'tap is not supported, only tun');
    } else if (isDecisive && type === 'null') {
      draft.refuse(directive, 'a null device is not supported');
    } else if (directive.args[0] !== '') {
      const level = directive.args[0] === 'tun' ? 'quiet' : 'warn';
      draft.ignore(directive, level, 'no device is opened');
    }
  }
}

function pull(draft: ProfileDraft): void {
  draft.pull = true;
}

function tellMore(draft: ProfileDraft): void {
  draft.profile.pushPeerInfo = true;
}

function readMode(draft: ProfileDraft, directive: Directive): void {
  if (directive.args[0] !== 'p2p') draft.refuse(directive, 'only a client is started');
}

function readKeyMethod(draft: ProfileDraft, directive: Directive): void {
  if (directive.args[0] !== '2') draft.refuse(directive, 'only key method 2 is spoken');
}

/** No environment is set; some names mean something to OpenVPN itself, or are peer info. */
function readSetenv(draft: ProfileDraft, directive: Directive): void {
  const [name = '', value = ''] = directive.args;
  switch (name) {
    case 'GENERIC_CONFIG':
      draft.refuse(directive, 'the profile is a template that lacks its user');
      return;
    case 'PUSH_PEER_INFO':
      tellMore(draft);
      return;
    case 'REMOTE_RANDOM_HOSTNAME':
      draft.profile.remoteRandomHostname = true;
      return;
    case 'SERVER_POLL_TIMEOUT':
      readPollTimeout(draft, directive);
      return;
    default:
      if (name === 'CLIENT_CERT' && value === '0') draft.certificateless = true;
      else if (PEER_INFO_NAME.test(name)) addPeerInfo(draft, directive, name, value);
      else draft.ignore(directive, 'quiet', 'no environment is set: no program is ever started');
  }
}

function readPollTimeout(draft: ProfileDraft, directive: Directive): void {
  const seconds = decimal(directive.args[1], 1, 86_400);
  if (seconds !== undefined) draft.connection.serverPollTimeoutMs = seconds * 1000;
  else draft.invalid(directive, 'expected a whole number of seconds');
}

function addPeerInfo(draft: ProfileDraft, directive: Directive, name: string, value: string): void {
  const { peerInfo } = draft.profile;
  if (peerInfo.length === MAX_PEER_INFO_LINES) {
    draft.invalid(directive, `more than ${MAX_PEER_INFO_LINES} lines of peer info`);
  } else if (value.length > MAX_PEER_INFO_VALUE_CHARS) {
    draft.invalid(directive, `longer than ${MAX_PEER_INFO_VALUE_CHARS} characters`);
  } else if (hasControlCharacter(value)) {
    draft.invalid(directive, 'expected a value without control characters');
  } else {
    const others = peerInfo.filter(([known]) => known !== name);
    draft.profile.peerInfo = [...others, Object.freeze([name, value] as const)];
  }
}

/** `IV_` names that tell what the stack itself can do are not the profile's to set. */
const PEER_INFO_NAME = /^(UV_[A-Za-z0-9_]{1,60}|IV_GUI_VER|IV_PLAT_VER|IV_HWADDR)$/;

/** `compat-mode MAJOR.MINOR.PATCH`: the version of OpenVPN whose defaults the profile was made for. */
function readCompatMode(draft: ProfileDraft, directive: Directive): void {
  const parts = (directive.args[0] ?? '').split('.').map((part) => decimal(part, 0, 99));
  const [major, minor, patch, ...others] = parts;
  if (major === undefined || minor === undefined || patch === undefined || others.length > 0) {
    draft.invalid(directive, 'expected a version such as 2.4.0');
    return;
  }
  draft.compatMode = major * 10_000 + minor * 100 + patch;
  if (draft.compatMode < 2_03_07) {
    draft.ignore(
      directive,
      'warn',
      'TLS 1.0 and 1.1, which so old a version had, are never spoken',
    );
  }
}
