import type { Cancel, Clock } from '../core/clock.ts';
import { DnsError } from './dns-error.ts';
import { ADDRESS_TYPE, type DnsSearch } from './dns-search.ts';

/** Once one family is known, how long `lookup` still waits for the other. Unit: milliseconds. */
export const OTHER_FAMILY_GRACE_MS = 250;

export interface LookupAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Who hears of the families of a name; never from inside the call that asks. */
export interface FamilyEvents {
  /** What one family has: nothing where it has none, or could not be asked for. */
  family(family: 4 | 6, addresses: readonly LookupAddress[]): void;
  /** After the last family, unless one had addresses. */
  failed(error: Error): void;
}

/** Asks for the addresses of `name`, the families side by side; nothing is told after `Cancel`. */
export function askFamilies(
  search: DnsSearch,
  name: string,
  families: readonly (4 | 6)[],
  events: FamilyEvents,
): Cancel {
  const errors: unknown[] = [];
  let cancelled = false;
  const settle = (family: 4 | 6, addresses: readonly LookupAddress[]) => {
    if (cancelled) return;
    events.family(family, addresses);
    if (errors.length === families.length) events.failed(lookupError(errors, name));
  };
  for (const family of families) {
    const type = ADDRESS_TYPE[family];
    search.find(name, type, 'getaddrinfo').then(
      ({ records }) => {
        const own = records.filter((record) => record.type === type);
        settle(
          family,
          own.map(({ value }) => ({ address: String(value), family })),
        );
      },
      (error) => {
        errors.push(error);
        settle(family, []);
      },
    );
  }
  if (families.length === 0) {
    queueMicrotask(() => {
      if (!cancelled) events.failed(lookupError(errors, name));
    });
  }
  return () => {
    cancelled = true;
  };
}

/** All addresses, family by family in their order; once one is known the other has a while left. */
export function allAddresses(
  search: DnsSearch,
  name: string,
  families: readonly (4 | 6)[],
  clock: Clock,
): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    const found = new Map<4 | 6, readonly LookupAddress[]>();
    let cancelGrace: Cancel | undefined;
    const finish = () => {
      cancelGrace?.();
      cancelAsking();
      resolve(families.flatMap((family) => found.get(family) ?? []));
    };
    const cancelAsking = askFamilies(search, name, families, {
      family: (family, addresses) => {
        found.set(family, addresses);
        const hasSome = [...found.values()].some(({ length }) => length > 0);
        if (!hasSome) return;
        if (found.size === families.length) finish();
        else cancelGrace = clock.setTimer(clock.now() + OTHER_FAMILY_GRACE_MS, finish);
      },
      failed: reject,
    });
  });
}

/** As `dns.lookup`: a name without addresses is not found; trouble with a server says more. */
function lookupError(errors: readonly unknown[], name: string): Error {
  const isNegative = (error: unknown) =>
    error instanceof DnsError && (error.code === 'ENOTFOUND' || error.code === 'ENODATA');
  const trouble = errors.find((error) => error instanceof Error && !isNegative(error));
  if (trouble instanceof Error) return trouble;
  const notFound = errors.find((error) => error instanceof DnsError && error.code === 'ENOTFOUND');
  return notFound instanceof Error ? notFound : new DnsError('ENOTFOUND', 'getaddrinfo', name);
}
