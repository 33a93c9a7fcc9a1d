import type { Clock } from '../core/clock.ts';
import { OvpnPeerError, type OvpnTimeoutError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Service } from '../core/pump.ts';
import { dataOverheadBytes } from '../datachannel/overhead.ts';
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
import { Farewell, type Goodbye } from './farewell.ts';
import { keepaliveOf } from './keepalive.ts';
import { OpeningDeadline } from './opening-deadline.ts';
import { type SessionStats, sessionStats } from './session-stats.ts';
import { Stack, type StackOptions } from './stack.ts';
import { tunnelInfo } from './tunnel-info.ts';

/** Most pushed options without effect that are told one by one: a server may push a thousand. */
const MAX_TOLD_OPTIONS = 5;

/** Called synchronously, after the state has changed. */
export interface SessionEvents {
  state?(state: NegotiationState, keyId: number): void;
  pushed?(push: PushOptions): void;
  /** A renegotiation is complete. */
  rekeyed?(keyId: number): void;
  /** A text of the peer that does not end the session. */
  message?(message: ControlMessage): void;
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
> & { readonly wrap: Pick<ControlWrapOptions, 'kind'> };

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
  #resolveEstablished: (info: TunnelInfo) => void = () => {};
  #negotiation: NegotiationState = 'S_INITIAL';
  #push: PushOptions | undefined;
  #info: TunnelInfo | undefined;
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
        },
      },
    });
    this.#opening = new OpeningDeadline(settings, stack.link.protocol, (error) => this.fail(error));
    this.#farewell = new Farewell(this.#stack);
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
    const { auth, compression } = this.#settings;
    const framing = push.compression ?? compression;
    const info = tunnelInfo(
      push,
      { cipher: cipher.name, peerId, tlsVersion, protocol, remoteAddress, remotePort },
      this.#settings,
      dataOverheadBytes({ cipher, auth, peerId, epoch, framing }),
    );
    this.#info = info;
    this.#stack.datachannel.useFraming(framing);
    this.#stack.tun.configure({ mtu: info.mtu, maxMss: info.mss });
    this.#stack.datachannel.configure(keepaliveOf(push, this.#settings, protocol));
    this.#resolveEstablished(info);
  }

  #onMessage(message: ControlMessage): void {
    this.#events.message?.(message);
  }

  /** The pump's run goes on to its end, so that the peer's last words are acknowledged. */
  #failAfterAnswer(error: Error): void {
    this.#clock.setImmediate(() => this.fail(error));
  }

  async #leave(message: ControlMessage | undefined): Promise<void> {
    const goodbye = this.#goodbye(message);
    if (goodbye !== undefined && !this.#stack.workers.stopped) await this.#farewell.say(goodbye);
    this.stop();
    await this.link.close();
  }

  /** Undefined where there is nobody to tell, or, over TCP, where the link's end says it all. */
  #goodbye(message: ControlMessage | undefined): Goodbye | undefined {
    if (this.#info === undefined) return undefined;
    if (message !== undefined) return { over: 'control', message };
    if (this.#role === 'server' || this.link.protocol === 'tcp') return undefined;
    const { ccExit = false, explicitExitNotify } = this.#push ?? {};
    if (ccExit) return { over: 'control', message: { kind: 'exit' } };
    const copies = explicitExitNotify ?? this.#settings.explicitExitNotify ?? 0;
    return copies > 0 ? { over: 'data', copies } : undefined;
  }
}

function peerExit(): OvpnPeerError {
  return new OvpnPeerError('OVPN_PEER_EXIT', 'the peer has left: it said so on the data channel', {
    layer: 'session',
    retryable: true,
  });
}
