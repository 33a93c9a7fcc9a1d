import { OvpnAuthError, OvpnError, type OvpnErrorCode, OvpnPeerError } from '../core/errors.ts';
import type { Millis } from '../core/machine.ts';
import type { Profile } from '../model/profile.ts';
import type { WalkStep } from './remote-walk.ts';

/** How a client goes on. */
export interface NextStep {
  readonly step: WalkStep;
  /** The least pause. */
  readonly backoffMs: Millis;
}

/** What is known of the client whose try or session ended. */
export interface FailureContext {
  readonly authRetry: Profile['authRetry'];
  /** Whether the client has been up before: only then is `auth-retry` asked. */
  readonly wasUp: boolean;
  /** Whether it was a session that was up, not a try, which ended. */
  readonly sessionLost: boolean;
}

/** Pause before the same refused credentials are tried again (`auth-retry nointeract`). */
export const REFUSED_AGAIN_MS: Millis = 10_000;

/**
 * Errors that end a try, because another one would meet them again, but not a session that worked:
 * a new one checks all from the beginning.
 */
const MENDED_BY_NEW_SESSION: ReadonlySet<OvpnErrorCode> = new Set([
  'OVPN_KEY_EXHAUSTED',
  'OVPN_PROTOCOL',
  'OVPN_TLS_FAILED',
  'OVPN_TLS_REJECTED',
]);

/** How to go on after `error`; undefined when nothing can mend it, or nothing should. */
export function stepAfter(error: Error, context: FailureContext): NextStep | undefined {
  if (!(error instanceof OvpnError)) return undefined;
  if (error.code === 'OVPN_AUTH_FAILED') return afterRefusal(error, context);
  if (!error.retryable) {
    const isMended = context.sessionLost && MENDED_BY_NEW_SESSION.has(error.code);
    return isMended ? at('address') : undefined;
  }
  switch (error.code) {
    case 'OVPN_AUTH_CHALLENGE':
      return at('again');
    case 'OVPN_AUTH_TEMPORARY':
      return error instanceof OvpnAuthError
        ? at(ADVANCES[error.advance], error.backoffMs)
        : at('stay');
    case 'OVPN_PEER_RESTART':
      return at(error instanceof OvpnPeerError && error.flags.includes('N') ? 'remote' : 'stay');
    default:
      return at('address');
  }
}

/** A token that was refused leaves the password; a password that was refused leaves `auth-retry`. */
function afterRefusal(
  { retryable }: OvpnError,
  { authRetry, wasUp }: FailureContext,
): NextStep | undefined {
  if (retryable) return at('again');
  if (!wasUp || authRetry === 'none') return undefined;
  return authRetry === 'interact' ? at('again') : at('stay', REFUSED_AGAIN_MS);
}

const ADVANCES = { no: 'stay', addr: 'address', remote: 'remote' } as const;

function at(step: WalkStep, backoffMs: Millis = 0): NextStep {
  return { step, backoffMs };
}
