import { OvpnError, OvpnUsageError, toError } from '../core/errors.ts';
import type { NegotiationState } from '../model/negotiation-state.ts';
import type { Profile, Remote } from '../model/profile.ts';
import type { Link } from '../networkio/link.ts';
import { resolveRemote } from '../networkio/remote.ts';
import { Session } from '../session/session.ts';
import { clientSessionOptions, requireCredentials } from './client-session.ts';
import { ConnectDeadline } from './connect-deadline.ts';
import type { ClientState, VpnClientEvents } from './events.ts';
import { offeredProfile } from './offered-profile.ts';
import { openSocket, openTransport } from './open-link.ts';
import { type ResolvedClientOptions, remotesInOrder } from './options.ts';

/** What connecting needs and whom it tells. */
export interface ConnectRequest {
  readonly profile: Profile;
  readonly options: ResolvedClientOptions;
  readonly signal: AbortSignal;
  readonly stage: (state: ClientState, negotiation: NegotiationState | undefined) => void;
  /** Gets each session that is tried, before it starts. */
  readonly opened: (session: Session) => void;
  readonly emit: <K extends keyof VpnClientEvents>(name: K, ...payload: VpnClientEvents[K]) => void;
}

/**
 * Tries the remotes in order, every address of each, until one gives a session that is up.
 *
 * @throws the last error, or the first that no other remote can mend; OvpnError `OVPN_ABORTED` with
 * the signal's reason as its cause; OvpnTimeoutError when `connectTimeoutMs` is over
 */
export async function connectSession(given: ConnectRequest): Promise<Session> {
  const { options, signal } = given;
  const profile = offeredProfile(given.profile, options.cipherProvider);
  const request = { ...given, profile };
  const { clock, connectTimeoutMs: timeoutMs } = options;
  requireCredentials(profile, options.credentials);
  requireServerCheck(request);
  const deadline = new ConnectDeadline({ signal, clock, timeoutMs });
  try {
    deadline.signal.throwIfAborted();
    return await firstThatWorks(
      remotesInOrder(profile, options.random),
      deadline.signal,
      (remote) => tryRemote(remote, request, deadline),
      ({ host, port }, { message }) =>
        options.logger('warn', 'vpnclient', `${host} port ${port}, trying the next: ${message}`),
    );
  } catch (thrown) {
    throw deadline.error ?? thrown;
  } finally {
    deadline.clear();
  }
}

async function tryRemote(
  remote: Remote,
  request: ConnectRequest,
  deadline: ConnectDeadline,
): Promise<Session> {
  const { signal } = deadline;
  const { transport } = request.options;
  if (transport !== undefined) {
    request.stage('connecting', undefined);
    return establish(await openTransport(remote, transport, signal), request, deadline);
  }
  request.stage('resolving', undefined);
  const addresses = await resolveRemote(remote, { signal });
  return firstThatWorks(addresses, signal, async (address) => {
    request.stage('connecting', undefined);
    return establish(await openSocket(address, signal), request, deadline);
  });
}

/** Runs one session until it is up; what failed is closed, and after an abort only told to close. */
async function establish(
  link: Link,
  request: ConnectRequest,
  deadline: ConnectDeadline,
): Promise<Session> {
  const session = new Session(clientSessionOptions(link, request));
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
    deadline.signal.removeEventListener('abort', abort);
  }
}

/** The result of the first of `candidates` that has one; `next` hears why one more is tried. */
async function firstThatWorks<T, R>(
  candidates: readonly T[],
  signal: AbortSignal,
  attempt: (candidate: T) => Promise<R>,
  next: (failed: T, error: Error) => void = () => {},
): Promise<R> {
  for (const [index, candidate] of candidates.entries()) {
    try {
      return await attempt(candidate);
    } catch (thrown) {
      const error = toError(thrown);
      const isLast = index === candidates.length - 1;
      if (isLast || signal.aborted || !anotherMayDo(error)) throw error;
      next(candidate, error);
    }
  }
  throw new Error('nothing to try');
}

/** Refusals of ours and of the server's stand. */
function anotherMayDo(error: Error): boolean {
  return error instanceof OvpnError && error.retryable;
}

/** A profile whose CA alone vouches for the server: told once, or refused where that was asked for. */
function requireServerCheck({ profile, options }: ConnectRequest): void {
  const { remoteCertTls, verifyX509Name, peerFingerprints } = profile;
  if (remoteCertTls ?? verifyX509Name ?? peerFingerprints[0]) return;
  const message =
    'the profile does not say who the server is (remote-cert-tls, verify-x509-name or peer-fingerprint): any certificate of its CA is accepted';
  if (options.requireServerCheck) throw new OvpnUsageError(message, 'vpnclient');
  options.logger('warn', 'tlsstate', message);
}
