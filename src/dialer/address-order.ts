import type { IpAddress } from '../netstack/ip-address.ts';

/** Our address towards another one; undefined where there is no way. */
export type SourceFor = (remote: IpAddress) => IpAddress | undefined;

/**
 * `addresses` with the likeliest to work first: those that have a way, reach as far as our own
 * address does, and are of its kind; then by precedence, nearer ones first, else in their order
 * (RFC 6724 §6, rules 1, 2, 5, 6, 8 and 10). Rule 9 is left out: it would undo the shuffling that
 * name servers spread load with. A local IPv6 network that we are in ourselves comes before all
 * else, as the successor of the RFC has it.
 */
export function sortAddresses(
  addresses: readonly IpAddress[],
  sourceFor: SourceFor,
): readonly IpAddress[] {
  const ranked = addresses.map((address) => ({ address, rank: rankOf(address, sourceFor) }));
  ranked.sort((a, b) => compareRanks(a.rank, b.rank));
  return ranked.map(({ address }) => address);
}

/**
 * `sorted` with the families in turn, beginning with that of the first, or with the other one than
 * `last` (RFC 8305 §4).
 */
export function interleaveFamilies(
  sorted: readonly IpAddress[],
  last: 4 | 6 | undefined,
): readonly IpAddress[] {
  const other = sorted.find(({ family }) => last !== undefined && family !== last);
  const leading = (other ?? sorted[0])?.family;
  const first = sorted.filter(({ family }) => family === leading);
  const second = sorted.filter(({ family }) => family !== leading);
  const mixed: IpAddress[] = [];
  for (let index = 0; mixed.length < sorted.length; index += 1) {
    mixed.push(...first.slice(index, index + 1), ...second.slice(index, index + 1));
  }
  return mixed;
}

/** Smaller numbers come first, the first that differ decide. */
function rankOf(address: IpAddress, sourceFor: SourceFor): readonly number[] {
  const source = sourceFor(address);
  const scope = scopeOf(address);
  const { label, precedence } = policyOf(address);
  if (source === undefined) return [1, 0, 0, 0, scope];
  const isNear = isLocal6(address) && isLocal6(source) && isSame48(address, source);
  return [
    0,
    scope === scopeOf(source) ? 0 : 1,
    label === policyOf(source).label ? 0 : 1,
    -(isNear ? NEAR_PRECEDENCE : precedence),
    scope,
  ];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((rank, at) => rank !== b[at]);
  return (a[index] ?? 0) - (b[index] ?? 0);
}

const LINK_LOCAL = 2;
const SITE_LOCAL = 5;
const GLOBAL = 14;

/** RFC 6724 §3.1 and §3.2. */
function scopeOf(address: IpAddress): number {
  if (address.family === 4) {
    return address.isLoopback || address.word3 >>> 16 === 0xa9fe ? LINK_LOCAL : GLOBAL;
  }
  if (address.isLoopback || address.word0 >>> 22 === 0x3fa) return LINK_LOCAL;
  return address.word0 >>> 22 === 0x3fb ? SITE_LOCAL : GLOBAL;
}

/** The table of RFC 6724 §2.1; the first prefix that fits. */
function policyOf(address: IpAddress): { readonly label: number; readonly precedence: number } {
  const { word0 } = address;
  if (address.family === 4) return { label: 4, precedence: 35 };
  if (address.isLoopback) return { label: 0, precedence: 50 };
  if (word0 >>> 16 === 0x2002) return { label: 2, precedence: 30 };
  if (word0 === 0x2001_0000) return { label: 5, precedence: 5 };
  if (isLocal6(address)) return { label: 13, precedence: 3 };
  if (word0 >>> 22 === 0x3fb) return { label: 11, precedence: 1 };
  if (word0 >>> 16 === 0x3ffe) return { label: 12, precedence: 1 };
  return { label: 1, precedence: 40 };
}

/** Above every other prefix but the loopback's. */
const NEAR_PRECEDENCE = 45;

/** fc00::/7 */
function isLocal6({ word0 }: IpAddress): boolean {
  return word0 >>> 25 === 0x7e;
}

function isSame48(a: IpAddress, b: IpAddress): boolean {
  return a.word0 === b.word0 && a.word1 >>> 16 === b.word1 >>> 16;
}
