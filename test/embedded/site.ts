import { parseStaticKey } from '../../src/config/static-key.ts';
import { Secret } from '../../src/core/secret.ts';
import { TunDialer } from '../../src/dialer/tun-dialer.ts';
import type { TunnelEnd } from '../../src/dialer/tunnel-end.ts';
import { clientProfileText } from '../../src/server/client-profile.ts';
import { createStaticKeyText } from '../../src/server/pki.ts';
import type { VpnServerOptions } from '../../src/server/server-options.ts';
import { VpnServer } from '../../src/server/vpn-server.ts';
import type { VpnClientOptions } from '../../src/vpnclient/options.ts';
import { VpnClient } from '../../src/vpnclient/vpn-client.ts';
import {
  type Authority,
  clientOptions,
  createAuthority,
  type Issued,
  serverOptions,
} from '../tlsstate/certificates.ts';

export type Wrap = 'none' | 'tls-crypt';

export interface SiteOptions {
  /** Default: `udp`. */
  readonly protocol?: 'udp' | 'tcp';
  /** Default: `tls-crypt`. */
  readonly wrap?: Wrap;
  /** The server's certificate. Default: a good one of the site's authority. */
  readonly identity?: Issued;
  /** Further options of the server. */
  readonly server?: Partial<VpnServerOptions>;
}

export interface ProfileChanges {
  readonly ca?: string;
  /** Default: a good certificate of the site's authority; undefined for none. */
  readonly identity?: Issued | undefined;
  readonly tlsCryptKey?: string;
  /** Default: where the server listens. */
  readonly port?: number;
  /** Whether `remote-cert-tls` and `verify-x509-name` are left out. Default: false. */
  readonly unchecked?: boolean;
  /** Whether it has `auth-user-pass`. Default: false. */
  readonly authUserPass?: boolean;
  /** Further lines. */
  readonly lines?: readonly string[];
}

/** Who signs, for all tests of a file: making keys takes time. */
export const authority: Authority = createAuthority('the test authority');
export const serverIdentity: Issued = authority.issue(serverOptions());
export const clientIdentity: Issued = authority.issue(clientOptions());
export const staticKeyText: string = createStaticKeyText();

/** The name in {@link serverIdentity}. */
export const SERVER_NAME = 'vpn.example';

/** A server that listens on loopback, and the profiles of its clients. */
export class Site {
  readonly server: VpnServer;
  readonly protocol: 'udp' | 'tcp';
  readonly #wrap: Wrap;
  readonly #open: { close(): Promise<unknown> }[] = [];

  private constructor({ protocol = 'udp', wrap = 'tls-crypt', ...options }: SiteOptions) {
    const { certPem, keyPem } = options.identity ?? serverIdentity;
    const key = parseStaticKey(staticKeyText);
    if (key === undefined) throw new Error('no static key');
    this.protocol = protocol;
    this.#wrap = wrap;
    this.server = new VpnServer({
      ca: authority.certPem,
      cert: certPem,
      key: keyPem,
      protocol,
      wrap: wrap === 'none' ? { kind: 'none' } : { kind: 'tls-crypt', key: new Secret(key) },
      ...options.server,
    });
  }

  static async open(options: SiteOptions = {}): Promise<Site> {
    const site = new Site(options);
    await site.server.listen();
    return site;
  }

  /** A client's `.ovpn` text. */
  profile(changes: ProfileChanges = {}): string {
    const text = clientProfileText({
      host: '127.0.0.1',
      port: changes.port ?? this.server.address().port,
      protocol: this.protocol,
      caPem: changes.ca ?? authority.certPem,
      identity: 'identity' in changes ? changes.identity : clientIdentity,
      tlsCryptKey: this.#wrap === 'none' ? undefined : (changes.tlsCryptKey ?? staticKeyText),
      serverName: SERVER_NAME,
      authUserPass: changes.authUserPass ?? false,
    });
    const lines = text.split('\n').filter((line) => !changes.unchecked || !CHECKS.test(line));
    return [...lines, ...(changes.lines ?? []), ''].join('\n');
  }

  /** A client that is not started; closed with the site. */
  client(changes: ProfileChanges = {}, options: Partial<VpnClientOptions> = {}): VpnClient {
    const client = new VpnClient({ profile: this.profile(changes), ...options });
    client.on('error', () => {});
    this.#open.push(client);
    return client;
  }

  /** A client whose tunnel is up. */
  async connected(
    changes: ProfileChanges = {},
    options: Partial<VpnClientOptions> = {},
  ): Promise<VpnClient> {
    const client = this.client(changes, options);
    await client.start();
    return client;
  }

  /** A dialer over a client whose tunnel is up. */
  async dialer(
    changes: ProfileChanges = {},
    options: Partial<VpnClientOptions> = {},
  ): Promise<TunDialer<VpnClient>> {
    const dialer = TunDialer.over(await this.connected(changes, options));
    this.#open.push(dialer);
    return dialer;
  }

  /** A dialer on the server's end. */
  serverDialer(): TunDialer<VpnServer> {
    const dialer = TunDialer.over(this.server);
    this.#open.push(dialer);
    return dialer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#open.map((opened) => opened.close()));
    await this.server.close();
  }
}

const CHECKS = /^(remote-cert-tls|verify-x509-name) /;

/** The error that `start()` rejects with. */
export async function startError(client: VpnClient): Promise<Error> {
  try {
    await client.start();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('expected start() to reject');
}

/** Round-trip time of one ping; rejects when there is no reply. */
export async function pingOnce(
  dialer: TunDialer<TunnelEnd>,
  host: string,
  timeoutMs = 2000,
): Promise<number> {
  for await (const { timeMs, error } of dialer.ping(host, { count: 1, timeoutMs })) {
    if (timeMs !== undefined) return timeMs;
    throw new Error(`no reply from ${host}: ${error}`);
  }
  throw new Error('no result');
}
