import { describe, expect, test } from 'vitest';
import { ExitStatus, exitStatusOf } from '../../src/cli/exit-status.ts';
import { OvpnError, type OvpnErrorCode } from '../../src/core/errors.ts';
import { DnsError } from '../../src/dialer/dns-error.ts';
import { SocketError } from '../../src/dialer/socket-error.ts';

/** design.md §3, code by code. */
// biome-ignore format: a table, one row a line
const BY_CODE: Readonly<Record<OvpnErrorCode, number>> = {
  OVPN_USAGE: 64,
  OVPN_FILE_UNREADABLE: 66,
  OVPN_NAME_NOT_FOUND: 68,
  OVPN_UNREACHABLE: 69, OVPN_SERVER_SILENT: 69, OVPN_WRAP_UNANSWERED: 69,
  OVPN_PROXY_FAILED: 69, OVPN_PROXY_AUTH: 77,
  OVPN_LINK_CLOSED: 69, OVPN_LINK_FAILED: 69, OVPN_PING_TIMEOUT: 69,
  OVPN_CLOSED: 70,
  OVPN_AUTH_TEMPORARY: 75, OVPN_PEER_RESTART: 75, OVPN_PEER_EXIT: 75,
  OVPN_INACTIVE: 75, OVPN_SESSION_TIMEOUT: 75, OVPN_ADDRESS_CHANGED: 75,
  OVPN_TLS_FAILED: 76, OVPN_PROTOCOL: 76, OVPN_PUSH_INVALID: 76, OVPN_NO_SHARED_CIPHER: 76,
  OVPN_HANDSHAKE_TIMEOUT: 76, OVPN_PUSH_TIMEOUT: 76, OVPN_KEY_EXHAUSTED: 76,
  OVPN_TLS_REJECTED: 77, OVPN_CERT_UNTRUSTED: 77, OVPN_CERT_EXPIRED: 77,
  OVPN_CERT_NOT_YET_VALID: 77, OVPN_CERT_REVOKED: 77, OVPN_CRL_UNUSABLE: 77, OVPN_CERT_PURPOSE: 77,
  OVPN_CERT_NO_EKU: 77, OVPN_CERT_KEY_USAGE: 77, OVPN_CERT_NAME: 77,
  OVPN_CERT_FINGERPRINT: 77, OVPN_CERT_MISSING: 77,
  OVPN_AUTH_FAILED: 77, OVPN_AUTH_CHALLENGE: 77, OVPN_CREDENTIALS_MISSING: 77, OVPN_PEER_HALT: 77,
  OVPN_KEY_PASSPHRASE: 77,
  OVPN_CONFIG_INVALID: 78, OVPN_CONFIG_REFUSED: 78,
  OVPN_DIAL_TIMEOUT: 124,
  OVPN_ABORTED: 130,
};

describe('exitStatusOf', () => {
  test.each(Object.entries(BY_CODE) as [OvpnErrorCode, number][])('%s: %d', (code, status) => {
    expect(exitStatusOf(new OvpnError(code, 'text', { layer: 'test' }))).toBe(status);
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'no such name inside the tunnel',  error: new DnsError('ENOTFOUND', 'queryA', 'x.y'),         status: 68 },
    { name: 'a name without such a record',    error: new DnsError('ENODATA', 'queryMX', 'x.y'),          status: 68 },
    { name: 'a resolver that does not answer', error: new DnsError('ETIMEOUT', 'queryA', 'x.y'),          status: 124 },
    { name: 'a name that is none',             error: new DnsError('EBADNAME', 'queryA', '..'),           status: 64 },
    { name: 'refused inside the tunnel',       error: new SocketError('ECONNREFUSED', 'connect'),         status: 69 },
    { name: 'no route inside the tunnel',      error: new SocketError('ENETUNREACH', 'connect'),          status: 69 },
    { name: 'silence inside the tunnel',       error: new SocketError('ETIMEDOUT', 'connect'),            status: 124 },
    { name: 'a file that cannot be written',   error: system('EACCES', { syscall: 'open', path: '/x' }),  status: 66 },
    { name: 'a directory in place of a file',  error: system('EISDIR', { syscall: 'open', path: '/x' }),  status: 66 },
    { name: 'a disk that is full',             error: system('ENOSPC', { syscall: 'write', path: '/x' }), status: 66 },
    { name: 'a web server without TLS',        error: system('ERR_SSL_WRONG_VERSION_NUMBER'),             status: 76 },
    { name: 'a web server that speaks no HTTP', error: system('HPE_INVALID_CONSTANT'),                    status: 76 },
    { name: 'a web certificate nobody knows',  error: system('SELF_SIGNED_CERT_IN_CHAIN'),                status: 77 },
    { name: 'a web server that says nothing',  error: system('UND_ERR_HEADERS_TIMEOUT'),                  status: 124 },
    { name: 'anything else that is thrown',    error: new TypeError('not a function'),                    status: 70 },
    { name: 'what is no error at all',         error: 'a string',                                         status: 70 },
  ])('$name: $status', ({ error, status }) => {
    expect(exitStatusOf(error)).toBe(status);
  });

  test('the error of the tunnel counts before the one that it caused', () => {
    const cause = new OvpnError('OVPN_PEER_RESTART', 'gone', { layer: 'test' });
    const error = new SocketError('ECONNABORTED', 'read', { cause });
    expect(exitStatusOf(new Error('fetch failed', { cause: error }))).toBe(ExitStatus.TEMPORARY);
  });
});

function system(code: string, fields: { syscall?: string; path?: string } = {}): Error {
  return Object.assign(new Error(code), { code, ...fields });
}
