import type { Millis } from '../core/machine.ts';
import type { Profile } from '../model/profile.ts';
import type { Session } from '../session/session.ts';
import { ConnectDeadline } from './connect-deadline.ts';
import type { Detour } from './detour.ts';
import type { ResolvedClientOptions } from './options.ts';
import type { RemoteJourney } from './remote-journey.ts';
import type { SignIn } from './sign-in.ts';
import { stepAfter } from './step-after.ts';

/** Why a session ended, and how long to wait before the next one. */
export interface Loss {
  /** undefined where the user asked for another session. */
  readonly cause: Error | undefined;
  readonly delayMs: Millis;
}

const ASKED_FOR: Loss = { cause: undefined, delayMs: 0 };

/** What a {@link Comeback} is made from. */
export interface ComebackParts {
  readonly profile: Pick<Profile, 'authRetry' | 'connectRetryMax'>;
  readonly options: Pick<ResolvedClientOptions, 'clock' | 'reconnect'>;
  readonly signIn: Pick<SignIn, 'refused'>;
  readonly journey: RemoteJourney;
  readonly detour: Detour;
  /** Tells of a loss, and waits. @throws when `signal` is aborted */
  readonly pause: (loss: Loss, signal: AbortSignal) => Promise<void>;
  /** Rests until the user wakes the tunnel. @throws when that is over for another reason */
  readonly rest: () => Promise<void>;
  /** Ends what is left of the last try. */
  readonly abandon: () => Promise<void>;
}

/** The way from a session that was up to the next one, as far as there is one. */
export class Comeback {
  readonly #parts: ComebackParts;

  constructor(parts: ComebackParts) {
    this.#parts = parts;
  }

  /** What to make of the end of a session that was up; undefined where it is the end of all. */
  lossBy(cause: Error | undefined): Loss | undefined {
    const { profile, options, signIn, journey, detour } = this.#parts;
    if (detour.wish !== undefined) return ASKED_FOR;
    if (cause === undefined || !options.reconnect) return undefined;
    signIn.refused(cause);
    const { authRetry } = profile;
    const next = stepAfter(cause, { authRetry, wasUp: true, sessionLost: true });
    return next && { cause, delayMs: journey.left(next) };
  }

  /** The next session that is up. @throws the error after which there is none */
  async after(loss: Loss): Promise<Session> {
    const { profile, options, journey, detour, pause, rest, abandon } = this.#parts;
    const { clock } = options;
    for (let reason = loss; ; reason = ASKED_FOR) {
      const wish = detour.begin();
      const { signal } = detour;
      const deadline = new ConnectDeadline({ signal, clock, timeoutMs: Number.POSITIVE_INFINITY });
      try {
        if (wish !== undefined) journey.startOver();
        if (wish === 'suspend') await rest();
        await pause(reason, signal);
        const maxRounds = profile.connectRetryMax;
        const session = await journey.go({ deadline, maxRounds, wasUp: true });
        signal.throwIfAborted();
        return session;
      } catch (error) {
        if (detour.wish === undefined) throw error;
        await abandon();
      } finally {
        deadline.clear();
      }
    }
  }
}
