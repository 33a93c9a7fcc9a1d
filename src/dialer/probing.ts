import type { Millis } from '../core/machine.ts';
import { IpAddress } from '../netstack/ip-address.ts';
import { NetstackError } from '../netstack/netstack-error.ts';
import { abortError } from './abortable.ts';
import { OpenProbes } from './open-probes.ts';
import { EchoProber, type Prober, UdpProber } from './prober.ts';
import { SocketError } from './socket-error.ts';
import type { TunnelScope } from './tunnel-scope.ts';

/** What probes are sent with. `icmp`: echo requests; `udp`: datagrams to ports of nobody. */
export type ProbeMethod = 'icmp' | 'udp';

/** Whom to probe, and how. */
export interface ProbingTarget {
  /** `traceroute` or `path-mtu`: named in errors. */
  readonly syscall: string;
  readonly host: string;
  readonly method: ProbeMethod;
  readonly family: 0 | 4 | 6;
  /** How long each probe may take. */
  readonly timeoutMs: Millis;
  readonly signal: AbortSignal | undefined;
}

/** Probes of one host; ends with the tunnel, and by the signal. */
export class Probing {
  readonly remote: IpAddress;
  readonly prober: Prober;
  readonly #scope: TunnelScope;
  readonly #target: ProbingTarget;
  readonly #probes: OpenProbes;

  private constructor(scope: TunnelScope, remote: IpAddress, target: ProbingTarget) {
    const { method, timeoutMs, signal } = target;
    this.remote = remote;
    this.#scope = scope;
    this.#target = target;
    this.#probes = new OpenProbes(scope.clock, timeoutMs);
    const Method = method === 'icmp' ? EchoProber : UdpProber;
    this.prober = new Method(scope.netstack, remote, this.#probes);
    scope.hold(this.#onTunnelEnd);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /**
   * Resolves the host inside the tunnel and opens what probes are sent from.
   *
   * @throws DnsError; SocketError `ENETUNREACH`, `ENETDOWN`; OvpnError `OVPN_ABORTED`
   */
  static async of(scope: TunnelScope, target: ProbingTarget): Promise<Probing> {
    const { host, family, syscall, signal } = target;
    const [found] = await scope.resolver.lookup(host, { family, signal });
    if (signal?.aborted) throw abortError(`${syscall} to ${host}`, signal);
    const remote = IpAddress.parse(found?.address ?? '');
    const address = found?.address ?? host;
    if (scope.ended) throw new SocketError('ENETDOWN', syscall, { address, cause: scope.cause });
    if (remote === undefined || (family !== 0 && remote.family !== family)) {
      throw new SocketError('EADDRNOTAVAIL', syscall, { address });
    }
    try {
      return new Probing(scope, remote, target);
    } catch (error) {
      if (!(error instanceof NetstackError)) throw error;
      throw new SocketError(error.code, syscall, { address, cause: error });
    }
  }

  /** Nothing is probed after this. May be called twice. */
  close(): void {
    this.#scope.release(this.#onTunnelEnd);
    this.#target.signal?.removeEventListener('abort', this.#onAbort);
    this.prober.close();
  }

  readonly #onTunnelEnd = (cause: Error | undefined): void => {
    const address = this.remote.toString();
    this.#probes.close(cause ?? new SocketError('ENETDOWN', this.#target.syscall, { address }));
  };

  readonly #onAbort = (): void => {
    const { syscall, host, signal } = this.#target;
    this.#probes.close(abortError(`${syscall} to ${host}`, signal));
  };
}
