import { setImmediate as turn } from 'node:timers/promises';
import type { Millis } from '../../src/core/machine.ts';
import type { Profile } from '../../src/model/profile.ts';
import type { Tracer } from '../../src/model/tracer.ts';
import { resolveServerOptions, type VpnServerOptions } from '../../src/server/server-options.ts';
import { Session } from '../../src/session/session.ts';
import { clientSessionOptions } from '../../src/vpnclient/client-session.ts';
import { resolveClientOptions } from '../../src/vpnclient/options.ts';
import { SignIn } from '../../src/vpnclient/sign-in.ts';
import { SeededRandom } from './seeded-random.ts';
import { CLIENT, SERVER, type SimIdentity, type SimWrap, simIdentity } from './sim-identity.ts';
import { type LineOptions, SimLink, simLine } from './sim-link.ts';
import { SimServer } from './sim-server.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface PairOptions {
  /** What the line does to the client's datagrams. Default: nothing, they are there at once. */
  readonly toServer?: LineOptions;
  /** The same for the server's. */
  readonly toClient?: LineOptions;
  /** Of the line and of both ends' randomness; node:tls has its own. Default: 1. */
  readonly seed?: number;
  /** Default: `tls-crypt`. */
  readonly wrap?: SimWrap;
  /** Bits of IV_PROTO that the client announces. Default: all. */
  readonly ivProto?: number;
  /** Changes to the client's profile. */
  readonly profile?: Partial<Profile>;
  /** Sees what the client does; the server's goes into `server`. */
  readonly clientTracer?: Tracer;
  /** Changes to the server's options. */
  readonly server?: Partial<VpnServerOptions>;
}

/** Turns of the event loop without news after which node:tls and promises have no more to say. */
const QUIET_TURNS = 2;

/**
 * Two whole sessions, a client and a server with its stateless responder in front, and a line
 * between them, on one virtual clock. node:tls and promises run on the real event loop, so virtual
 * time stands still until that is quiet.
 */
export class Pair {
  readonly clock = new VirtualClock();
  readonly client: Session;
  readonly server: SimServer;
  /** Key ids of renegotiations that the client has completed. */
  readonly clientKeyIds: number[] = [];
  /** Why the client's session ended; null while it lives. */
  clientEnding: Error | undefined | null = null;
  /** When the client had its tunnel. */
  establishedAt: Millis | undefined;

  private constructor(identity: SimIdentity, { seed = 1, ...options }: PairOptions) {
    const { clock } = this;
    const random = new SeededRandom(seed);
    const serverOptions = { ...identity.server, clock, random, ...options.server };
    const profile = { ...identity.profile, ...options.profile };

    const toServer = simLine(clock, seed, options.toServer, (datagram) =>
      this.server.receive(datagram),
    );
    const toClient = simLine(clock, ~seed, options.toClient, (datagram) => link.deliver(datagram));
    const link = new SimLink(
      {
        localAddress: CLIENT.address,
        localPort: CLIENT.port,
        remoteAddress: SERVER.address,
        remotePort: SERVER.port,
      },
      toServer,
    );
    this.server = new SimServer(resolveServerOptions(serverOptions), toClient);
    this.client = new Session(
      clientSessionOptions(link, {
        profile,
        options: resolveClientOptions({
          profile,
          clock,
          random,
          ...(options.ivProto !== undefined && { ivProto: options.ivProto }),
          ...(options.clientTracer && { tracer: options.clientTracer }),
        }),
        signIn: new SignIn(profile, {}),
        signal: new AbortController().signal,
        stage: () => {},
        emit: (name, ...[payload]) => {
          if (name === 'rekey' && payload !== undefined && 'keyId' in payload) {
            this.clientKeyIds.push(payload.keyId);
          }
        },
      }),
    );
    this.client.established.then(
      () => {
        this.establishedAt = clock.now();
      },
      () => {},
    );
    void this.client.done.then((error) => {
      this.clientEnding = error;
    });
  }

  /** Two ends that know nothing of each other yet; the client has sent its reset. */
  static async open({ wrap = 'tls-crypt', ...options }: PairOptions = {}): Promise<Pair> {
    const pair = new Pair(await simIdentity(wrap), options);
    pair.client.start();
    return pair;
  }

  /** Two ends with a tunnel between them. @throws Error when there is none within `limitMs` */
  static async connected(options: PairOptions = {}, limitMs: Millis = 60_000): Promise<Pair> {
    const pair = await Pair.open(options);
    if (await pair.until(() => pair.isUp, limitMs)) return pair;
    throw new Error(`no tunnel, seed ${options.seed ?? 1}: ${pair.account}`);
  }

  /** Both ends can send packets. */
  get isUp(): boolean {
    return this.establishedAt !== undefined && this.server.isUp;
  }

  /** How far both ends have come, for messages of failed tests. */
  get account(): string {
    const { client, server, clock } = this;
    return [
      `at ${clock.now()} ms`,
      `client ${client.negotiation} (${this.clientEnding?.message ?? 'alive'})`,
      `server ${server.session?.negotiation ?? 'none'} (${server.endings.map(String).join() || 'alive'})`,
    ].join(', ');
  }

  /** Runs everything that needs no virtual time. */
  async settle(): Promise<void> {
    this.clock.settle();
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      await turn();
      quiet = this.clock.busy ? 0 : quiet + 1;
      this.clock.settle();
    }
  }

  /** Runs until `done`; false when that is not so within `limitMs`, or nothing happens any more. */
  async until(done: () => boolean, limitMs: Millis): Promise<boolean> {
    const end = this.clock.now() + limitMs;
    await this.settle();
    while (!done()) {
      if (this.clock.nextAt > end || !this.clock.step()) return false;
      await this.settle();
    }
    return true;
  }

  /** Runs until `promise` is settled. @throws Error when that takes longer than `limitMs` */
  async outcome<T>(promise: Promise<T>, limitMs: Millis): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    if (await this.until(() => settled, limitMs)) return promise;
    throw new Error(`expected an outcome within ${limitMs} ms, got none: ${this.account}`);
  }

  /** Runs everything that happens in the next `duration` and ends exactly there. */
  async advance(duration: Millis): Promise<void> {
    const end = this.clock.now() + duration;
    await this.until(() => false, duration);
    this.clock.advance(end - this.clock.now());
    await this.settle();
  }

  /** Ends both sessions without a word. */
  async stop(): Promise<void> {
    this.client.stop();
    this.server.session?.stop();
    await this.settle();
  }
}
