import { OvpnUsageError, toError } from '../core/errors.ts';
import type { Millis } from '../core/machine.ts';
import type { NegotiationState } from '../model/negotiation-state.ts';
import type { Profile } from '../model/profile.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';
import type { Session } from '../session/session.ts';
import { connectAborted } from './connect-deadline.ts';
import { type ConnectRequest, connectSession } from './connect-session.ts';
import type { ClientState, DownEvent } from './events.ts';
import type { ResolvedClientOptions } from './options.ts';
import { ProcessHold } from './process-hold.ts';

/** Whom a {@link TunnelLife} tells, after the state has changed. */
export interface TunnelLifeEvents {
  readonly emit: ConnectRequest['emit'];
  up(session: Session): void;
  /** @param wasUp whether nobody but this event tells of `error`: `start` has resolved already */
  down(event: DownEvent, wasUp: boolean): void;
}

const CONNECTING: ReadonlySet<ClientState> = new Set(['resolving', 'connecting', 'negotiating']);

/**
 * A client's way from idle to down, over one session at a time:
 *
 *     idle ─▶ resolving ─▶ connecting ─▶ negotiating ─▶ up ─▶ closing ─▶ down
 *                 ▲             │             │          │                ▲
 *                 └─next remote─┴─────────────┘          └────────────────┘
 */
export class TunnelLife {
  /** Settles with `down`: with the cause, or undefined where the user has ended it. */
  readonly ended: Promise<Error | undefined>;
  readonly #profile: Profile;
  readonly #options: ResolvedClientOptions;
  readonly #events: TunnelLifeEvents;
  readonly #hold = new ProcessHold();
  readonly #stop = new AbortController();
  #resolveEnded: (error: Error | undefined) => void = () => {};
  #state: ClientState = 'idle';
  #startedAt: Millis | undefined;
  #session: Session | undefined;
  #wasUp = false;

  constructor(profile: Profile, options: ResolvedClientOptions, events: TunnelLifeEvents) {
    this.#profile = profile;
    this.#options = options;
    this.#events = events;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  get state(): ClientState {
    return this.#state;
  }

  get connecting(): boolean {
    return CONNECTING.has(this.#state);
  }

  /** The newest session, whatever became of it. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** The session that is up, or was. @throws OvpnUsageError before that */
  get established(): Session {
    if (this.#session !== undefined && this.#wasUp) return this.#session;
    throw new OvpnUsageError('expected a tunnel that is up: await start() first', 'vpnclient');
  }

  /** @throws what `connectSession` throws; OvpnUsageError when it was called before */
  async start(signal: AbortSignal | undefined): Promise<TunnelInfo> {
    if (this.#startedAt !== undefined || this.#state !== 'idle') {
      const message = `expected a client that was not started, it is ${this.#state}`;
      throw new OvpnUsageError(message, 'vpnclient');
    }
    this.#startedAt = this.#options.clock.now();
    this.#hold.begin();
    const stop = this.#stop.signal;
    try {
      const session = await connectSession({
        profile: this.#profile,
        options: this.#options,
        signal: signal === undefined ? stop : AbortSignal.any([signal, stop]),
        stage: (state, negotiation) => {
          if (this.#state === 'idle' || this.connecting) this.#enter(state, negotiation);
        },
        opened: (session) => this.#follow(session),
        emit: this.#events.emit,
      });
      if (stop.aborted) throw connectAborted(stop.reason);
      this.#wasUp = true;
      void session.done.then((error) => this.#end(error));
      this.#enter('up', 'S_GENERATED_KEYS');
      this.#events.up(session);
      return session.info;
    } catch (thrown) {
      const error = toError(thrown);
      this.#end(error);
      throw error;
    }
  }

  /** Says goodbye when up, else gives up; resolves when the link is closed. */
  async leave(): Promise<void> {
    if (this.#state === 'up') this.#enter('closing', undefined);
    else this.end(undefined);
    await this.#session?.close();
  }

  /** Ends it at once, whatever is going on. May be called twice. */
  end(error: Error | undefined): void {
    this.#stop.abort(error ?? new Error('the client was closed'));
    this.#session?.stop();
    this.#end(error);
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

  #follow(session: Session): void {
    this.#session = session;
    if (!this.#hold.referenced) session.link.unref?.();
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
    const wasUp = this.#state === 'up';
    const error = this.#state === 'closing' ? undefined : failure;
    this.#hold.end();
    this.#enter('down', undefined);
    this.#resolveEnded(error);
    this.#events.down(Object.freeze({ error }), wasUp);
  }
}
