/** Codes of {@link NetstackError}, spelled as Node spells them. */
export type NetstackErrorCode =
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'EMSGSIZE'
  | 'ENETDOWN'
  | 'ENETUNREACH'
  | 'ENOBUFS';

/** A call on the netstack that cannot be done, in the shape of Node's system errors. */
export class NetstackError extends Error {
  override readonly name = 'NetstackError';
  readonly code: NetstackErrorCode;
  /** `connect`, `listen`, `bind` or `send`. */
  readonly syscall: string;

  constructor(code: NetstackErrorCode, syscall: string, detail: string) {
    super(`${syscall} ${code}: ${detail}`);
    this.code = code;
    this.syscall = syscall;
  }
}
