import { type ConfigProblem, OvpnConfigError } from '../core/errors.ts';
import type { Profile } from '../model/profile.ts';
import { DIRECTIVES } from './directives.ts';
import { BLOCK_NAMES, type Directive, MAX_PROBLEMS, tokeniseProfile } from './ovpn-tokens.ts';
import { ProfileDraft } from './profile-draft.ts';
import type { ProfileFiles } from './profile-files.ts';
import { finishCertificates } from './read-certificates.ts';
import { finishCompression } from './read-compression.ts';
import { finishDataCiphers } from './read-data-ciphers.ts';
import { finishLocalOptions } from './read-local-options.ts';
import { finishPeerChecks } from './read-peer-checks.ts';
import { finishRemotes } from './read-remotes.ts';
import { finishSession } from './read-session.ts';
import { finishSignIn } from './read-sign-in.ts';
import { finishTlsChoices } from './read-tls-choices.ts';

/**
 * Reads the text of a profile. Everything that is wrong is collected first.
 *
 * @param source how messages name the profile
 * @throws OvpnConfigError with all problems: what is not written as it must be, what we refuse to
 * do, what cannot be read
 */
export function readProfileText(text: string, files: ProfileFiles, source: string): Profile {
  const { directives, problems } = tokeniseProfile(text);
  const tolerated = toleratedNames(directives);
  const draft = new ProfileDraft(files, (target, directive) => apply(target, directive, tolerated));
  draft.problems.push(...problems);
  draft.read(directives);
  draft.finishBlocks();
  finishSession(draft);
  finishSignIn(draft);
  finishLocalOptions(draft);
  finishRemotes(draft);
  finishDataCiphers(draft);
  finishCompression(draft);
  finishPeerChecks(draft);
  finishTlsChoices(draft);
  finishCertificates(draft);
  throwProblems(draft.problems, source);
  return frozen(draft);
}

/** Names that `ignore-unknown-option` lists; all of them with `setenv FORWARD_COMPATIBLE 1`. */
interface Tolerated {
  readonly names: ReadonlySet<string>;
  readonly all: boolean;
}

function toleratedNames(directives: readonly Directive[]): Tolerated {
  const names = new Set<string>();
  let all = false;
  for (const { name, args } of directives) {
    if (name === 'ignore-unknown-option') {
      for (const listed of args) names.add(listed.replace(/^--/, ''));
    }
    if (name === 'setenv' && args[0] === 'FORWARD_COMPATIBLE' && args[1] === '1') all = true;
  }
  return { names, all };
}

function apply(draft: ProfileDraft, written: Directive, tolerated: Tolerated): void {
  const directive = withoutSetenvOpt(written);
  const isOptional = directive !== written;
  const rule = DIRECTIVES.get(directive.name);
  draft.seen.add(directive.name);
  if (rule === undefined) {
    const { name, line } = directive;
    if (isOptional || tolerated.all || tolerated.names.has(name)) {
      draft.ignore(directive, 'quiet', 'is unknown, and the profile allows for that');
    } else {
      draft.problems.push({ code: 'OVPN_CONFIG_INVALID', line, message: 'unknown directive' });
    }
  } else if (directive.block !== undefined && !BLOCK_NAMES.has(directive.name)) {
    draft.invalid(directive, 'cannot be written as a block');
  } else if (rule.class === 'refuse') {
    draft.refuse(directive, rule.reason);
  } else if (draft.isInBlock && !rule.inConnection) {
    draft.refuse(directive, 'cannot stand inside <connection>');
  } else if (rule.class === 'implement') {
    rule.read(draft, directive);
  } else {
    draft.ignore(directive, rule.class, rule.reason);
  }
}

/** `setenv opt NAME ARGS` is the directive `NAME ARGS`, and may be unknown. */
function withoutSetenvOpt(directive: Directive): Directive {
  const [kind, name, ...args] = directive.args;
  if (directive.name !== 'setenv' || kind !== 'opt' || name === undefined) return directive;
  return { ...directive, name, args };
}

function throwProblems(problems: readonly ConfigProblem[], source: string): void {
  const byLine = problems.toSorted((a, b) => (a.line ?? NO_LINE) - (b.line ?? NO_LINE));
  const [first, ...others] = byLine.slice(0, MAX_PROBLEMS);
  if (first !== undefined) throw new OvpnConfigError([first, ...others], source);
}

/** What has no line is told last. */
const NO_LINE = Number.MAX_SAFE_INTEGER;

function frozen({ profile, ignored }: ProfileDraft): Profile {
  for (const value of Object.values(profile)) if (Array.isArray(value)) Object.freeze(value);
  return Object.freeze({
    ...profile,
    ignored: Object.freeze(ignored.map((entry) => Object.freeze(entry))),
  });
}
