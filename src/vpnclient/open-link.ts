import type { Clock } from '../core/clock.ts';
import {
  OvpnError,
  type OvpnErrorCode,
  OvpnNetworkError,
  OvpnTimeoutError,
  OvpnUsageError,
} from '../core/errors.ts';
import { printable } from '../core/log.ts';
import type { Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import type { OuterProxy, Profile, Remote } from '../model/profile.ts';
import type { Link } from '../networkio/link.ts';
import { resolveLocalEnd } from '../networkio/local-end.ts';
import { type AskProxyCredentials, proxyName } from '../networkio/outer-proxy.ts';
import { httpIsTcpOnly, linkByProxy, type ProxyRoute } from '../networkio/proxy-link.ts';
import {
  type LookupAll,
  type ResolvedRemote,
  resolveRemote,
  withRandomLabel,
} from '../networkio/remote.ts';
import { connectTcp } from '../networkio/tcp-link.ts';
import { linkOverTransport, type Transport } from '../networkio/transport.ts';
import { connectUdp } from '../networkio/udp-link.ts';
import { openInTime } from './open-deadline.ts';
import type { OpenTransport } from './options.ts';
import type { ProxySignIn } from './proxy-sign-in.ts';

/** What a profile, or a `<connection>` block for its remote alone, says of the way to a server. */
export type LinkSettings = Pick<
  Profile,
  'proxy' | 'local' | 'remoteRandomHostname' | 'resolvRetryMs' | 'serverPollTimeoutMs'
>;

export interface LinkCandidatesOptions {
  /** Those that hold for this remote. */
  readonly settings: LinkSettings;
  /** The caller's own way, in place of any other. */
  readonly transport?: OpenTransport | undefined;
  /** Gives up the look-up. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Knows what a proxy wants and the profile does not have. Default: nobody does. */
  readonly proxies?: ProxySignIn | undefined;
  /** Default: the operating system's. */
  readonly lookup?: LookupAll | undefined;
}

/** One way to a server. It may be tried any number of times. */
export interface LinkCandidate {
  /** For people: `udp 192.0.2.1 port 1194`. */
  readonly name: string;
  /**
   * Goes all the way, by the proxy if there is one, in at most `serverPollTimeoutMs`. A link that
   * comes after `signal` was aborted is closed.
   *
   * @throws OvpnNetworkError `OVPN_UNREACHABLE`, `OVPN_PROXY_FAILED`, `OVPN_PROXY_AUTH`,
   * `OVPN_NAME_NOT_FOUND` (of the proxy, or of `local`)
   * @throws OvpnTimeoutError `OVPN_UNREACHABLE`, or `OVPN_PROXY_FAILED` with a proxy
   * @throws OvpnError `OVPN_ABORTED`
   */
  open(signal: AbortSignal): Promise<Link>;
}

/**
 * The ways to `remote`, best first, at least one: each address of its name. To a proxy's TCP a name
 * is given as it is, so that it is looked up where the proxy stands, as OpenVPN does. Datagrams by
 * SOCKS5 go to addresses that are looked up here: a reply names the address it comes from, and only
 * one that is known can be held to it.
 *
 * @throws OvpnNetworkError `OVPN_NAME_NOT_FOUND`; `OVPN_PROXY_FAILED`: an HTTP proxy for UDP
 * @throws OvpnError `OVPN_ABORTED`
 */
export async function linkCandidates(
  remote: Remote,
  options: LinkCandidatesOptions,
): Promise<readonly LinkCandidate[]> {
  const { transport, settings, random, clock, signal, lookup } = options;
  const { proxy, serverPollTimeoutMs } = settings;
  if (transport !== undefined) {
    return [{ name: nameOf(remote), open: (stop) => openTransport(remote, transport, stop) }];
  }
  if (proxy?.kind === 'http' && remote.protocol === 'udp') throw httpIsTcpOnly(proxy);
  const host = settings.remoteRandomHostname ? withRandomLabel(remote.host, random) : remote.host;
  if (proxy !== undefined && remote.protocol === 'tcp') {
    return [proxyCandidate(proxy, { ...remote, host }, options)];
  }
  const addresses = await resolveRemote(
    { ...remote, host, family: proxy === undefined ? remote.family : 0 },
    { lookup, signal, clock, retryMs: Math.min(settings.resolvRetryMs, serverPollTimeoutMs) },
  );
  return addresses.map((found) =>
    proxy === undefined
      ? socketCandidate({ ...found, host: remote.host }, options)
      : proxyCandidate(proxy, { ...remote, host: found.address }, options),
  );
}

function socketCandidate(
  remote: ResolvedRemote,
  { settings, clock, lookup }: LinkCandidatesOptions,
): LinkCandidate {
  const { local, serverPollTimeoutMs: timeoutMs } = settings;
  const { family, address: host } = remote;
  const name = nameOf({ ...remote, host });
  const connect = remote.protocol === 'udp' ? connectUdp : connectTcp;
  const timedOut = () => tooSlow('OVPN_UNREACHABLE', `${name}: no way there`, timeoutMs);
  return {
    name,
    open: (stop) =>
      openInTime({ clock, timeoutMs, signal: stop, timedOut }, async ({ signal }) => {
        const end = await resolveLocalEnd(local, family, { signal, lookup });
        return connect(remote, { signal, local: end });
      }),
  };
}

function proxyCandidate(
  proxy: OuterProxy,
  route: ProxyRoute,
  { settings, clock, lookup, random, proxies }: LinkCandidatesOptions,
): LinkCandidate {
  const { local, serverPollTimeoutMs: timeoutMs } = settings;
  const by = proxyName(proxy);
  const timedOut = () => tooSlow('OVPN_PROXY_FAILED', `${by} led nowhere`, timeoutMs);
  return {
    name: `${nameOf(route)} by ${by}`,
    open: (stop) =>
      openInTime({ clock, timeoutMs, signal: stop, timedOut }, async (deadline) => {
        const { signal } = deadline;
        const ask: AskProxyCredentials | undefined =
          proxies && (() => deadline.hold((until) => proxies.credentials(proxy, until)));
        try {
          return await linkByProxy(proxy, route, { local, ask, random, signal, lookup });
        } catch (error) {
          if (error instanceof OvpnError && error.code === 'OVPN_PROXY_AUTH')
            proxies?.refused(proxy);
          throw error;
        }
      }),
  };
}

function nameOf({ protocol, host, port }: Pick<Remote, 'protocol' | 'host' | 'port'>): string {
  return `${protocol} ${printable(host)} port ${port}`;
}

function tooSlow(code: OvpnErrorCode, what: string, timeoutMs: Millis): OvpnTimeoutError {
  return new OvpnTimeoutError(code, `${what} within ${timeoutMs / 1000} s`, {
    layer: 'vpnclient',
    phase: 'connecting',
    timeoutMs,
  });
}

/**
 * A link over the caller's own way to `remote`. One that comes after `signal` was aborted is closed.
 *
 * @throws OvpnNetworkError with what `transport` threw as its cause; the signal's reason
 */
export async function openTransport(
  remote: Remote,
  transport: OpenTransport,
  signal: AbortSignal,
): Promise<Link> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    asked(remote, transport, signal)
      .then((link) => {
        resolve(link);
        if (signal.aborted) void link.close();
      }, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}

async function asked(remote: Remote, transport: OpenTransport, signal: AbortSignal): Promise<Link> {
  const { host, port } = remote;
  let pipe: Transport;
  try {
    pipe = await transport(remote, { signal });
  } catch (cause) {
    throw new OvpnNetworkError('OVPN_UNREACHABLE', `${host} port ${port}: the transport failed`, {
      layer: 'vpnclient',
      retryable: true,
      cause,
    });
  }
  if (typeof pipe !== 'object' || pipe === null || typeof pipe.on !== 'function') {
    throw new OvpnUsageError(
      'expected `transport` to give a datagram pipe or a Duplex',
      'vpnclient',
    );
  }
  const addresses = { localAddress: '', localPort: 0, remoteAddress: host, remotePort: port };
  return linkOverTransport(pipe, addresses);
}
