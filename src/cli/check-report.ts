import type { ConfigProblem } from '../core/errors.ts';
import { printable } from '../core/log.ts';
import type { IgnoredDirective, Profile, Remote } from '../model/profile.ts';
import { type ProfileNeed, profileNeeds } from './profile-needs.ts';

/** What `tundial check --json` prints. Nothing of it is secret. */
export interface CheckReport {
  /** The profile's path. */
  readonly profile: string;
  readonly accepted: boolean;
  /** In the order of their lines; empty when accepted. */
  readonly problems: readonly ConfigProblem[];
  readonly remotes: readonly Pick<Remote, 'host' | 'port' | 'protocol' | 'family'>[];
  readonly remoteRandom: boolean;
  readonly proxy: string | null;
  readonly wrap: Profile['wrap']['kind'] | null;
  readonly ciphers: readonly string[];
  readonly needs: readonly ProfileNeed[];
  /** In the order of their lines; 0 for what is missing in the profile. */
  readonly ignored: readonly IgnoredDirective[];
}

/** Most remotes that are shown to people. */
const MAX_SHOWN_REMOTES = 8;

export function acceptedReport(path: string, profile: Profile): CheckReport {
  const { remotes, remoteRandom, proxy, wrap, dataCiphers, ignored } = profile;
  return {
    profile: path,
    accepted: true,
    problems: [],
    remotes: remotes.map(({ host, port, protocol, family }) => ({ host, port, protocol, family })),
    remoteRandom,
    proxy: proxy === undefined ? null : `${proxy.kind} ${proxy.host}:${proxy.port}`,
    wrap: wrap.kind,
    ciphers: dataCiphers,
    needs: profileNeeds(profile),
    ignored: ignored.toSorted((a, b) => a.line - b.line),
  };
}

export function refusedReport(path: string, problems: readonly ConfigProblem[]): CheckReport {
  return {
    profile: path,
    accepted: false,
    problems,
    remotes: [],
    remoteRandom: false,
    proxy: null,
    wrap: null,
    ciphers: [],
    needs: [],
    ignored: [],
  };
}

/** The report for people. */
export function reportLines(report: CheckReport): string[] {
  const { profile, accepted, problems } = report;
  if (accepted) return [`${profile}: accepted`, '', ...factLines(report), ...ignoredLines(report)];
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return [
    `${profile}: refused, ${count}`,
    '',
    ...table(
      problems.map(({ line, directive = '', message }) => [
        lineText(line ?? 0),
        directive,
        message,
      ]),
    ),
  ];
}

function factLines({ remotes, remoteRandom, proxy, wrap, ciphers, needs }: CheckReport): string[] {
  const places = remotes.slice(0, MAX_SHOWN_REMOTES).map(remoteText);
  const more = remotes.length - places.length;
  if (more > 0) places.push(`and ${more} more`);
  if (remoteRandom) places.push('in random order');
  return [
    ...fact('remotes', places),
    ...fact('proxy', proxy === null ? [] : [printable(proxy)]),
    ...fact('wrap', [wrap ?? 'none']),
    ...fact('ciphers', [ciphers.join(', ')]),
    ...fact('needs', needs.length === 0 ? ['nothing'] : needs.map(needText)),
  ];
}

/** A name once, its values below each other. */
function fact(name: string, values: readonly string[]): string[] {
  return values.map((value, at) => `  ${(at === 0 ? name : '').padEnd(FACT_CHARS)}${value}`);
}

const FACT_CHARS = 9;

function remoteText({ host, port, protocol, family }: CheckReport['remotes'][number]): string {
  const over = family === 0 ? '' : ` over IPv${family}`;
  return `${printable(host)} port ${port}, ${protocol.toUpperCase()}${over}`;
}

function needText({ kind, text = '' }: ProfileNeed): string {
  switch (kind) {
    case 'user-password':
      return 'a user name and a password';
    case 'username':
      return 'a user name';
    case 'password':
      return 'a password';
    case 'key-passphrase':
      return 'the passphrase of the private key';
    case 'static-challenge':
      return `an answer to "${printable(text)}"`;
    case 'proxy':
      return 'a user name and a password for the proxy';
  }
}

/** What is told to whoever connects is marked. */
function ignoredLines({ ignored }: CheckReport): string[] {
  if (ignored.length === 0) return [];
  const rows = ignored.map(({ line, directive, reason, level }) => [
    level === 'warn' ? '!' : '',
    lineText(line),
    directive,
    reason,
  ]);
  return ['', '  ignored', ...table(rows)];
}

function lineText(line: number): string {
  return line === 0 ? '' : `line ${line}`;
}

/** Rows of columns that begin below each other. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  return rows.map((row) => {
    const cells = row.map((cell, at) => cell.padEnd(widths?.[at] ?? 0));
    return `  ${cells.join('  ')}`.trimEnd();
  });
}
