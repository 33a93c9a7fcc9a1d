import { OvpnUsageError } from '../core/errors.ts';
import type { Millis } from '../core/machine.ts';
import type { IpAddress } from '../netstack/ip-address.ts';
import type { UnreachableKind } from '../netstack/unreachable.ts';
import type { ProbeOutcome } from './open-probes.ts';
import { type ProbeMethod, Probing } from './probing.ts';
import type { TunnelScope } from './tunnel-scope.ts';

/** All times in milliseconds. */
export interface TracerouteOptions {
  /** Largest hop limit that is tried: 1 … 255. Default: 30. */
  readonly maxHops?: number | undefined;
  /** Probes of each hop, sent together: 1 … 10. Default: 3. */
  readonly probes?: number | undefined;
  /** How long each may take. Default: 1,000. */
  readonly timeoutMs?: Millis | undefined;
  /** Default: `icmp`. */
  readonly method?: ProbeMethod | undefined;
  /** Which addresses of a name to take. Default: any. */
  readonly family?: 0 | 4 | 6 | undefined;
  /** Ends the iteration with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What became of one probe. */
export interface TracerouteProbe {
  /** Who answered; undefined when nobody did. */
  readonly address: string | undefined;
  /** Round-trip time; undefined without an answer. Unit: milliseconds. */
  readonly ms: Millis | undefined;
  /** `reply`: the host itself; `time-exceeded`: a router on the way; else why it goes no further. */
  readonly reason: 'reply' | 'timed-out' | UnreachableKind;
}

/** All probes of one hop limit. */
export interface TracerouteHop {
  /** 1, 2, 3 … */
  readonly ttl: number;
  readonly probes: readonly TracerouteProbe[];
  /** Whether the host itself answered: this is the last hop. */
  readonly reached: boolean;
}

/**
 * Finds the routers between the tunnel and `host`: probes with rising hop limits, one hop after
 * the other. Ends at the host, where a router says that it goes no further, or at `maxHops`.
 *
 * @throws OvpnUsageError for an option out of range; DnsError; SocketError `ENETUNREACH`,
 *   `ENETDOWN`; OvpnError `OVPN_ABORTED`
 */
export async function* tracerouteHops(
  scope: TunnelScope,
  host: string,
  options: TracerouteOptions = {},
): AsyncGenerator<TracerouteHop, void> {
  const { method = 'icmp', family = 0, timeoutMs = 1000, signal } = options;
  const maxHops = inRange('maxHops', options.maxHops ?? 30, MAX_HOP_LIMIT);
  const count = inRange('probes', options.probes ?? 3, MAX_PROBES);
  const target = { syscall: 'traceroute', host, method, family, timeoutMs, signal };
  const probing = await Probing.of(scope, target);
  try {
    for (let ttl = 1; ttl <= maxHops; ttl += 1) {
      const carriage = { hopLimit: ttl, fragments: 'allowed' } as const;
      const sent = Array.from({ length: count }, () =>
        probing.prober.probe(PAYLOAD_BYTES, carriage),
      );
      const outcomes = await Promise.all(sent);
      const reached = outcomes.some((outcome) => isFromHost(outcome, probing.remote));
      yield { ttl, probes: outcomes.map((outcome) => shown(outcome, probing.remote)), reached };
      if (reached || outcomes.some(({ reason }) => !GOES_ON.has(reason))) return;
    }
  } finally {
    probing.close();
  }
}

/** A closed port is as good an answer of the host as a reply. */
function isFromHost({ from, reason }: ProbeOutcome, host: IpAddress): boolean {
  if (!(from?.equals(host) ?? false)) return false;
  return reason === 'reply' || reason === 'port-unreachable' || reason === 'protocol-unreachable';
}

function shown(outcome: ProbeOutcome, host: IpAddress): TracerouteProbe {
  const { from, ms, reason } = outcome;
  return {
    address: from?.toString(),
    ms,
    reason: isFromHost(outcome, host) ? 'reply' : reason,
  };
}

function inRange(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value > 0 && value <= most) return value;
  throw new OvpnUsageError(`expected ${name} from 1 to ${most}, got ${value}`, 'dialer');
}

/** After these the next hop is worth a try. */
const GOES_ON: ReadonlySet<string> = new Set(['time-exceeded', 'timed-out']);

const MAX_HOP_LIMIT = 255;
const MAX_PROBES = 10;
/** As `traceroute` sends them: packets of 60 bytes over IPv4. */
const PAYLOAD_BYTES = 32;
