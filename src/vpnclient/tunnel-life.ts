import { OvpnUsageError, toError } from '../core/errors.ts';
import type { Millis } from '../core/machine.ts';
import type { NegotiationState } from '../model/negotiation-state.ts';
import type { Profile } from '../model/profile.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';
import type { Session } from '../session/session.ts';
import type { SessionStats } from '../session/session-stats.ts';
import { Comeback, type Loss } from './comeback.ts';
import { ConnectDeadline, connectAborted } from './connect-deadline.ts';
import type { ConnectRequest } from './connect-session.ts';
import { Detour, type Wish } from './detour.ts';
import { type ClientState, type DownEvent, isConnecting } from './events.ts';
import { LastingTunnel } from './lasting-tunnel.ts';
import type { ResolvedClientOptions } from './options.ts';
import { pause } from './pause.ts';
import { ProcessHold } from './process-hold.ts';
import { isLocked, readyProfile, withOpenKey } from './ready-profile.ts';
import { RemoteJourney } from './remote-journey.ts';
import { SignIn } from './sign-in.ts';
import { StatsSum } from './stats.ts';

/** Whom a {@link TunnelLife} tells, after the state has changed. */
export interface TunnelLifeEvents {
  readonly emit: ConnectRequest['emit'];
  /** Whether anybody listens to `challenge`. */
  readonly listening: () => boolean;
  /** @param again whether it was up before */
  up(info: TunnelInfo, again: boolean): void;
  /** @param wasUp whether nobody but this event tells of `error`: `start` has resolved already */
  down(event: DownEvent, wasUp: boolean): void;
}

/** How long a session may say goodbye that makes way for another one. Unit: milliseconds. */
const HASTY_GOODBYE_MS = 250;

/**
 * A client's way from idle to down, over one session after another:
 *
 *     idle ─▶ resolving ─▶ connecting ─▶ negotiating ─▶ up ─▶ closing ─▶ down
 *                 ▲             │             │         │ │              ▲
 *                 ├─next remote─┴─────────────┘         │ └──no way on───┘
 *                 ├──────────── reconnecting ◀──────────┤
 *                 └──────────────── suspended ◀─────────┘
 */
export class TunnelLife {
  /** Settles with `down`: with the cause, or undefined where the user has ended it. */
  readonly ended: Promise<Error | undefined>;
  /** The inner end, which outlives sessions. */
  readonly tunnel: LastingTunnel;
  readonly #profile: Profile;
  readonly #options: ResolvedClientOptions;
  readonly #events: TunnelLifeEvents;
  readonly #hold = new ProcessHold();
  readonly #detour = new Detour();
  readonly #stats = new StatsSum();
  #resolveEnded: (error: Error | undefined) => void = () => {};
  #state: ClientState = 'idle';
  #startedAt: Millis | undefined;
  #signIn: SignIn | undefined;
  #session: Session | undefined;
  #established: Session | undefined;
  /** The session that was up is over, and what follows is not known yet. */
  #isLost = false;
  #pauses = 0;

  constructor(profile: Profile, options: ResolvedClientOptions, events: TunnelLifeEvents) {
    this.#profile = profile;
    this.#options = options;
    this.#events = events;
    this.tunnel = new LastingTunnel(options.clock, (error) => this.end(toError(error)));
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The newest session, whatever became of it. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** The newest session that is up, or was. @throws OvpnUsageError before that */
  get established(): Session {
    if (this.#established !== undefined) return this.#established;
    throw new OvpnUsageError('expected a tunnel that is up: await start() first', 'vpnclient');
  }

  /** Of all sessions so far. */
  get stats(): SessionStats {
    return this.#stats.total;
  }

  /** @throws what `RemoteJourney.go` throws; OvpnUsageError when it was called before */
  async start(signal: AbortSignal | undefined): Promise<TunnelInfo> {
    if (this.#startedAt !== undefined || this.#state !== 'idle') {
      const message = `expected a client that was not started, it is ${this.#state}`;
      throw new OvpnUsageError(message, 'vpnclient');
    }
    const { clock, connectTimeoutMs: timeoutMs, keepTrying } = this.#options;
    this.#startedAt = clock.now();
    this.#hold.begin();
    const own = this.#detour.signal;
    const either = signal === undefined ? own : AbortSignal.any([signal, own]);
    const deadline = new ConnectDeadline({ signal: either, clock, timeoutMs });
    try {
      if (deadline.error !== undefined) throw deadline.error;
      const ready = readyProfile(this.#profile, this.#options);
      const signIn = this.#newSignIn(ready);
      const profile = isLocked(ready) ? await withOpenKey(ready, signIn, deadline) : ready;
      const journey = this.#plan(profile, signIn);
      const maxRounds = keepTrying ? profile.connectRetryMax : 1;
      const session = await journey.go({ deadline, maxRounds, wasUp: false });
      if (own.aborted) throw connectAborted(own.reason);
      this.#arrive(session);
      void this.#goOn(session, this.#comeback(profile, signIn, journey));
      return session.info;
    } catch (thrown) {
      const error = toError(thrown);
      this.#end(error);
      throw error;
    } finally {
      deadline.clear();
    }
  }

  /** Says goodbye when up, else gives up; resolves when the link is closed. */
  async leave(): Promise<void> {
    if (this.#state === 'up' && !this.#isLost) this.#enter('closing', undefined);
    else this.end(undefined);
    await this.#session?.close();
  }

  /** Ends it at once, whatever is going on. May be called twice. */
  end(error: Error | undefined): void {
    this.#detour.stop(error ?? new Error('the client was closed'));
    this.#session?.stop();
    this.#end(error);
  }

  /**
   * `suspend` leaves the server and rests until `wake`; `reconnect` connects anew at once, but not
   * from a rest. Resolves when the link is closed.
   *
   * @throws OvpnUsageError before `up` and after the end
   */
  ask(wish: Wish): Promise<void> {
    const isOver = this.#state === 'closing' || this.#state === 'down';
    if (this.#established === undefined || isOver) {
      throw new OvpnUsageError(`expected a tunnel that is up, it is ${this.#state}`, 'vpnclient');
    }
    const session = this.#session;
    if (session === undefined || this.#state === 'suspended') return Promise.resolve();
    if (this.#detour.wish !== 'suspend') this.#detour.ask(wish);
    const closed = session.close();
    if (wish === 'suspend') return closed;
    const { clock } = this.#options;
    const cancel = clock.setTimer(clock.now() + HASTY_GOODBYE_MS, () => session.stop());
    return closed.finally(cancel);
  }

  /** Comes back from a rest; nothing at any other time. */
  wake(): void {
    this.#detour.wake();
  }

  /** Lets connecting and an open link keep the process alive (the default), or not. */
  ref(): void {
    this.#hold.ref();
    this.#session?.link.ref?.();
  }

  unref(): void {
    this.#hold.unref();
    this.#session?.link.unref?.();
  }

  #newSignIn(profile: Profile): SignIn {
    this.#signIn = new SignIn(profile, this.#options, {
      challenged: (event) => this.#events.emit('challenge', event),
      listening: this.#events.listening,
    });
    return this.#signIn;
  }

  #plan(profile: Profile, signIn: SignIn): RemoteJourney {
    return new RemoteJourney({
      profile,
      options: this.#options,
      signIn,
      stage: (state, negotiation) => {
        if (this.#state === 'idle' || isConnecting(this.#state)) this.#enter(state, negotiation);
      },
      opened: (session) => this.#follow(session),
      emit: this.#events.emit,
      pause: (cause, delayMs, signal) => this.#pause({ cause, delayMs }, signal),
    });
  }

  #comeback(profile: Profile, signIn: SignIn, journey: RemoteJourney): Comeback {
    return new Comeback({
      profile,
      options: this.#options,
      signIn,
      journey,
      detour: this.#detour,
      pause: (loss, signal) => this.#pause(loss, signal),
      rest: () => this.#rest(),
      abandon: async () => this.#session?.close(),
    });
  }

  #follow(session: Session): void {
    this.#stats.follow(session);
    this.#session = session;
    if (!this.#hold.referenced) session.link.unref?.();
  }

  #arrive(session: Session): void {
    const again = this.#established !== undefined;
    this.#session = session;
    this.#established = session;
    this.#pauses = 0;
    this.#isLost = false;
    this.tunnel.join(session);
    this.#enter('up', 'S_GENERATED_KEYS');
    this.#events.up(session.info, again);
  }

  /** From one session to the next, until there is no way on. */
  async #goOn(first: Session, comeback: Comeback): Promise<void> {
    try {
      for (let session = first; ; ) {
        const cause = await session.done;
        const loss = this.#state === 'up' ? comeback.lossBy(cause) : undefined;
        if (loss === undefined) return this.#end(cause);
        this.#isLost = true;
        this.tunnel.left(cause ?? leftByUser(), { persists: this.#profile.persistTun });
        this.tunnel.standBy();
        await session.close();
        session = await comeback.after(loss);
        if (this.#state === 'down') return session.stop();
        this.#arrive(session);
      }
    } catch (thrown) {
      this.#end(toError(thrown));
    }
  }

  async #rest(): Promise<void> {
    this.tunnel.freeze();
    this.#enter('suspended', undefined);
    await this.#detour.rest();
    this.tunnel.standBy();
  }

  async #pause({ cause, delayMs }: Loss, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#pauses += 1;
    this.#enter('reconnecting', undefined);
    const event = { error: cause, delayMs, attempt: this.#pauses };
    this.#events.emit('reconnecting', Object.freeze(event));
    await pause(this.#options.clock, delayMs, signal);
  }

  #enter(state: ClientState, negotiation: NegotiationState | undefined): void {
    const now = this.#options.clock.now();
    const elapsedMs = now - (this.#startedAt ?? now);
    this.#state = state;
    this.#events.emit('state', Object.freeze({ state, negotiation, elapsedMs }));
  }

  /** The one way to `down`; what fails while the user leaves is no failure. */
  #end(failure: Error | undefined): void {
    if (this.#state === 'down') return;
    const error = this.#state === 'closing' ? undefined : failure;
    this.tunnel.end();
    this.#hold.end();
    this.#signIn?.forget();
    this.#enter('down', undefined);
    this.#resolveEnded(error);
    this.#events.down(Object.freeze({ error }), this.#established !== undefined);
  }
}

function leftByUser(): OvpnUsageError {
  return new OvpnUsageError('the tunnel was left to come back later', 'vpnclient');
}
