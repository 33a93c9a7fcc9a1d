/** Every `error.code` of the library. Users switch on these, never on message texts. */
export type OvpnErrorCode =
  | 'OVPN_USAGE'
  | 'OVPN_CONFIG_INVALID'
  | 'OVPN_CONFIG_REFUSED'
  | 'OVPN_FILE_UNREADABLE'
  | 'OVPN_NAME_NOT_FOUND'
  | 'OVPN_UNREACHABLE'
  | 'OVPN_PROXY_FAILED'
  | 'OVPN_PROXY_AUTH'
  | 'OVPN_SERVER_SILENT'
  | 'OVPN_WRAP_UNANSWERED'
  | 'OVPN_LINK_CLOSED'
  | 'OVPN_LINK_FAILED'
  | 'OVPN_PING_TIMEOUT'
  | 'OVPN_INACTIVE'
  | 'OVPN_SESSION_TIMEOUT'
  | 'OVPN_HANDSHAKE_TIMEOUT'
  | 'OVPN_PUSH_TIMEOUT'
  | 'OVPN_DIAL_TIMEOUT'
  | 'OVPN_ABORTED'
  | 'OVPN_TLS_FAILED'
  | 'OVPN_TLS_REJECTED'
  | 'OVPN_CERT_UNTRUSTED'
  | 'OVPN_CERT_EXPIRED'
  | 'OVPN_CERT_NOT_YET_VALID'
  | 'OVPN_CERT_REVOKED'
  | 'OVPN_CRL_UNUSABLE'
  | 'OVPN_CERT_PURPOSE'
  | 'OVPN_CERT_NO_EKU'
  | 'OVPN_CERT_KEY_USAGE'
  | 'OVPN_CERT_NAME'
  | 'OVPN_CERT_FINGERPRINT'
  | 'OVPN_CERT_MISSING'
  | 'OVPN_PROTOCOL'
  | 'OVPN_PUSH_INVALID'
  | 'OVPN_NO_SHARED_CIPHER'
  | 'OVPN_AUTH_FAILED'
  | 'OVPN_AUTH_TEMPORARY'
  | 'OVPN_AUTH_CHALLENGE'
  | 'OVPN_CREDENTIALS_MISSING'
  | 'OVPN_KEY_PASSPHRASE'
  | 'OVPN_PEER_RESTART'
  | 'OVPN_PEER_HALT'
  | 'OVPN_PEER_EXIT'
  | 'OVPN_KEY_EXHAUSTED'
  | 'OVPN_ADDRESS_CHANGED'
  | 'OVPN_CLOSED';

/** Who caused it: the program that calls us, tundial itself, or the other end. */
export type Initiator = 'user' | 'library' | 'peer';

export interface OvpnErrorOptions extends ErrorOptions {
  /** The folder of `src/` that noticed. */
  layer: string;
  /** Whether the same call may succeed later. Default: false. */
  retryable?: boolean;
  initiator?: Initiator;
}

/** Base of all errors that the library makes. Messages hold no secrets. */
export class OvpnError extends Error {
  override readonly name: string = 'OvpnError';
  readonly code: OvpnErrorCode;
  readonly layer: string;
  readonly retryable: boolean;
  readonly initiator: Initiator;

  constructor(code: OvpnErrorCode, message: string, options: OvpnErrorOptions) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.layer = options.layer;
    this.retryable = options.retryable ?? false;
    this.initiator = options.initiator ?? 'peer';
  }
}

/** The caller's mistake: a wrong option or a call in the wrong state. Thrown at once. */
export class OvpnUsageError extends OvpnError {
  override readonly name = 'OvpnUsageError';

  constructor(message: string, layer: string) {
    super('OVPN_USAGE', message, { layer, initiator: 'user' });
  }
}

/** One thing that is wrong with a profile. Never holds the line's content. */
export interface ConfigProblem {
  readonly code: 'OVPN_CONFIG_INVALID' | 'OVPN_CONFIG_REFUSED' | 'OVPN_FILE_UNREADABLE';
  /** The name of a known directive, or undefined. */
  readonly directive?: string;
  /** 1-based. */
  readonly line?: number;
  readonly message: string;
}

/** The profile cannot be used; `problems` has all of them, the first one is the error's own. */
export class OvpnConfigError extends OvpnError {
  override readonly name = 'OvpnConfigError';
  readonly problems: readonly ConfigProblem[];
  readonly directive: string | undefined;
  readonly line: number | undefined;

  constructor(problems: readonly [ConfigProblem, ...ConfigProblem[]], source = 'profile') {
    const [first] = problems;
    super(first.code, problems.map((problem) => located(problem, source)).join('\n'), {
      layer: 'config',
      initiator: 'user',
    });
    this.problems = problems;
    this.directive = first.directive;
    this.line = first.line;
  }
}

function located({ line, directive, message }: ConfigProblem, source: string): string {
  const place = line === undefined ? source : `${source}:${line}`;
  return directive === undefined ? `${place}: ${message}` : `${place}: ${directive}: ${message}`;
}

/** The peer broke the protocol; `reference` says which rule. */
export class OvpnProtocolError extends OvpnError {
  override readonly name = 'OvpnProtocolError';
  readonly reference: string | undefined;

  constructor(
    message: string,
    options: OvpnErrorOptions & { code?: OvpnErrorCode; reference?: string },
  ) {
    super(options.code ?? 'OVPN_PROTOCOL', message, options);
    this.reference = options.reference;
  }
}

/** Credentials were refused, or there are none. `reason` is the server's text, made printable. */
export class OvpnAuthError extends OvpnError {
  override readonly name = 'OvpnAuthError';
  readonly reason: string | undefined;
  /** How long the server asks to wait (`AUTH_FAILED,TEMP[backoff n]`), or undefined. */
  readonly backoffMs: number | undefined;
  /** Where the server wants to be asked again: here (`no`), at its next address, elsewhere. */
  readonly advance: 'no' | 'addr' | 'remote';

  constructor(
    code: OvpnErrorCode,
    message: string,
    options: OvpnErrorOptions & {
      reason?: string;
      backoffMs?: number;
      advance?: OvpnAuthError['advance'];
    },
  ) {
    super(code, message, options);
    this.reason = options.reason;
    this.backoffMs = options.backoffMs;
    this.advance = options.advance ?? 'no';
  }
}

/** The peer ended the session: RESTART, HALT, EXIT. `reason` is its text, made printable. */
export class OvpnPeerError extends OvpnError {
  override readonly name = 'OvpnPeerError';
  readonly reason: string | undefined;
  /** Letters of `RESTART,[PN]`: P keeps the credentials in use, N goes on to the next remote. */
  readonly flags: string;

  constructor(
    code: OvpnErrorCode,
    message: string,
    options: OvpnErrorOptions & { reason?: string; flags?: string },
  ) {
    super(code, message, options);
    this.reason = options.reason;
    this.flags = options.flags ?? '';
  }
}

/** The TLS handshake failed or the peer's certificate was refused. */
export class OvpnTlsError extends OvpnError {
  override readonly name = 'OvpnTlsError';
}

/** A socket or a name look-up outside the tunnel failed. */
export class OvpnNetworkError extends OvpnError {
  override readonly name = 'OvpnNetworkError';
}

/** Time ran out in `phase`. */
export class OvpnTimeoutError extends OvpnError {
  override readonly name = 'OvpnTimeoutError';
  readonly phase: string;
  readonly timeoutMs: number;

  constructor(
    code: OvpnErrorCode,
    message: string,
    options: OvpnErrorOptions & { phase: string; timeoutMs: number },
  ) {
    super(code, message, { retryable: true, ...options });
    this.phase = options.phase;
    this.timeoutMs = options.timeoutMs;
  }
}

/** Marks a branch that the types rule out. Reaching it is our bug. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

/** Whatever was thrown, as an `Error`. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
