/** Codes of {@link DnsError}, spelled as `node:dns` spells them. */
export type DnsErrorCode =
  | 'ENOTFOUND'
  | 'ENODATA'
  | 'ETIMEOUT'
  | 'ESERVFAIL'
  | 'EREFUSED'
  | 'ECONNREFUSED'
  | 'EBADNAME'
  | 'ECANCELLED'
  | 'EINVAL';

/** A name could not be resolved inside the tunnel; in the shape of `node:dns` errors. */
export class DnsError extends Error {
  override readonly name = 'DnsError';
  readonly code: DnsErrorCode;
  /** `getaddrinfo` for `lookup`, `queryA` and so on for `resolve`. */
  readonly syscall: string;
  readonly hostname: string;

  /** @param hint what the caller can do about it, shown after the usual text */
  constructor(
    code: DnsErrorCode,
    syscall: string,
    hostname: string,
    { hint, cause }: { hint?: string | undefined; cause?: unknown } = {},
  ) {
    const text = `${syscall} ${code} ${hostname}`;
    super(hint === undefined ? text : `${text} (${hint})`, cause === undefined ? {} : { cause });
    this.code = code;
    this.syscall = syscall;
    this.hostname = hostname;
  }
}
