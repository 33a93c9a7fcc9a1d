import type { Secret } from '../core/secret.ts';
import type { OuterProxy } from '../model/profile.ts';
import { type ProxyCredentials, proxyName, proxyWantsUser } from '../networkio/outer-proxy.ts';
import type { Asking } from './asking.ts';

/**
 * User names and passwords for outer proxies that the profile does not have: the callback is asked
 * once for each proxy, and again when that was refused. The caller's fixed credentials are the
 * server's, and no proxy hears them.
 */
export class ProxySignIn {
  readonly #asking: Pick<Asking, 'hasCallback' | 'userPassword'>;
  readonly #known = new Map<string, ProxyCredentials>();

  constructor(asking: Pick<Asking, 'hasCallback' | 'userPassword'>) {
    this.#asking = asking;
  }

  /** @throws OvpnNetworkError `OVPN_PROXY_AUTH`: nobody knows; whatever the callback throws */
  async credentials(proxy: OuterProxy, signal: AbortSignal): Promise<ProxyCredentials> {
    const name = proxyName(proxy);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const given = this.#asking.hasCallback ? await this.#ask(proxy, signal) : undefined;
    if (given === undefined) throw proxyWantsUser(proxy);
    this.#known.set(name, given);
    return given;
  }

  /** The proxy did not take them. */
  refused(proxy: OuterProxy): void {
    this.#known.delete(proxyName(proxy));
  }

  forget(): void {
    this.#known.clear();
  }

  #ask(
    proxy: OuterProxy,
    signal: AbortSignal,
  ): Promise<{ username: string; password: Secret } | undefined> {
    const username = proxy.credentials?.username;
    return this.#asking.userPassword(
      { kind: 'proxy', prompt: proxyName(proxy), username, needed: true, usernameOnly: false },
      { deadlineMs: Number.POSITIVE_INFINITY, signal },
    );
  }
}
