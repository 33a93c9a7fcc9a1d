import type { ConfigProblem } from '../core/errors.ts';
import { printable } from '../core/log.ts';
import type { Secret } from '../core/secret.ts';
import { DEFAULT_DATA_CIPHERS } from '../model/ciphers.ts';
import { DEFAULT_DIGEST } from '../model/digests.ts';
import type { IgnoredDirective, Profile } from '../model/profile.ts';
import type { CompressionChoice } from './compression.ts';
import { decimal } from './numbers.ts';
import type { Directive } from './ovpn-tokens.ts';
import type { ProfileFiles } from './profile-files.ts';

/** Takes one directive into the draft; what is wrong with it goes to the draft's problems. */
export type DirectiveReader = (draft: ProfileDraft, directive: Directive) => void;

/** Readers of one group of directives, by name. */
export type DirectiveReaders = readonly (readonly [name: string, read: DirectiveReader])[];

/** How a remote is reached. */
export interface Transport {
  readonly protocol: 'udp' | 'tcp';
  readonly family: 0 | 4 | 6;
}

/** A remote whose port and transport may still be the profile's general ones. */
export interface RemoteDraft {
  readonly host: string;
  readonly port: number | undefined;
  readonly transport: Transport | undefined;
}

/** A `compress` or `comp-lzo`, and what it asks for. */
export interface CompressionDraft {
  readonly directive: Directive;
  readonly choice: CompressionChoice;
}

/** A profile while it is read: values so far, everything that is wrong, everything without effect. */
export class ProfileDraft {
  readonly files: ProfileFiles;
  /** The values, with OpenVPN's defaults where no directive has spoken. */
  readonly profile: { -readonly [Key in keyof Profile]: Profile[Key] } = defaultProfile();
  readonly problems: ConfigProblem[] = [];
  readonly ignored: IgnoredDirective[] = [];
  /** Names of the directives that were read, rightly or not. */
  readonly seen: Set<string> = new Set();
  pull = false;
  port = 1194;
  transport: Transport = { protocol: 'udp', family: 0 };
  onlyProtocol: 'udp' | 'tcp' | undefined;
  remotes: RemoteDraft[] = [];
  /** Remotes of `<connection>` blocks. */
  connections: RemoteDraft[] = [];
  extraCerts: string | undefined;
  cipher: Directive | undefined;
  dataCiphers: Directive | undefined;
  keysize: Directive | undefined;
  ncpDisabled = false;
  auth: Directive | undefined;
  /** The last one: it decides. */
  compression: CompressionDraft | undefined;
  compressionForbidden = false;
  /** Directives that name a control wrap, in order. */
  readonly wraps: Directive[] = [];
  tlsAuthKey: Secret<Buffer> | undefined;
  /** The last word about `key-direction`, of `tls-auth` or its own. */
  keyDirection: { readonly directive: Directive; readonly direction: 0 | 1 } | undefined;
  /** The last of `tls-version-min` and `tls-version-max`. */
  tlsVersion: Directive | undefined;
  /** Whether the profile says that it needs no certificate of the client. */
  certificateless = false;
  /** Directives with `[inline]` in place of a file: their block stands elsewhere. */
  readonly #announced: Directive[] = [];
  readonly #blocks = new Set<string>();

  constructor(files: ProfileFiles) {
    this.files = files;
  }

  /** The directive is not written as it must be. `message` holds nothing of its line. */
  invalid(directive: Directive, message: string): void {
    this.#problem('OVPN_CONFIG_INVALID', directive, message);
  }

  /** The directive is well formed, and we do not do what it says. */
  refuse(directive: Directive, message: string): void {
    this.#problem('OVPN_CONFIG_REFUSED', directive, message);
  }

  /** Something is missing or does not fit together; no line can be named. */
  missing(message: string): void {
    this.problems.push({ code: 'OVPN_CONFIG_INVALID', message });
  }

  /** The directive has no effect. */
  ignore(directive: Directive, level: IgnoredDirective['level'], reason: string): void {
    const name = printable(directive.name);
    this.ignored.push({ directive: name, line: directive.line, reason, level });
  }

  /** The directive's block, or the text of the file its first argument names; else undefined. */
  textOf(directive: Directive): string | undefined {
    return this.#fileText(directive, (name) => this.files.read(name));
  }

  /** As `textOf`, for a file that holds a password. */
  privateTextOf(directive: Directive): string | undefined {
    return this.#fileText(directive, (name) => this.files.readPrivate(name));
  }

  /** Looks for the blocks that `[inline]` announced, once everything has been read. */
  finishBlocks(): void {
    for (const directive of this.#announced) {
      if (!this.#blocks.has(directive.name)) this.#expectBlock(directive);
    }
  }

  /** The argument at `index` as a whole number; undefined, with a problem, when it is none. */
  numberOf(directive: Directive, index: number, min: number, max: number): number | undefined {
    const value = decimal(directive.args[index], min, max);
    if (value === undefined) this.invalid(directive, `expected a whole number ${min} to ${max}`);
    return value;
  }

  #fileText(directive: Directive, read: ProfileFiles['read']): string | undefined {
    if (directive.block !== undefined) {
      this.#blocks.add(directive.name);
      return directive.block;
    }
    const [name] = directive.args;
    if (name === undefined || name === '[inline]') {
      if (name === undefined) this.#expectBlock(directive);
      else this.#announced.push(directive);
      return undefined;
    }
    const result = read(name);
    if ('text' in result) return result.text;
    this.#problem(result.code, directive, result.message);
    return undefined;
  }

  #expectBlock(directive: Directive): void {
    this.invalid(directive, 'expected a file name or an inline block');
  }

  #problem(code: ConfigProblem['code'], { name, line }: Directive, message: string): void {
    this.problems.push({ code, directive: name, line, message });
  }
}

function defaultProfile(): Profile {
  return {
    remotes: [],
    remoteRandom: false,
    ca: undefined,
    cert: undefined,
    key: undefined,
    crl: undefined,
    wrap: { kind: 'none' },
    remoteCertTls: undefined,
    verifyX509Name: undefined,
    peerFingerprints: [],
    tlsVersionMin: '1.2',
    tlsVersionMax: '1.3',
    dataCiphers: DEFAULT_DATA_CIPHERS,
    dataCiphersFallback: undefined,
    cipher: undefined,
    auth: DEFAULT_DIGEST,
    compression: 'none',
    authUserPass: undefined,
    tunMtu: 1500,
    mssfix: 1492,
    pingMs: 0,
    pingRestartMs: undefined,
    pingExitMs: 0,
    explicitExitNotify: undefined,
    handWindowMs: 60_000,
    tranWindowMs: 3_600_000,
    tlsTimeoutMs: 500,
    renegSecMs: 3_600_000,
    renegBytes: 0,
    renegPackets: 0,
    serverPollTimeoutMs: 120_000,
    replayWindow: { packets: 64, ms: 15_000 },
    peerInfo: [],
    ignored: [],
  };
}
