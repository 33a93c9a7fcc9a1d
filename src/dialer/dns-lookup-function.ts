import { OvpnUsageError } from '../core/errors.ts';
import type { LookupAddress } from './dns-lookup.ts';
import type { DnsResolver, LookupOptions } from './dns-resolver.ts';

/** Options of `dns.lookup`. */
export interface TunLookupOptions extends Omit<LookupOptions, 'family'> {
  /** Which addresses to ask for; 0 is both. Default: 0. */
  readonly family?: 0 | 4 | 6 | 'IPv4' | 'IPv6' | undefined;
  /** Whether all addresses are given, or the first one. Default: false. */
  readonly all?: boolean | undefined;
  /** Default: `verbatim`, which is the likeliest to work first (RFC 6724). */
  readonly order?: 'verbatim' | 'ipv4first' | 'ipv6first' | undefined;
  /** The older word for `order`: false is `ipv4first`. */
  readonly verbatim?: boolean | undefined;
  /** Taken and not used: families that the tunnel does not have are never asked for. */
  readonly hints?: number | undefined;
}

/** How `dns.lookup` calls back. */
export type LookupCallback = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/**
 * As `dns.promises.lookup`; with a callback as `dns.lookup`, so that it serves as the `lookup`
 * option of `net.connect`, `http.request` and `dgram.createSocket`.
 */
export interface TunLookup {
  (name: string, options: TunLookupOptions & { all: true }): Promise<LookupAddress[]>;
  (name: string, options?: TunLookupOptions & { all?: false | undefined }): Promise<LookupAddress>;
  (name: string, options?: TunLookupOptions | undefined): Promise<LookupAddress | LookupAddress[]>;
  (name: string, options: TunLookupOptions | 0 | 4 | 6, callback: LookupCallback): void;
  (name: string, callback: LookupCallback): void;
}

/** `lookup` by `resolver`; needs no `this`. */
export function makeLookup(resolver: DnsResolver): TunLookup {
  const lookup = (name: string, ...rest: unknown[]): unknown => {
    const callback = rest.find((argument) => typeof argument === 'function');
    const options = lookupOptions(rest[0]);
    const found = lookUp(resolver, name, options);
    if (callback === undefined) return found;
    callBack(found, callback as LookupCallback);
    return undefined;
  };
  return lookup as TunLookup;
}

async function lookUp(
  resolver: DnsResolver,
  name: string,
  { all = false, family = 0, verbatim, order, signal }: TunLookupOptions,
): Promise<LookupAddress | LookupAddress[]> {
  const wanted = typeof family === 'string' ? FAMILIES[family] : family;
  const found = await resolver.lookup(name, { family: wanted, signal });
  const sorted = inOrder(found, order ?? (verbatim === false ? 'ipv4first' : 'verbatim'));
  const [first] = sorted;
  if (first === undefined) throw new Error(`expected an address of ${name}`);
  return all ? sorted : first;
}

/** Outside of the promise: what the callback throws is its owner's. */
function callBack(found: Promise<LookupAddress | LookupAddress[]>, callback: LookupCallback): void {
  found.then(
    (addresses) => {
      if (Array.isArray(addresses)) process.nextTick(callback, null, addresses);
      else process.nextTick(callback, null, addresses.address, addresses.family);
    },
    (error) => process.nextTick(callback, error),
  );
}

function inOrder(
  found: readonly LookupAddress[],
  order: 'verbatim' | 'ipv4first' | 'ipv6first',
): LookupAddress[] {
  if (order === 'verbatim') return [...found];
  const first = order === 'ipv4first' ? 4 : 6;
  return [
    ...found.filter(({ family }) => family === first),
    ...found.filter(({ family }) => family !== first),
  ];
}

/** `dns.lookup` takes a family in the place of its options. @throws OvpnUsageError */
function lookupOptions(given: unknown): TunLookupOptions {
  const options = typeof given === 'number' ? { family: given } : given;
  if (typeof options !== 'object' || options === null) return {};
  const { family = 0 } = options as { family?: unknown };
  if ([0, 4, 6, 'IPv4', 'IPv6'].includes(family as number)) return options as TunLookupOptions;
  throw new OvpnUsageError(`expected a family 0, 4 or 6, got ${String(family)}`, 'dialer');
}

const FAMILIES = { IPv4: 4, IPv6: 6 } as const;
