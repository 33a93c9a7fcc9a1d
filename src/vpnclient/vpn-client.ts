import { Duplex } from 'node:stream';
import { readProfile } from '../config/read-profile.ts';
import type { Clock } from '../core/clock.ts';
import { OvpnUsageError } from '../core/errors.ts';
import { IdleTimer } from '../core/idle-timer.ts';
import type { RandomSource } from '../core/random.ts';
import type { Profile } from '../model/profile.ts';
import type { TunDevice } from '../model/tun-device.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';
import type { TunnelTenant } from '../model/tunnel-tenant.ts';
import { type ClientState, type DownEvent, isConnecting, type VpnClientEvents } from './events.ts';
import { resolveClientOptions, type VpnClientOptions } from './options.ts';
import { PacketStream } from './packet-stream.ts';
import type { ClientStats } from './stats.ts';
import { TunnelLife } from './tunnel-life.ts';

/** IP packets that wait for a reader or in a writer before back-pressure shows. */
const QUEUED_PACKETS = 256;

/**
 * One OpenVPN client: a Duplex of IP packets (object mode, one chunk is one packet) with the names
 * of `net.Socket`. `start()` connects; `up` says that packets flow, `down` that they no longer do,
 * and why. What the reader does not fetch in time is dropped, as a kernel's TUN device does. A
 * dialer stands on the same tunnel by `attach`; reading or writing the Duplex is then refused.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface below only gives types
export class VpnClient extends Duplex {
  /** The profile in use. */
  readonly profile: Profile;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly #life: TunnelLife;
  readonly #idle: IdleTimer;
  readonly #packets: PacketStream;
  readonly #closed: Promise<void>;
  #leaving: Promise<void> | undefined;

  /**
   * @throws OvpnUsageError for wrong options
   * @throws OvpnConfigError for a profile that cannot be read, is wrong, or is refused
   */
  constructor(options: VpnClientOptions) {
    super({ objectMode: true, highWaterMark: QUEUED_PACKETS });
    const resolved = resolveClientOptions(options);
    this.profile = readProfile(options.profile);
    this.clock = resolved.clock;
    this.random = resolved.random;
    this.#idle = new IdleTimer(this.clock, () => this.emit('timeout'));
    this.#packets = new PacketStream({
      push: (packet) => this.push(packet),
      moved: (now) => this.#idle.touch(now),
    });
    this.#closed = new Promise((resolve) => super.once('close', resolve));
    this.#life = new TunnelLife(this.profile, resolved, {
      emit: (name, ...payload) => this.emit(name, ...payload),
      listening: () => this.listenerCount('challenge') > 0,
      up: (info, again) => this.#onUp(info, again),
      down: (event, wasUp) => this.#onDown(event, wasUp),
    });
  }

  /**
   * Connects: tries the profile's remotes in order until one gives a tunnel. Called once. From then
   * on, until it has ended, the client keeps the process alive.
   *
   * @returns what came of it; also in `info`
   * @throws the error of the last remote, or the first that no other remote can mend (credentials,
   * certificates, push); OvpnError `OVPN_ABORTED` with the signal's reason as its cause;
   * OvpnTimeoutError when `connectTimeoutMs` is over
   */
  start({ signal }: { signal?: AbortSignal } = {}): Promise<TunnelInfo> {
    return this.#life.start(signal);
  }

  /** Leaves the server in order, then closes. May be called twice; never rejects. */
  close(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  override [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Settles when the tunnel has ended: with the cause, or undefined after `close()`. */
  get ended(): Promise<Error | undefined> {
    return this.#life.ended;
  }

  /** Starts a renegotiation of the data keys, unless one is going on. @throws OvpnUsageError before `up` */
  renegotiate(): void {
    this.#life.established.renegotiate();
  }

  /**
   * Leaves the server, and rests: no link, no timer. Sockets stay where the profile has
   * `persist-tun`, and `wake` brings the tunnel back. Resolves when the link is closed; nothing when
   * it rests already.
   *
   * @throws OvpnUsageError before `up` and after `close`
   */
  suspend(): Promise<void> {
    return this.#life.ask('suspend');
  }

  /** Ends a `suspend`: connects at once, `up` follows. Nothing at any other time. */
  wake(): void {
    this.#life.wake();
  }

  /**
   * Connects anew at once, whatever goes on: the host's network is another one. `up` follows. Nothing
   * while it rests. @throws OvpnUsageError before `up` and after `close`
   */
  reconnect(): void {
    void this.#life.ask('reconnect');
  }

  /** Addresses, DNS servers, cipher of the newest session. @throws OvpnUsageError before `up` */
  get info(): TunnelInfo {
    return this.#life.established.info;
  }

  /** Where IP packets enter and leave. @throws OvpnUsageError before `up` */
  get tun(): TunDevice {
    return this.#life.established && this.#life.tunnel.tun;
  }

  get state(): ClientState {
    return this.#life.state;
  }

  /** Counters of all sessions together. */
  get stats(): ClientStats {
    const { stats } = this.#life;
    return { ...stats, overflows: stats.overflows + this.#packets.overflows };
  }

  /**
   * Runs `tenant` on top of the tunnel, over all sessions, and claims its packets.
   * @throws OvpnUsageError before `up`, or when somebody has them
   */
  attach(tenant: TunnelTenant): void {
    void this.#life.established;
    this.#packets.claim();
    this.#life.tunnel.attach(tenant);
  }
  /** Asks the pump for a turn. */
  arm(): void {
    this.#life.tunnel.arm();
  }

  get connecting(): boolean {
    return isConnecting(this.state);
  }

  get pending(): boolean {
    return this.state === 'idle' || this.connecting;
  }

  get readyState(): 'opening' | 'open' | 'closed' {
    if (this.connecting) return 'opening';
    return this.state === 'up' ? 'open' : 'closed';
  }

  /** The server's address outside the tunnel; undefined before there is a link. */
  get remoteAddress(): string | undefined {
    return this.#life.session?.link.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#life.session?.link.remotePort;
  }

  get localAddress(): string | undefined {
    return this.#life.session?.link.localAddress;
  }

  get localPort(): number | undefined {
    return this.#life.session?.link.localPort;
  }

  /** Bytes of IP packets out of the tunnel. */
  get bytesRead(): number {
    return this.stats.bytesIn;
  }

  /** Bytes of IP packets into the tunnel. */
  get bytesWritten(): number {
    return this.stats.bytesOut;
  }

  /** Emits `timeout` once no packet went through this Duplex for `timeoutMs`; 0 is off. */
  setTimeout(timeoutMs: number, callback?: () => void): this {
    if (callback !== undefined) this.once('timeout', callback);
    this.#idle.set(timeoutMs);
    return this;
  }

  /** Undoes `unref`. */
  ref(): this {
    this.#life.ref();
    return this;
  }

  /** Lets the process end although the client is connecting or up. */
  unref(): this {
    this.#life.unref();
    return this;
  }

  /** @throws OvpnUsageError while a dialer is attached */
  override read(size?: number): Buffer | null {
    if (size !== 0) this.#packets.checkUnclaimed();
    return super.read(size);
  }

  /** @throws OvpnUsageError while a dialer is attached */
  override resume(): this {
    this.#packets.checkUnclaimed();
    return super.resume();
  }

  /** @throws OvpnUsageError while a dialer is attached */
  override [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    this.#packets.checkUnclaimed();
    return super[Symbol.asyncIterator]();
  }

  /** Before `up` packets wait. @throws OvpnUsageError for no Buffer, or while a dialer is attached */
  override write(packet: Buffer, done?: WriteDone): boolean;
  override write(packet: unknown, ...rest: unknown[]): boolean;
  override write(packet: unknown, ...rest: unknown[]): boolean {
    this.#packets.checkUnclaimed();
    if (!Buffer.isBuffer(packet)) {
      throw new OvpnUsageError('expected an IP packet in a Buffer', 'vpnclient');
    }
    return super.write(packet, ...(rest as []));
  }

  override _read(): void {
    if (!this.#packets.claimed) this.#packets.resume();
  }

  override _write(packet: Buffer, _encoding: string, done: WriteDone): void {
    this.#packets.send(packet, done);
  }

  override _final(done: () => void): void {
    void this.#life.leave().then(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#life.end(error ?? undefined);
    this.#packets.close();
    this.#idle.set(0);
    done(error);
  }

  #onUp(info: TunnelInfo, again: boolean): void {
    this.emit('up', info);
    if (again) return;
    this.emit('connect');
    this.emit('ready');
    this.#packets.open(this.#life.tunnel);
  }

  /** `error` is emitted only where nobody else is told; a reader meets the end before the close. */
  #onDown(event: DownEvent, wasUp: boolean): void {
    this.emit('down', event);
    if (this.destroyed) return;
    if (event.error !== undefined && wasUp && !this.#packets.claimed) {
      this.destroy(event.error);
      return;
    }
    this.push(null);
    setImmediate(() => this.destroy());
  }

  async #leave(): Promise<void> {
    await this.#life.leave();
    await this.#closed;
  }
}

export interface VpnClient {
  on<K extends keyof VpnClientEvents>(name: K, listener: Listener<K>): this;
  once<K extends keyof VpnClientEvents>(name: K, listener: Listener<K>): this;
}

type WriteDone = (error?: Error | null) => void;
type Listener<K extends keyof VpnClientEvents> = (...payload: VpnClientEvents[K]) => void;
