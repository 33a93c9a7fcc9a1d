import type { IpAddress } from './ip-address.ts';
import type { IpHeader } from './ip-header.ts';

/**
 * Sum of the pseudo header without the length, for a packet that came. An IPv4 address is summed
 * in its mapped form: the 0xffff in it is a zero of ones' complement.
 */
export function incomingPseudoSum(header: IpHeader, protocol: number): number {
  return (
    sumOfWords(header.source0, header.source1, header.source2, header.source3) +
    sumOfWords(header.destination0, header.destination1, header.destination2, header.destination3) +
    protocol
  );
}

/** The same for a packet between two addresses. */
export function outgoingPseudoSum(
  source: IpAddress,
  destination: IpAddress,
  protocol: number,
): number {
  return (
    sumOfWords(source.word0, source.word1, source.word2, source.word3) +
    sumOfWords(destination.word0, destination.word1, destination.word2, destination.word3) +
    protocol
  );
}

function sumOfWords(word0: number, word1: number, word2: number, word3: number): number {
  return sumOfHalves(word0) + sumOfHalves(word1) + sumOfHalves(word2) + sumOfHalves(word3);
}

function sumOfHalves(word: number): number {
  return (word >>> 16) + (word & 0xffff);
}
