import { readProfile } from '../../src/config/read-profile.ts';
import type { Clock } from '../../src/core/clock.ts';
import { backgroundClock } from '../../src/core/clock.ts';
import type { Millis } from '../../src/core/machine.ts';
import { type RandomSource, SystemRandom } from '../../src/core/random.ts';
import { TunDialer } from '../../src/dialer/tun-dialer.ts';
import type { TunnelEnd } from '../../src/dialer/tunnel-end.ts';
import type { Profile } from '../../src/model/profile.ts';
import type { TunDevice } from '../../src/model/tun-device.ts';
import type { TunnelInfo } from '../../src/model/tunnel-info.ts';
import type { TunnelTenant } from '../../src/model/tunnel-tenant.ts';
import { clientProfileText } from '../../src/server/client-profile.ts';
import type { VpnServerOptions } from '../../src/server/server-options.ts';
import { VpnServer } from '../../src/server/vpn-server.ts';
import { LastingTun } from '../../src/tun/lasting-tun.ts';
import type { VpnClientOptions } from '../../src/vpnclient/options.ts';
import { VpnClient } from '../../src/vpnclient/vpn-client.ts';
import { authority, clientIdentity, SERVER_NAME, serverIdentity } from './site.ts';

/** Pause before a reconnect in these tests. */
export const RETRY_MS: Millis = 20;

/**
 * A host behind one server after another: its sockets outlive them, as those of a machine behind a
 * gateway do. Between two servers it stands still.
 */
class FarHost implements TunnelEnd {
  readonly clock: Clock = backgroundClock;
  readonly random: RandomSource = new SystemRandom();
  readonly ended: Promise<Error | undefined>;
  readonly #tun = new LastingTun();
  readonly #info: TunnelInfo;
  #server: VpnServer | undefined;
  #tenant: TunnelTenant | undefined;
  #resolveEnded: (error: Error | undefined) => void = () => {};

  constructor(server: VpnServer) {
    this.#info = server.info;
    this.#server = server;
    this.#tun.use(server.tun);
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  get tun(): TunDevice {
    return this.#tun;
  }

  get info(): TunnelInfo {
    return this.#info;
  }

  attach(tenant: TunnelTenant): void {
    this.#tenant = tenant;
    this.#run();
  }

  arm(): void {
    this.#server?.arm();
  }

  join(server: VpnServer): void {
    this.#server = server;
    this.#tun.use(server.tun);
    this.#run();
  }

  leave(): void {
    this.#server = undefined;
    this.#tun.use(undefined);
  }

  async close(): Promise<void> {
    this.#tenant?.stop?.();
    this.#tun.close();
    this.#resolveEnded(undefined);
  }

  #run(): void {
    const tenant = this.#tenant;
    if (tenant === undefined) return;
    this.#server?.attach({
      name: 'far host',
      moveUpWorker: (now) => tenant.moveUpWorker?.(now) ?? false,
      endOfBurst: (now) => tenant.endOfBurst?.(now),
      moveDownWorker: (now) => tenant.moveDownWorker?.(now) ?? false,
      nextTimeout: () => tenant.nextTimeout?.() ?? Number.POSITIVE_INFINITY,
      onTimeout: (now) => tenant.onTimeout?.(now),
    });
  }
}

export interface RestartingSiteOptions {
  /** Default: `udp`. */
  readonly protocol?: 'udp' | 'tcp';
  readonly server?: Partial<VpnServerOptions>;
}

/** A server on loopback that can be restarted, a host behind it that stays, and their clients. */
export class RestartingSite {
  readonly protocol: 'udp' | 'tcp';
  readonly #options: Partial<VpnServerOptions>;
  readonly #open: { close(): Promise<unknown> }[] = [];
  readonly #port: number;
  #server: VpnServer;
  #far: FarHost;
  #host: TunDialer;

  private constructor(server: VpnServer, { protocol = 'udp', ...options }: RestartingSiteOptions) {
    this.protocol = protocol;
    this.#options = options.server ?? {};
    this.#server = server;
    this.#port = server.address().port;
    this.#far = new FarHost(server);
    this.#host = TunDialer.over(this.#far);
  }

  static async open(options: RestartingSiteOptions = {}): Promise<RestartingSite> {
    return new RestartingSite(
      await listening(options.protocol ?? 'udp', 0, options.server),
      options,
    );
  }

  get server(): VpnServer {
    return this.#server;
  }

  /** The host behind the server. */
  get host(): TunDialer {
    return this.#host;
  }

  /** Stops the server: it tells its clients to connect anew. */
  async stop(): Promise<void> {
    this.#far.leave();
    await this.#server.close();
  }

  /** Starts another server where the last one was. */
  async start(changes: Partial<VpnServerOptions> = {}): Promise<void> {
    const options = { ...this.#options, ...changes };
    this.#server = await listening(this.protocol, this.#port, options);
    this.#far.join(this.#server);
  }

  async restart(changes: Partial<VpnServerOptions> = {}): Promise<void> {
    await this.stop();
    await this.start(changes);
  }

  /** With `persist-tun` and short pauses, and with `changes`. */
  profile(changes: Partial<Profile> = {}): Profile {
    const text = clientProfileText({
      host: '127.0.0.1',
      port: this.#port,
      protocol: this.protocol,
      caPem: authority.certPem,
      identity: clientIdentity,
      tlsCryptKey: undefined,
      serverName: SERVER_NAME,
      authUserPass: false,
    });
    const connectRetry = { firstMs: RETRY_MS, maxMs: 4 * RETRY_MS };
    return { ...readProfile(text), persistTun: true, connectRetry, ...changes };
  }

  /** A client that is not started; closed with the site. */
  client(changes: Partial<Profile> = {}, options: Partial<VpnClientOptions> = {}): VpnClient {
    const client = new VpnClient({ profile: this.profile(changes), ...options });
    client.on('error', () => {});
    this.#open.push(client);
    return client;
  }

  async connected(
    changes: Partial<Profile> = {},
    options: Partial<VpnClientOptions> = {},
  ): Promise<VpnClient> {
    const client = this.client(changes, options);
    await client.start();
    return client;
  }

  async dialer(
    changes: Partial<Profile> = {},
    options: Partial<VpnClientOptions> = {},
  ): Promise<TunDialer<VpnClient>> {
    const dialer = TunDialer.over(await this.connected(changes, options));
    this.#open.push(dialer);
    return dialer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#open.map((opened) => opened.close()));
    await this.#host.close();
    await this.#server.close();
  }
}

async function listening(
  protocol: 'udp' | 'tcp',
  port: number,
  options: Partial<VpnServerOptions> = {},
): Promise<VpnServer> {
  const { certPem, keyPem } = serverIdentity;
  const server = new VpnServer({
    ca: authority.certPem,
    cert: certPem,
    key: keyPem,
    protocol,
    port,
    wrap: { kind: 'none' },
    ...options,
  });
  await server.listen();
  return server;
}
