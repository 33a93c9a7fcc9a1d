import { type OvpnErrorCode, OvpnTlsError } from '../core/errors.ts';

/** Why a peer's certificate is refused. */
export function refused(code: OvpnErrorCode, message: string): OvpnTlsError {
  return new OvpnTlsError(code, message, { layer: 'tlsstate' });
}
