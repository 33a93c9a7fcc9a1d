import { hasControlCharacter } from '../core/log.ts';
import { Secret } from '../core/secret.ts';
import type { StoredCredentials } from '../model/profile.ts';
import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';
import { parseUserPassword } from './user-password.ts';

/** Longest text of a `static-challenge`. Unit: characters. */
export const MAX_CHALLENGE_CHARS = 1024;

/** Credentials that whoever is asked must give. */
export const ASKED_CREDENTIALS: StoredCredentials = Object.freeze({
  username: undefined,
  password: undefined,
});

/** How the user of the profile shows who it is. */
export const SIGN_IN_READERS: DirectiveReaders = [
  ['auth-user-pass', readAuthUserPass],
  ['auth-retry', readAuthRetry],
  [
    'auth-nocache',
    (draft) => {
      draft.profile.authNocache = true;
    },
  ],
  ['static-challenge', readStaticChallenge],
];

/** A challenge goes with the password; where there is none, nobody asks. */
export function finishSignIn(draft: ProfileDraft): void {
  const { profile, staticChallenge } = draft;
  if (staticChallenge === undefined || profile.authUserPass !== undefined) return;
  if (draft.seen.has('auth-user-pass')) return;
  profile.staticChallenge = undefined;
  draft.ignore(staticChallenge, 'warn', 'has a meaning with auth-user-pass only');
}

/**
 * The user name and password of a directive's file or block; without either, or with `stdin`, they
 * are asked for. undefined, with a problem, when they cannot be read.
 */
export function credentialsOf(
  draft: ProfileDraft,
  directive: Directive,
): StoredCredentials | undefined {
  const [file] = directive.args;
  if (directive.block === undefined && (file === undefined || file === 'stdin')) {
    return ASKED_CREDENTIALS;
  }
  const text = draft.privateTextOf(directive);
  if (text === undefined) return undefined;
  const stored = parseUserPassword(text);
  if (stored !== undefined) return Object.freeze(stored);
  draft.invalid(directive, 'expected a user name in the first line, a password in the second');
  return undefined;
}

function readAuthUserPass(draft: ProfileDraft, directive: Directive): void {
  const { profile } = draft;
  const isNameOnly = directive.block === undefined && directive.args[0] === 'username-only';
  profile.authUserPass = isNameOnly
    ? NAME_ONLY
    : (credentialsOf(draft, directive) ?? profile.authUserPass);
}

/** What stands in for the password of a user who has none (OpenVPN 2.7). */
const NAME_ONLY: StoredCredentials = Object.freeze({
  username: undefined,
  password: new Secret('[[BLANK]]'),
});

function readAuthRetry(draft: ProfileDraft, directive: Directive): void {
  const [kind] = directive.args;
  if (kind === 'none' || kind === 'nointeract' || kind === 'interact') {
    draft.profile.authRetry = kind;
  } else draft.invalid(directive, 'expected none, nointeract or interact');
}

/** `static-challenge TEXT ECHO [scrv1|concat]` */
function readStaticChallenge(draft: ProfileDraft, directive: Directive): void {
  const [text, , format = 'scrv1'] = directive.args;
  const echo = draft.numberOf(directive, 1, 0, 1);
  if (echo === undefined) return;
  if (text === undefined || text.length > MAX_CHALLENGE_CHARS || hasControlCharacter(text)) {
    draft.invalid(directive, `expected a question of at most ${MAX_CHALLENGE_CHARS} characters`);
  } else if (format !== 'scrv1' && format !== 'concat') {
    draft.invalid(directive, 'expected scrv1 or concat after the echo flag');
  } else {
    draft.staticChallenge = directive;
    draft.profile.staticChallenge = Object.freeze({ text, echo: echo === 1, format });
  }
}
