import type { Clock } from '../core/clock.ts';
import { OvpnPeerError, type OvpnTimeoutError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Service } from '../core/pump.ts';
import { mtuTestText } from '../datachannel/mtu-test.ts';
import { payloadFormat } from '../datachannel/payload-codec.ts';
import type { ControlWrapOptions } from '../model/control-wrap-options.ts';
import type { Role } from '../model/ids.ts';
import type { NegotiationState } from '../model/negotiation-state.ts';
import type { Profile } from '../model/profile.ts';
import type { PushOptions } from '../model/push-options.ts';
import type { Tracer } from '../model/tracer.ts';
import type { TunDevice } from '../model/tun-device.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';
import type { Link } from '../networkio/link.ts';
import type { ControlMessage } from '../tlsstate/control-message.ts';
import type { EstablishedFacts } from '../tlsstate/service.ts';
import type { ControlWraps } from './control-wraps.ts';
import { Farewell, goodbyeBy } from './farewell.ts';
import { OpeningDeadline } from './opening-deadline.ts';
import { PushedSettings } from './pushed-settings.ts';
import { limitsOf, SessionLimits } from './session-limits.ts';
import { type SessionStats, sessionStats } from './session-stats.ts';
import { Stack, type StackOptions } from './stack.ts';

/** Most pushed options without effect that are told one by one: a server may push a thousand. */
const MAX_TOLD_OPTIONS = 5;

/** Called synchronously, after the state has changed. */
export interface SessionEvents {
  state?(state: NegotiationState, keyId: number): void;
  pushed?(push: PushOptions): void;
  /** A PUSH_UPDATE holds from now on. */
  updated?(info: TunnelInfo): void;
  /** A renegotiation is complete. */
  rekeyed?(keyId: number): void;
  /** A text of the peer. @param reply sends an answer; does nothing once the session is over */
  message?(message: ControlMessage, reply: (answer: ControlMessage) => void): void;
}

/** The part of a profile that a session itself looks at. */
export type SessionSettings = Pick<
  Profile,
  | 'tunMtu'
  | 'mssfix'
  | 'auth'
  | 'compression'
  | 'pingMs'
  | 'pingRestartMs'
  | 'pingExitMs'
  | 'explicitExitNotify'
  | 'serverPollTimeoutMs'
  | 'handWindowMs'
> &
  Partial<Pick<Profile, 'fragment' | 'inactive' | 'sessionTimeoutMs'>> & {
    readonly wrap: Pick<ControlWrapOptions, 'kind'>;
  };

export interface SessionOptions {
  readonly settings: SessionSettings;
  /** The wraps that `stack.muxer` asks for. */
  readonly wraps: ControlWraps;
  readonly logger: Logger;
  readonly events: SessionEvents;
  /** Everything but the events, which the session handles itself. */
  readonly stack: Omit<StackOptions, 'events'>;
  /** The server's role knows the tunnel before its peer does; a client learns it by the push. */
  readonly push?: PushOptions;
}

/** One OpenVPN session over one link, in either role: from the first packet to the last. */
export class Session {
  readonly link: Link;
  /** Settles when the session is over: with the cause, or undefined after `stop` or `close`. */
  readonly done: Promise<Error | undefined>;
  /** Resolves once data keys are in place and the push is known; rejects when it does not come to it. */
  readonly established: Promise<TunnelInfo>;
  readonly #settings: SessionSettings;
  readonly #logger: Logger;
  readonly #events: SessionEvents;
  readonly #clock: Clock;
  readonly #role: Role;
  readonly #tracer: Tracer | undefined;
  readonly #stack: Stack;
  readonly #opening: OpeningDeadline;
  readonly #farewell: Farewell;
  readonly #limits: SessionLimits;
  #resolveEstablished: (info: TunnelInfo) => void = () => {};
  #negotiation: NegotiationState = 'S_INITIAL';
  #push: PushOptions | undefined;
  #info: TunnelInfo | undefined;
  #pushed: PushedSettings | undefined;
  #leaving: Promise<void> | undefined;

  constructor({ settings, wraps, logger, events, stack, push }: SessionOptions) {
    this.link = stack.link;
    this.#settings = settings;
    this.#logger = logger;
    this.#events = events;
    this.#clock = stack.clock;
    this.#role = stack.role;
    this.#tracer = stack.tracer;
    this.#push = push;
    this.#stack = new Stack({
      ...stack,
      events: {
        linkEnded: (error) => this.fail(error),
        tls: {
          state: (state, keyId) => this.#onState(state, keyId),
          pushed: (received) => this.#onPush(received),
          updated: (changed) => this.#onUpdate(changed),
          controlKey: (exported) => wraps.settle(exported),
          established: (keyId, facts) => this.#onEstablished(keyId, facts),
          message: (message) => this.#onMessage(message),
          failed: (error) => this.#failAfterAnswer(error),
        },
        data: {
          peerExit: () => this.fail(peerExit()),
          pingTimeout: (error) => this.fail(error),
          failed: (error) => this.fail(error),
          rekeyed: (keyId) => this.#events.rekeyed?.(keyId),
          mtuTested: (result) => logger('info', 'datachannel', mtuTestText(result)),
        },
      },
    });
    this.#opening = new OpeningDeadline(settings, stack.link.protocol, (error) => this.fail(error));
    this.#farewell = new Farewell(this.#stack);
    this.#limits = new SessionLimits(
      () => this.#stack.datachannel.dataBytes,
      (error) => this.#retire(error),
    );
    this.done = this.#stack.workers.done;
    this.established = new Promise((resolve, reject) => {
      this.#resolveEstablished = resolve;
      void this.done.then((error) => reject(error ?? new Error('the session was stopped')));
    });
    this.established.catch(() => {});
  }

  /** Starts the workers; a client sends its reset in the next turn. */
  start(): void {
    this.#tracer?.linkOpened?.(this.link);
    this.#stack.start();
    this.#stack.workers.start(this.#opening);
    this.#stack.workers.start(this.#farewell);
    this.#stack.workers.start(this.#limits);
    if (this.#role === 'server') return;
    this.#opening.begin(this.#stack.workers.pump.now);
    this.#enter('S_PRE_START', 0);
  }

  /** What came of the negotiation. Only once `established`. */
  get info(): TunnelInfo {
    if (this.#info === undefined) throw new Error('the session is not established');
    return this.#info;
  }

  get negotiation(): NegotiationState {
    return this.#negotiation;
  }

  get tun(): TunDevice {
    return this.#stack.tun;
  }

  get stats(): SessionStats {
    return sessionStats(this.#stack);
  }

  /** The error for a peer from which nothing authentic has come; undefined when something has. */
  silence(timeoutMs: number): OvpnTimeoutError | undefined {
    return this.#opening.silence(timeoutMs);
  }

  /** Runs `service` on top of the stack. */
  attach(service: Service): void {
    this.#stack.workers.start(service);
  }

  arm(): void {
    this.#stack.workers.pump.arm();
  }

  /** Sends `message` over the control channel; false before there is a key. */
  tell(message: ControlMessage): boolean {
    return this.#stack.tlsstate.send(message);
  }

  /** Starts a renegotiation; nothing when one is going on or asked for. */
  renegotiate(): void {
    this.#stack.channels.rekeyDue.push('asked for');
  }

  /**
   * Says goodbye, sees it on its way, then stops and closes the link. A client says what was agreed
   * on (EXIT, OCC EXIT, nothing over TCP); a server gives `message`. May be called twice.
   */
  close(message?: ControlMessage): Promise<void> {
    this.#leaving ??= this.#leave(message);
    return this.#leaving;
  }

  /** Ends at once because of `error`; the first one counts. */
  fail(error: Error): void {
    this.#stack.workers.fail(error);
  }

  /** Ends at once. */
  stop(): void {
    this.#stack.workers.stop();
  }

  #onState(state: NegotiationState, keyId: number): void {
    this.#opening.answered();
    this.#enter(state, keyId);
  }

  #enter(state: NegotiationState, keyId: number): void {
    if (keyId === 0) this.#negotiation = state;
    this.#tracer?.stateChanged?.(state, keyId, this.#stack.workers.pump.now);
    this.#events.state?.(state, keyId);
  }

  #onPush(push: PushOptions): void {
    if (this.#info !== undefined) return;
    this.#push = push;
    for (const { option, reason } of push.ignored.slice(0, MAX_TOLD_OPTIONS)) {
      this.#logger('info', 'config', `pushed option ${option} has no effect: ${reason}`);
    }
    const untold = push.ignored.length - MAX_TOLD_OPTIONS;
    if (untold > 0) this.#logger('info', 'config', `${untold} more pushed options have no effect`);
    this.#events.pushed?.(push);
  }

  #onEstablished(keyId: number, facts: EstablishedFacts): void {
    const push = this.#push;
    if (keyId !== 0 || push === undefined) return;
    const { protocol, remoteAddress, remotePort } = this.link;
    const { cipher, peerId, tlsVersion, epoch } = facts;
    const { auth, compression, fragment, tunMtu } = this.#settings;
    const framing = push.compression ?? compression;
    const fragmentBytes = protocol === 'udp' ? fragment : 0;
    const packets = { cipher, auth, peerId, epoch, framing, fragmentBytes };
    const format = payloadFormat(packets, push.tunMtu ?? tunMtu);
    this.#stack.datachannel.useFormat(format);
    this.#pushed = new PushedSettings({
      stack: this.#stack,
      settings: this.#settings,
      facts: { cipher: cipher.name, peerId, tlsVersion, protocol, remoteAddress, remotePort },
      overheadBytes: format.overheadBytes,
    });
    this.#info = this.#pushed.apply(push);
    this.#limit(push);
    this.#resolveEstablished(this.#info);
  }

  #onUpdate(push: PushOptions): void {
    if (this.#pushed === undefined) return;
    this.#push = push;
    this.#info = this.#pushed.apply(push);
    this.#limit(push);
    this.#events.updated?.(this.#info);
  }

  #limit(push: PushOptions): void {
    this.#limits.configure(limitsOf(push, this.#settings), this.#stack.workers.pump.now);
  }

  #onMessage(message: ControlMessage): void {
    this.#events.message?.(message, (answer) => this.#stack.tlsstate.send(answer));
  }

  /** The pump's run goes on to its end, so that the peer's last words are acknowledged. */
  #failAfterAnswer(error: Error): void {
    this.#clock.setImmediate(() => this.fail(error));
  }

  /** Leaves in order, as `close`, but because of `error`. */
  #retire(error: Error): void {
    this.#leaving ??= this.#leave(undefined, error);
  }

  async #leave(message: ControlMessage | undefined, error?: Error): Promise<void> {
    const told = this.#info === undefined ? undefined : (message ?? this.#role);
    const goodbye = told && goodbyeBy(told, this.link.protocol, this.#push, this.#settings);
    if (goodbye !== undefined && !this.#stack.workers.stopped) await this.#farewell.say(goodbye);
    if (error === undefined) this.stop();
    else this.fail(error);
    await this.link.close();
  }
}

function peerExit(): OvpnPeerError {
  return new OvpnPeerError('OVPN_PEER_EXIT', 'the peer has left: it said so on the data channel', {
    layer: 'session',
    retryable: true,
  });
}
