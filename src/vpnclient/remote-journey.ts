import { toError } from '../core/errors.ts';
import type { Millis } from '../core/machine.ts';
import type { Profile, Remote } from '../model/profile.ts';
import type { Session } from '../session/session.ts';
import { ConnectDeadline } from './connect-deadline.ts';
import { type ConnectRequest, connectSession } from './connect-session.ts';
import { type LinkCandidate, linkCandidates } from './open-link.ts';
import { remotesInOrder } from './options.ts';
import { raceInOrder } from './race.ts';
import { RemoteWalk } from './remote-walk.ts';
import { type NextStep, stepAfter } from './step-after.ts';

/** What all tries of a client share. */
export interface JourneyParts extends Omit<ConnectRequest, 'signal'> {
  /** Waits before the next try because of `error`. @throws when `signal` is aborted */
  readonly pause: (error: Error, delayMs: Millis, signal: AbortSignal) => Promise<void>;
}

/** How far one journey goes. */
export interface JourneyLimits {
  readonly deadline: ConnectDeadline;
  /** Rounds over all remotes. */
  readonly maxRounds: number;
  /** Whether the client has been up before. */
  readonly wasUp: boolean;
}

/**
 * The way to a session that is up, over a profile's remotes and their addresses: tries, moves on,
 * waits, tries again. It knows its place from one journey to the next.
 */
export class RemoteJourney {
  readonly #parts: JourneyParts;
  readonly #remotes: readonly Remote[];
  readonly #walk: RemoteWalk;
  /** The ways to the remote that is tried. */
  #candidates: readonly LinkCandidate[] = [];

  constructor(parts: JourneyParts) {
    const { profile, options } = parts;
    this.#parts = parts;
    this.#remotes = remotesInOrder(profile, options.random);
    this.#walk = new RemoteWalk(this.#remotes.map((remote) => settingsFor(remote, profile)));
  }

  /** A session that was up ended by `error`: where to go on, and after how long. */
  left({ step, backoffMs }: NextStep): Millis {
    return this.#walk.left(step, backoffMs);
  }

  /** The network is another one: tries the remote again, at once. */
  startOver(): void {
    this.#walk.startOver();
  }

  /**
   * Tries until a session is up.
   *
   * @throws the error after which nothing is left to try; the deadline's
   */
  async go({ deadline, maxRounds, wasUp }: JourneyLimits): Promise<Session> {
    const { profile, signIn } = this.#parts;
    const { authRetry } = profile;
    const { signal } = deadline;
    const races = this.#parts.options.race !== undefined && !wasUp;
    for (let attempt = races ? this.#race : this.#walkOn; ; attempt = this.#walkOn) {
      const { error, session } = await settled(attempt(deadline));
      if (session !== undefined) {
        this.#walk.arrived();
        return session;
      }
      if (signal.aborted) throw deadline.error ?? error;
      signIn.refused(error);
      const after = stepAfter(error, { authRetry, wasUp, sessionLost: false });
      const next = after && attempt === this.#race ? this.#roundOver(after) : after;
      const delayMs = next === undefined ? undefined : this.#moveOn(next, maxRounds);
      if (delayMs === undefined) throw error;
      this.#parts.options.logger('warn', 'vpnclient', `trying the next: ${error.message}`);
      if (delayMs > 0) await this.#parts.pause(error, delayMs, signal);
      if (signal.aborted) throw deadline.error ?? error;
    }
  }

  /** A race that nobody has won was a whole round. */
  #roundOver({ backoffMs }: NextStep): NextStep {
    this.#walk.goTo(this.#remotes.length - 1, 0, 0);
    return { step: 'remote', backoffMs };
  }

  /** Who goes round once only waits for nobody. */
  #moveOn({ step, backoffMs }: NextStep, maxRounds: number): Millis | undefined {
    if (maxRounds > 1) return this.#walk.failed(step, backoffMs, maxRounds);
    return this.#walk.failed(step === 'stay' ? 'address' : step, 0, maxRounds);
  }

  /** One try, at the place where the walk stands. */
  readonly #walkOn = async (deadline: ConnectDeadline): Promise<Session> => {
    const { stage, options } = this.#parts;
    const { signal } = deadline;
    signal.throwIfAborted();
    const remote = this.#remoteAt(this.#walk.remote);
    const looksUp = options.transport === undefined && this.#walk.wantsAddresses;
    stage(looksUp ? 'resolving' : 'connecting', undefined);
    await this.#prepare(deadline);
    if (this.#walk.wantsAddresses) {
      this.#candidates = await this.#waysTo(remote, signal);
      this.#walk.resolved(this.#candidates.length);
    }
    const candidate = this.#candidates[this.#walk.address];
    if (candidate === undefined) throw new Error('no address to try');
    if (looksUp) stage('connecting', undefined);
    return this.#connect(candidate, remote, deadline);
  };

  /** A round over all remotes, several at a time; the walk goes on where the winner is. */
  readonly #race = async (deadline: ConnectDeadline): Promise<Session> => {
    const { options, stage } = this.#parts;
    const { race, clock } = options;
    stage(options.transport === undefined ? 'resolving' : 'connecting', undefined);
    await this.#prepare(deadline);
    const places = this.#remotes.map((_, index) => index);
    const winner = await raceInOrder(places, (index, signal) => this.#run(index, signal), {
      ...race,
      clock,
      signal: deadline.signal,
      discard: ({ session }) => void session.close(),
      isFinal: (error) => stepAfter(error, FIRST_TRY) === undefined,
    });
    this.#candidates = winner.candidates;
    this.#walk.goTo(winner.remote, winner.address, winner.candidates.length);
    return winner.session;
  };

  /** One runner of a race: the addresses of one remote, one after the other. */
  async #run(index: number, signal: AbortSignal): Promise<Finish> {
    const { clock } = this.#parts.options;
    const remote = this.#remoteAt(index);
    const candidates = await this.#waysTo(remote, signal);
    const deadline = new ConnectDeadline({ signal, clock, timeoutMs: Number.POSITIVE_INFINITY });
    for (const [address, candidate] of candidates.entries()) {
      this.#parts.stage('connecting', undefined);
      const { session, error } = await settled(this.#connect(candidate, remote, deadline));
      if (session !== undefined) return { session, remote: index, address, candidates };
      const isLast = address === candidates.length - 1 || signal.aborted;
      if (isLast || stepAfter(error, FIRST_TRY)?.step !== 'address') throw error;
    }
    throw new Error('no address to try');
  }

  async #prepare(deadline: ConnectDeadline): Promise<void> {
    deadline.hold();
    await this.#parts.signIn.prepare(deadline.signal).finally(() => deadline.resume());
  }

  #waysTo(remote: Remote, signal: AbortSignal): Promise<readonly LinkCandidate[]> {
    const { profile, options, signIn } = this.#parts;
    const { transport, clock, random } = options;
    const own = settingsFor(remote, profile);
    // Another remote may have a name that can be looked up now.
    const settings = this.#remotes.length > 1 ? { ...own, resolvRetryMs: 0 } : own;
    const { proxies } = signIn;
    return linkCandidates(remote, { settings, transport, signal, clock, random, proxies });
  }

  async #connect(
    candidate: LinkCandidate,
    remote: Remote,
    deadline: ConnectDeadline,
  ): Promise<Session> {
    const { signal } = deadline;
    const profile = settingsFor(remote, this.#parts.profile);
    const link = await candidate.open(signal);
    return connectSession(link, { ...this.#parts, profile, signal }, deadline);
  }

  #remoteAt(index: number): Remote {
    const remote = this.#remotes[index];
    if (remote === undefined) throw new Error('nothing to try');
    return remote;
  }
}

/** Where a race was won. */
interface Finish {
  readonly session: Session;
  readonly remote: number;
  readonly address: number;
  readonly candidates: readonly LinkCandidate[];
}

const FIRST_TRY = { authRetry: 'none', wasUp: false, sessionLost: false } as const;

async function settled(
  attempt: Promise<Session>,
): Promise<{ session: Session; error?: never } | { session?: never; error: Error }> {
  try {
    return { session: await attempt };
  } catch (thrown) {
    return { error: toError(thrown) };
  }
}

/** The profile as its `<connection>` block has it for this remote. */
function settingsFor(remote: Remote, profile: Profile): Profile {
  return remote.settings === undefined ? profile : { ...profile, ...remote.settings };
}
