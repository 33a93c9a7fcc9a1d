import type { ConfigProblem } from '../core/errors.ts';
import { printable } from '../core/log.ts';
import type { IgnoredDirective, Profile } from '../model/profile.ts';
import type { CompressionChoice } from './compression.ts';
import { type ConnectionDraft, newConnection, type Transport } from './connection-draft.ts';
import { defaultProfile } from './default-profile.ts';
import { decimal } from './numbers.ts';
import { type Directive, MAX_PROBLEMS } from './ovpn-tokens.ts';
import type { ProfileFiles } from './profile-files.ts';

/** Takes one directive into the draft; what is wrong with it goes to the draft's problems. */
export type DirectiveReader = (draft: ProfileDraft, directive: Directive) => void;

/** Readers of one group of directives, by name. */
export type DirectiveReaders = readonly (readonly [name: string, read: DirectiveReader])[];

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
  /** `dev` and `dev-type`: the type decides where there is one. */
  device: Directive | undefined;
  deviceType: Directive | undefined;
  /** Version of `compat-mode` as major × 10,000 + minor × 100 + patch; undefined: our own. */
  compatMode: number | undefined;
  staticChallenge: Directive | undefined;
  readonly localOptions: string[] = [];
  onlyProtocol: 'udp' | 'tcp' | undefined;
  readonly remotes: RemoteDraft[] = [];
  /** What holds for all connections but those of blocks. */
  readonly general: ConnectionDraft = newConnection();
  /** `<connection>` blocks. */
  readonly connections: ConnectionDraft[] = [];
  /** The connection that is being read: the general one or a block's. */
  connection: ConnectionDraft = this.general;
  extraCerts: string | undefined;
  /** Of an opened `pkcs12`: trusted where there is no `ca`. */
  pkcs12Authorities: string | undefined;
  /** The last `tls-cert-profile`, and the rule of OpenSSL that it stands for. */
  certProfile: { readonly directive: Directive; readonly level: string } | undefined;
  /** The last `x509-username-field`. */
  usernameField: Directive | undefined;
  cipher: Directive | undefined;
  dataCiphers: Directive | undefined;
  keysize: Directive | undefined;
  ncpDisabled = false;
  auth: Directive | undefined;
  /** The last one: it decides. */
  compression: CompressionDraft | undefined;
  compressionPolicy: 'no' | 'asym' | 'yes' | undefined;
  /** The last of `tls-version-min` and `tls-version-max`. */
  tlsVersion: Directive | undefined;
  /** Whether the profile says that it needs no certificate of the client. */
  certificateless = false;
  /** Directives with `[inline]` in place of a file: their block stands elsewhere. */
  readonly #announced: Placed[] = [];
  readonly #blocks: Placed[] = [];

  readonly #apply: (draft: ProfileDraft, directive: Directive) => void;

  /** @param apply reads one directive, whichever it is, into the draft */
  constructor(files: ProfileFiles, apply: (draft: ProfileDraft, directive: Directive) => void) {
    this.files = files;
    this.#apply = apply;
  }

  /** Reads directives until there are too many problems. */
  read(directives: readonly Directive[]): void {
    for (const directive of directives) {
      if (this.problems.length >= MAX_PROBLEMS) return;
      this.#apply(this, directive);
    }
  }

  /** Reads what stands in a `<connection>` block. */
  readWithin(connection: ConnectionDraft, directives: readonly Directive[]): void {
    this.connection = connection;
    this.read(directives);
    this.connection = this.general;
  }

  /** Whether a `<connection>` block is being read. */
  get isInBlock(): boolean {
    return this.connection !== this.general;
  }

  /** The directive is not written as it must be. `message` holds nothing of its line. */
  invalid(directive: Directive, message: string): void {
    this.#problem('OVPN_CONFIG_INVALID', directive, message);
  }

  /** As `invalid`, for what would be said of each directive from here on. */
  invalidOnce(directive: Directive, message: string): void {
    if (!this.problems.some((problem) => problem.message === message)) {
      this.invalid(directive, message);
    }
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

  /** The directive's block, which is base64, or the bytes of the file its first argument names. */
  bytesOf(directive: Directive): Buffer | undefined {
    const { block, args } = directive;
    if (block === undefined && args[0] !== undefined && args[0] !== '[inline]') {
      const result = this.files.readBytes(args[0]);
      if ('bytes' in result) return result.bytes;
      this.#problem(result.code, directive, result.message);
      return undefined;
    }
    const text = this.textOf(directive)?.replace(/\s/g, '');
    if (text === undefined) return undefined;
    if (/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return Buffer.from(text, 'base64');
    this.invalid(directive, 'expected base64 in the block');
    return undefined;
  }

  /** Names in the directory that the first argument names; else undefined. */
  namesIn(directive: Directive): readonly string[] | undefined {
    const result = this.files.list(directive.args[0] ?? '');
    if ('names' in result) return result.names;
    this.#problem(result.code, directive, result.message);
    return undefined;
  }

  /** As `textOf`, for a file that holds a password. */
  privateTextOf(directive: Directive): string | undefined {
    return this.#fileText(directive, (name) => this.files.readPrivate(name));
  }

  /** Looks for the blocks that `[inline]` announced, once everything has been read. */
  finishBlocks(): void {
    for (const { directive, connection } of this.#announced) {
      const isThere = this.#blocks.some(
        (block) => block.directive.name === directive.name && block.connection === connection,
      );
      if (!isThere) this.#expectBlock(directive);
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
      this.#blocks.push({ directive, connection: this.connection });
      return directive.block;
    }
    const [name] = directive.args;
    if (name === undefined || name === '[inline]') {
      if (name === undefined) this.#expectBlock(directive);
      else this.#announced.push({ directive, connection: this.connection });
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

/** A directive, and the connection that it was read for. */
interface Placed {
  readonly directive: Directive;
  readonly connection: ConnectionDraft;
}
