import ipaddr from 'ipaddr.js';
import { OvpnUsageError } from '../core/errors.ts';
import type { Subnet } from '../model/push-options.ts';

/** The networks of an embedded server. */
export interface AddressPoolOptions {
  /** IPv4 network, prefix 8 to 30. Default: `10.8.0.0/24`. */
  readonly subnet?: string;
  /** IPv6 network, prefix 64 to 120. Default: none, IPv4 only. */
  readonly subnet6?: string;
}

/** The addresses of one client. */
export interface PoolAddress {
  readonly ipv4: Subnet;
  readonly ipv6: Subnet | undefined;
}

/**
 * Hands out the addresses of a tunnel network (`topology subnet`): the first one is the server's,
 * the last IPv4 one is the broadcast. An address that came back is given again only after all
 * others, so that packets for its last owner find nobody else.
 */
export class AddressPool {
  /** The server's own. */
  readonly server: PoolAddress;
  readonly #network4: readonly number[];
  readonly #network6: readonly number[] | undefined;
  readonly #prefix4: number;
  readonly #prefix6: number;
  /** Highest host number of a client; the server is 1. */
  readonly #last: number;
  readonly #used = new Set<number>();
  #next = FIRST_CLIENT;

  /** @throws OvpnUsageError when a network is not written as one or has no room for a client */
  constructor({ subnet = '10.8.0.0/24', subnet6 }: AddressPoolOptions = {}) {
    const [network4, prefix4] = networkOf(subnet, 'ipv4', 8, 30);
    const [network6, prefix6] =
      subnet6 === undefined ? [undefined, 0] : networkOf(subnet6, 'ipv6', 64, 120);
    const size4 = 2 ** (32 - prefix4) - 2;
    const size6 = network6 === undefined ? size4 : 2 ** (128 - prefix6) - 1;
    this.#network4 = network4;
    this.#network6 = network6;
    this.#prefix4 = prefix4;
    this.#prefix6 = prefix6;
    this.#last = Math.min(size4, size6);
    this.server = this.#addressOf(SERVER_HOST);
  }

  /** How many clients there is room for. */
  get capacity(): number {
    return this.#last - SERVER_HOST;
  }

  /** A free address; undefined when all are in use. */
  allocate(): PoolAddress | undefined {
    if (this.#used.size >= this.capacity) return undefined;
    while (this.#used.has(this.#next)) this.#advance();
    const host = this.#next;
    this.#used.add(host);
    this.#advance();
    return this.#addressOf(host);
  }

  /** Takes an address back. Does nothing when it is not in use. */
  release({ ipv4 }: PoolAddress): void {
    const bytes = ipaddr.IPv4.parse(ipv4.address).toByteArray();
    this.#used.delete(numberOf(bytes) - numberOf(this.#network4));
  }

  #advance(): void {
    this.#next = this.#next >= this.#last ? FIRST_CLIENT : this.#next + 1;
  }

  #addressOf(host: number): PoolAddress {
    const network6 = this.#network6;
    return Object.freeze({
      ipv4: subnetOf(this.#network4, host, this.#prefix4),
      ipv6: network6 === undefined ? undefined : subnetOf(network6, host, this.#prefix6),
    });
  }
}

const SERVER_HOST = 1;
const FIRST_CLIENT = 2;

function networkOf(
  text: string,
  kind: 'ipv4' | 'ipv6',
  minPrefix: number,
  maxPrefix: number,
): readonly [network: readonly number[], prefixLength: number] {
  if (ipaddr.isValidCIDR(text)) {
    const [address, prefixLength] = ipaddr.parseCIDR(text);
    const isInRange = prefixLength >= minPrefix && prefixLength <= maxPrefix;
    if (address.kind() === kind && isInRange) {
      return [
        address.toByteArray().map((byte, at) => byte & maskByte(prefixLength, at)),
        prefixLength,
      ];
    }
  }
  const message = `expected an ${kind} network with a prefix of ${minPrefix} to ${maxPrefix} bits`;
  throw new OvpnUsageError(message, 'server');
}

function maskByte(prefixLength: number, at: number): number {
  const ones = Math.min(Math.max(prefixLength - at * 8, 0), 8);
  return (0xff00 >> ones) & 0xff;
}

function subnetOf(network: readonly number[], host: number, prefixLength: number): Subnet {
  const bytes = [...network];
  let rest = host;
  for (let at = bytes.length - 1; at >= 0 && rest > 0; at -= 1) {
    rest += bytes[at] ?? 0;
    bytes[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return Object.freeze({ address: ipaddr.fromByteArray(bytes).toString(), prefixLength });
}

function numberOf(bytes: readonly number[]): number {
  return bytes.reduce((number, byte) => number * 256 + byte, 0);
}
