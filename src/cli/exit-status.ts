import { OvpnError, type OvpnErrorCode } from '../core/errors.ts';

/** Exit statuses of `tundial` (sysexits.h where it has a word for it). */
export const ExitStatus = {
  DONE: 0,
  /** no reply to `ping`, or HTTP ≥ 400 in `fetch` */
  NO: 1,
  USAGE: 64,
  FILE_UNREADABLE: 66,
  NAME_NOT_FOUND: 68,
  UNREACHABLE: 69,
  OUR_BUG: 70,
  TEMPORARY: 75,
  PROTOCOL: 76,
  REFUSED: 77,
  PROFILE_REFUSED: 78,
  OUT_OF_TIME: 124,
  INTERRUPTED: 130,
  TERMINATED: 143,
} as const;
export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus];

const BY_CODE: Record<OvpnErrorCode, ExitStatus> = {
  OVPN_USAGE: ExitStatus.USAGE,
  OVPN_CONFIG_INVALID: ExitStatus.PROFILE_REFUSED,
  OVPN_CONFIG_REFUSED: ExitStatus.PROFILE_REFUSED,
  OVPN_FILE_UNREADABLE: ExitStatus.FILE_UNREADABLE,
  OVPN_NAME_NOT_FOUND: ExitStatus.NAME_NOT_FOUND,
  OVPN_UNREACHABLE: ExitStatus.UNREACHABLE,
  OVPN_PROXY_FAILED: ExitStatus.UNREACHABLE,
  OVPN_PROXY_AUTH: ExitStatus.REFUSED,
  OVPN_SERVER_SILENT: ExitStatus.UNREACHABLE,
  OVPN_WRAP_UNANSWERED: ExitStatus.UNREACHABLE,
  OVPN_LINK_CLOSED: ExitStatus.UNREACHABLE,
  OVPN_LINK_FAILED: ExitStatus.UNREACHABLE,
  OVPN_PING_TIMEOUT: ExitStatus.UNREACHABLE,
  OVPN_INACTIVE: ExitStatus.TEMPORARY,
  OVPN_SESSION_TIMEOUT: ExitStatus.TEMPORARY,
  OVPN_HANDSHAKE_TIMEOUT: ExitStatus.PROTOCOL,
  OVPN_PUSH_TIMEOUT: ExitStatus.PROTOCOL,
  OVPN_DIAL_TIMEOUT: ExitStatus.OUT_OF_TIME,
  OVPN_ABORTED: ExitStatus.INTERRUPTED,
  OVPN_TLS_FAILED: ExitStatus.PROTOCOL,
  OVPN_TLS_REJECTED: ExitStatus.REFUSED,
  OVPN_CERT_UNTRUSTED: ExitStatus.REFUSED,
  OVPN_CERT_EXPIRED: ExitStatus.REFUSED,
  OVPN_CERT_NOT_YET_VALID: ExitStatus.REFUSED,
  OVPN_CERT_REVOKED: ExitStatus.REFUSED,
  OVPN_CRL_UNUSABLE: ExitStatus.REFUSED,
  OVPN_CERT_PURPOSE: ExitStatus.REFUSED,
  OVPN_CERT_NO_EKU: ExitStatus.REFUSED,
  OVPN_CERT_KEY_USAGE: ExitStatus.REFUSED,
  OVPN_CERT_NAME: ExitStatus.REFUSED,
  OVPN_CERT_FINGERPRINT: ExitStatus.REFUSED,
  OVPN_CERT_MISSING: ExitStatus.REFUSED,
  OVPN_PROTOCOL: ExitStatus.PROTOCOL,
  OVPN_PUSH_INVALID: ExitStatus.PROTOCOL,
  OVPN_NO_SHARED_CIPHER: ExitStatus.PROTOCOL,
  OVPN_AUTH_FAILED: ExitStatus.REFUSED,
  OVPN_AUTH_TEMPORARY: ExitStatus.TEMPORARY,
  OVPN_AUTH_CHALLENGE: ExitStatus.REFUSED,
  OVPN_CREDENTIALS_MISSING: ExitStatus.REFUSED,
  OVPN_KEY_PASSPHRASE: ExitStatus.REFUSED,
  OVPN_PEER_RESTART: ExitStatus.TEMPORARY,
  OVPN_PEER_HALT: ExitStatus.REFUSED,
  OVPN_PEER_EXIT: ExitStatus.TEMPORARY,
  OVPN_KEY_EXHAUSTED: ExitStatus.PROTOCOL,
  OVPN_ADDRESS_CHANGED: ExitStatus.TEMPORARY,
  OVPN_CLOSED: ExitStatus.OUR_BUG,
};

/** Codes of sockets and look-ups inside the tunnel, as Node names them. */
const BY_SYSTEM_CODE: Record<string, ExitStatus> = {
  ENOTFOUND: ExitStatus.NAME_NOT_FOUND,
  ENODATA: ExitStatus.NAME_NOT_FOUND,
  ESERVFAIL: ExitStatus.NAME_NOT_FOUND,
  EREFUSED: ExitStatus.NAME_NOT_FOUND,
  EBADNAME: ExitStatus.USAGE,
  ETIMEOUT: ExitStatus.OUT_OF_TIME,
  ECONNREFUSED: ExitStatus.UNREACHABLE,
  ECONNRESET: ExitStatus.UNREACHABLE,
  EHOSTUNREACH: ExitStatus.UNREACHABLE,
  ENETUNREACH: ExitStatus.UNREACHABLE,
  ENETDOWN: ExitStatus.UNREACHABLE,
  ETIMEDOUT: ExitStatus.OUT_OF_TIME,
  EPROTO: ExitStatus.PROTOCOL,
  UND_ERR_SOCKET: ExitStatus.UNREACHABLE,
  UND_ERR_CONNECT_TIMEOUT: ExitStatus.OUT_OF_TIME,
  UND_ERR_HEADERS_TIMEOUT: ExitStatus.OUT_OF_TIME,
  UND_ERR_BODY_TIMEOUT: ExitStatus.OUT_OF_TIME,
  CERT_HAS_EXPIRED: ExitStatus.REFUSED,
  CERT_NOT_YET_VALID: ExitStatus.REFUSED,
  DEPTH_ZERO_SELF_SIGNED_CERT: ExitStatus.REFUSED,
  SELF_SIGNED_CERT_IN_CHAIN: ExitStatus.REFUSED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ExitStatus.REFUSED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ExitStatus.REFUSED,
  ERR_TLS_CERT_ALTNAME_INVALID: ExitStatus.REFUSED,
};

/** Calls on files of this machine that failed for whatever reason. */
const FILE_CALLS: ReadonlySet<string> = new Set(['open', 'read', 'write', 'fstat', 'close']);

/** The status that says what went wrong. An error of the tunnel counts before the socket's own. */
export function exitStatusOf(error: unknown): ExitStatus {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof OvpnError) return BY_CODE[at.code];
  }
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code = '', syscall = '', path } = at as NodeJS.ErrnoException;
    if (path !== undefined && FILE_CALLS.has(syscall)) return ExitStatus.FILE_UNREADABLE;
    const status = BY_SYSTEM_CODE[code] ?? byFamily(code);
    if (status !== undefined) return status;
  }
  return ExitStatus.OUR_BUG;
}

/** Codes of which there are too many to name: TLS and HTTP of somebody behind the tunnel. */
function byFamily(code: string): ExitStatus | undefined {
  return /^(ERR_SSL_|HPE_)/.test(code) ? ExitStatus.PROTOCOL : undefined;
}
