import { OvpnTimeoutError } from '../core/errors.ts';

/** What a client's negotiation waits for. */
export type WaitingPhase = 'tls' | 'credentials' | 'key-exchange' | 'push';

/**
 * The error of a negotiation that waited for `phase` too long. Unit: milliseconds.
 * @param passwordBytes how long the password is that was sent, or 0
 */
export function handshakeTimeout(
  phase: WaitingPhase,
  timeoutMs: number,
  passwordBytes: number,
): OvpnTimeoutError {
  const isLong = phase === 'key-exchange' && passwordBytes > STOCK_PASSWORD_BYTES;
  const hint = isLong ? longPassword(passwordBytes) : HINTS[phase];
  return new OvpnTimeoutError(
    phase === 'push' ? 'OVPN_PUSH_TIMEOUT' : 'OVPN_HANDSHAKE_TIMEOUT',
    `expected ${EXPECTED[phase]} within ${Math.round(timeoutMs)} ms, got none${hint}`,
    { layer: 'tlsstate', phase, timeoutMs },
  );
}

const EXPECTED: Readonly<Record<WaitingPhase, string>> = {
  tls: 'the end of the TLS handshake',
  credentials: 'user name and password from their callback',
  'key-exchange': "the server's key method 2",
  push: 'a complete PUSH_REPLY',
};

const SILENT_REFUSAL =
  '; a server that refuses the client certificate may say nothing: check cert, key and their validity';

const HINTS: Readonly<Record<WaitingPhase, string>> = {
  tls: SILENT_REFUSAL,
  credentials: '',
  'key-exchange': SILENT_REFUSAL,
  push: '',
};

/** Longest password that a stock 2.x server reads (misc.h `USER_PASS_LEN`, its NUL not counted). */
const STOCK_PASSWORD_BYTES = 127;

function longPassword(bytes: number): string {
  return `; a stock OpenVPN 2.x server drops a password of more than ${STOCK_PASSWORD_BYTES} bytes without a word, and this one has ${bytes}`;
}
