/** One challenge of a `WWW-Authenticate` or `Proxy-Authenticate` field. */
export interface AuthChallenge {
  /** In lower case. */
  readonly scheme: string;
  /** By names in lower case; the first of a name stands. */
  readonly params: ReadonlyMap<string, string>;
}

/** Challenges of one reply that are looked at. */
export const MAX_CHALLENGES = 16;

/**
 * The challenges of all fields of a reply, as far as they keep to the grammar (RFC 9110 §11.6.1):
 * both challenges and their parameters are separated by commas, so that only what follows a word
 * tells what it was.
 */
export function readChallenges(fields: readonly string[]): readonly AuthChallenge[] {
  return fields.flatMap(readField).slice(0, MAX_CHALLENGES);
}

const SEPARATORS = /[\s,]*/y;
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const EQUALS = /[ \t]*=[ \t]*/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
/** What NTLM and Negotiate have in place of parameters. */
const TOKEN68 = /[ \t]+[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)/y;

function readField(field: string): AuthChallenge[] {
  const challenges: AuthChallenge[] = [];
  let params = new Map<string, string>();
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(field);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  for (;;) {
    take(SEPARATORS);
    const name = take(TOKEN)?.[0].toLowerCase();
    if (name === undefined) return challenges;
    if (challenges.length > 0 && take(EQUALS) !== null) {
      const value = take(QUOTED)?.[1]?.replace(/\\(.)/g, '$1') ?? take(TOKEN)?.[0];
      if (value === undefined) return challenges;
      if (!params.has(name)) params.set(name, value);
    } else {
      params = new Map();
      challenges.push({ scheme: name, params });
      take(TOKEN68);
    }
  }
}
