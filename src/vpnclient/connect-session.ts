import { tellsServer } from '../config/read-peer-checks.ts';
import { OvpnUsageError } from '../core/errors.ts';
import type { NegotiationState } from '../model/negotiation-state.ts';
import type { Profile } from '../model/profile.ts';
import type { Link } from '../networkio/link.ts';
import { Session } from '../session/session.ts';
import { clientSessionOptions } from './client-session.ts';
import type { ConnectDeadline } from './connect-deadline.ts';
import type { ClientState, VpnClientEvents } from './events.ts';
import type { ResolvedClientOptions } from './options.ts';
import type { SignIn } from './sign-in.ts';

/** What connecting needs and whom it tells. */
export interface ConnectRequest {
  /** With what holds for the remote alone. */
  readonly profile: Profile;
  readonly options: ResolvedClientOptions;
  readonly signIn: SignIn;
  /** Gives up what is asked of the user, too. */
  readonly signal: AbortSignal;
  readonly stage: (state: ClientState, negotiation: NegotiationState | undefined) => void;
  /** Gets each session that is tried, before it starts. */
  readonly opened: (session: Session) => void;
  readonly emit: <K extends keyof VpnClientEvents>(name: K, ...payload: VpnClientEvents[K]) => void;
  /** The server waits for an answer of the user. Default: nobody hears it. */
  readonly asked?: () => void;
}

/**
 * Runs a session over `link` until it is up; what failed is closed, and after an abort only told to
 * close.
 *
 * @throws why the session ended
 */
export async function connectSession(
  link: Link,
  request: ConnectRequest,
  deadline: ConnectDeadline,
): Promise<Session> {
  const asked = () => deadline.hold();
  const session = new Session(clientSessionOptions(link, { ...request, asked }));
  const abort = () => session.fail(deadline.error ?? new Error('aborted without a reason'));
  request.opened(session);
  deadline.follow(session);
  if (deadline.signal.aborted) abort();
  deadline.signal.addEventListener('abort', abort, { once: true });
  try {
    session.start();
    await session.established;
    return session;
  } catch (error) {
    const closed = session.close();
    if (!deadline.signal.aborted) await closed;
    throw error;
  } finally {
    deadline.resume();
    deadline.signal.removeEventListener('abort', abort);
  }
}

/** A profile whose CA alone vouches for the server: told once, or refused where that was asked for. */
export function requireServerCheck(
  profile: Profile,
  { requireServerCheck, logger }: Pick<ResolvedClientOptions, 'requireServerCheck' | 'logger'>,
): void {
  if (tellsServer(profile)) return;
  const message =
    'the profile does not say who the server is (remote-cert-tls, verify-x509-name or peer-fingerprint): any certificate of its CA is accepted';
  if (requireServerCheck) throw new OvpnUsageError(message, 'vpnclient');
  logger('warn', 'tlsstate', message);
}
