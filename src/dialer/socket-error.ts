import { constants } from 'node:os';
import type { TcpFailure } from '../netstack/tcp/tcp-events.ts';
import type { UdpFailure } from '../netstack/udp-endpoint.ts';

/** Codes of {@link SocketError}, spelled as Node spells them. */
export type SocketErrorCode =
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'ECONNABORTED'
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'EHOSTUNREACH'
  | 'EMSGSIZE'
  | 'ENETDOWN'
  | 'ENETRESET'
  | 'ENETUNREACH'
  | 'ENOBUFS'
  | 'ETIMEDOUT';

/** Where a call was going; what the caller should know beside it. */
export interface SocketErrorDetail {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  /** Why, for people. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * A socket inside the tunnel failed; in the shape and with the text of Node's system errors:
 * `connect ECONNREFUSED 10.8.0.1:80`. Where the tunnel is the reason, `cause` has its error.
 */
export class SocketError extends Error {
  readonly code: SocketErrorCode;
  /** As Node has it: the system's number, negative. */
  readonly errno: number;
  /** `connect`, `read`, `write`, `listen`, `bind` or `send`. */
  readonly syscall: string;
  readonly address: string | undefined;
  readonly port: number | undefined;

  constructor(code: SocketErrorCode, syscall: string, detail: SocketErrorDetail = {}) {
    const { address, port, hint, cause } = detail;
    const place = address === undefined ? '' : ` ${hostAndPort(address, port)}`;
    const why = hint === undefined ? '' : ` (${hint})`;
    super(`${syscall} ${code}${place}${why}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.errno = -constants.errno[code];
    this.syscall = syscall;
    this.address = address;
    this.port = port;
  }
}

/** The error of a TCP connection. `aborted` is ours, or the tunnel's, doing. */
export const TCP_FAILURE_CODES: Readonly<Record<TcpFailure, SocketErrorCode>> = {
  refused: 'ECONNREFUSED',
  reset: 'ECONNRESET',
  'timed-out': 'ETIMEDOUT',
  unreachable: 'EHOSTUNREACH',
  'network-unreachable': 'ENETUNREACH',
  'address-gone': 'ENETRESET',
  aborted: 'ECONNABORTED',
};

/** What a connected UDP socket reports, as the kernel does. */
export const UDP_FAILURE_CODES: Readonly<Record<UdpFailure, SocketErrorCode>> = {
  'network-unreachable': 'ENETUNREACH',
  'host-unreachable': 'EHOSTUNREACH',
  'protocol-unreachable': 'ECONNREFUSED',
  'port-unreachable': 'ECONNREFUSED',
  prohibited: 'EHOSTUNREACH',
  'too-big': 'EMSGSIZE',
  'time-exceeded': 'EHOSTUNREACH',
  'parameter-problem': 'EHOSTUNREACH',
  'network-down': 'ENETDOWN',
  'address-gone': 'ENETRESET',
};

/** `10.8.0.1:80` as Node writes it: IPv6 without brackets. */
function hostAndPort(address: string, port: number | undefined): string {
  return port === undefined ? address : `${address}:${port}`;
}
