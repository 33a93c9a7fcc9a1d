import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';

/** Most `pull-filter` lines: each pushed option is compared with all of them. */
export const MAX_PULL_FILTERS = 256;

/** Which of the server's options are taken. */
export const PULL_POLICY_READERS: DirectiveReaders = [
  ['pull-filter', readPullFilter],
  [
    'route-nopull',
    (draft) => {
      draft.profile.routeNopull = true;
    },
  ],
];

/** `pull-filter accept|ignore|reject TEXT` */
function readPullFilter(draft: ProfileDraft, directive: Directive): void {
  const [action, text, ...others] = directive.args;
  const { pullFilters } = draft.profile;
  if (action !== 'accept' && action !== 'ignore' && action !== 'reject') {
    draft.invalid(directive, 'expected accept, ignore or reject');
  } else if (text === undefined || others.length > 0) {
    draft.invalid(directive, 'expected one text, in quotes where it has blanks');
  } else if (pullFilters.length === MAX_PULL_FILTERS) {
    draft.invalidOnce(directive, `more than ${MAX_PULL_FILTERS} filters`);
  } else {
    const filter = Object.freeze({ action, text: text.trimStart().replace(/\s+/g, ' ') });
    draft.profile.pullFilters = [...pullFilters, filter];
  }
}
