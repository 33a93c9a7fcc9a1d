import { domainToASCII } from 'node:url';
import { IpAddress } from '../netstack/ip-address.ts';
import { LOOPBACK4, LOOPBACK6 } from '../netstack/local-addresses.ts';

/** Longest name, without the dot at its end (RFC 1035 §2.3.4). Unit: bytes. */
export const MAX_NAME_BYTES = 253;
/** Longest label. Unit: bytes. */
export const MAX_LABEL_BYTES = 63;

const PRINTABLE = /^[\x21-\x7e]+$/;

/**
 * `name` as it is asked: ASCII (IDNA applied), lower case, no dot at its end; undefined when it is
 * no name.
 */
export function normalizeName(name: string): string | undefined {
  const ascii = PRINTABLE.test(name) ? name : domainToASCII(name);
  const lower = ascii.toLowerCase();
  const bare = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  if (bare.length === 0 || bare.length > MAX_NAME_BYTES) return undefined;
  const fits = bare.split('.').every(({ length }) => length > 0 && length <= MAX_LABEL_BYTES);
  return fits ? bare : undefined;
}

/**
 * The addresses of a name that is never asked for: an address itself, and `localhost` with all
 * below it (RFC 6761 §6.3). Undefined for every other name.
 */
export function addressesWithoutAsking(name: string): readonly IpAddress[] | undefined {
  const literal = IpAddress.parse(name);
  if (literal !== undefined) return [literal];
  const host = normalizeName(name);
  return host === 'localhost' || host?.endsWith('.localhost') ? [LOOPBACK6, LOOPBACK4] : undefined;
}

/**
 * The names to ask for `name`, in order: with a dot inside as it is, then with each search domain;
 * without one the other way round (ndots 1). A dot at the end asks for that name only.
 */
export function candidateNames(name: string, searchDomains: readonly string[]): readonly string[] {
  const bare = normalizeName(name);
  if (bare === undefined) return [];
  if (name.endsWith('.')) return [bare];
  const searched = searchDomains
    .map((domain) => normalizeName(`${bare}.${domain}`))
    .filter((candidate) => candidate !== undefined);
  const all = bare.includes('.') ? [bare, ...searched] : [...searched, bare];
  return [...new Set(all)];
}

/** The name under which PTR records of `address` are kept (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(address: IpAddress): string {
  if (address.family === 4) return `${[...address.bytes].reverse().join('.')}.in-addr.arpa`;
  return `${[...address.bytes.toString('hex')].reverse().join('.')}.ip6.arpa`;
}

/** `name` with the case of its letters drawn at random: more for a forger to guess (0x20). */
export function mixCase(name: string, random: { uint32(): number }): string {
  let bits = 0;
  let left = 0;
  let mixed = '';
  for (const letter of name) {
    if (left === 0) {
      bits = random.uint32();
      left = 32;
    }
    mixed += (bits & 1) === 1 ? letter.toUpperCase() : letter;
    bits >>>= 1;
    left -= 1;
  }
  return mixed;
}
