import type { IpAddress } from '../netstack/ip-address.ts';

/** Values by prefix, of both families; the longest prefix that holds an address wins. */
export class PrefixTable<T> {
  readonly #ipv4: Level<T>[] = [];
  readonly #ipv6: Level<T>[] = [];

  /** @param prefixLength 0 … 32 or 0 … 128; of equal prefixes the later value counts */
  set(network: IpAddress, prefixLength: number, value: T): void {
    const levels = this.#levelsOf(network);
    let level = levels.find((one) => one.prefixLength === prefixLength);
    if (level === undefined) {
      level = { prefixLength, values: new Map() };
      levels.push(level);
      levels.sort((a, b) => b.prefixLength - a.prefixLength);
    }
    level.values.set(keyOf(network, prefixLength), value);
  }

  /** The value of exactly this prefix. */
  at(network: IpAddress, prefixLength: number): T | undefined {
    const level = this.#levelsOf(network).find((one) => one.prefixLength === prefixLength);
    return level?.values.get(keyOf(network, prefixLength));
  }

  /** The value of the longest prefix that holds `address`; undefined when none does. */
  find(address: IpAddress): T | undefined {
    for (const { prefixLength, values } of this.#levelsOf(address)) {
      const value = values.get(keyOf(address, prefixLength));
      if (value !== undefined) return value;
    }
    return undefined;
  }

  #levelsOf({ family }: IpAddress): Level<T>[] {
    return family === 4 ? this.#ipv4 : this.#ipv6;
  }
}

/** All prefixes of one length. */
interface Level<T> {
  readonly prefixLength: number;
  readonly values: Map<string, T>;
}

/** The bits of the prefix, the others cleared. */
function keyOf({ family, word0, word1, word2, word3 }: IpAddress, prefixLength: number): string {
  if (family === 4) return `${word3 & maskOf(prefixLength)}`;
  const first = `${word0 & maskOf(prefixLength)},${word1 & maskOf(prefixLength - 32)}`;
  return `${first},${word2 & maskOf(prefixLength - 64)},${word3 & maskOf(prefixLength - 96)}`;
}

/** The leading `bits` of a word, of which there may be too many or less than none. */
function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : -1 << (32 - bits);
}
