import { u32 } from '../core/bytes.ts';
import type { IpAddress } from './ip-address.ts';
import { IpProtocol } from './ip-header.ts';
import { IPV6_HEADER_BYTES } from './ipv6.ts';

/**
 * The flow label of a UDP or ICMPv6 packet, the same for all of one flow (RFC 6437 §3): routers
 * spread flows by it, and nobody guesses it without the seed.
 *
 * @param packet with a finished payload behind the room for the IPv6 header
 */
export function flowLabelOf(
  seed: number,
  packet: Buffer,
  protocol: number,
  source: IpAddress,
  destination: IpAddress,
): number {
  let hash = mix(seed, protocol === IpProtocol.UDP ? u32(packet, IPV6_HEADER_BYTES) : protocol);
  hash = mix(hash, source.word3);
  hash = mix(hash, destination.word3);
  hash = mix(hash, destination.word2);
  hash = mix(hash, destination.word1);
  hash = mix(hash, destination.word0);
  return hash & FLOW_LABEL_MASK;
}

function mix(hash: number, word: number): number {
  const scrambled = Math.imul(hash ^ word, FACTOR);
  return scrambled ^ (scrambled >>> 15);
}

const FACTOR = 0x85eb_ca6b;
const FLOW_LABEL_MASK = 0xf_ffff;
