import type { FlowTuple } from './flow-tuple.ts';
import { IpAddress } from './ip-address.ts';
import type { IpHeader } from './ip-header.ts';

/**
 * A tuple as integers: what is compared and hashed per packet, without a string. One key is
 * filled again for every packet; those in a table do not change.
 */
export class FlowKey {
  local0 = 0;
  local1 = 0;
  local2 = 0;
  local3 = 0;
  remote0 = 0;
  remote1 = 0;
  remote2 = 0;
  remote3 = 0;
  localPort = 0;
  remotePort = 0;

  /** Becomes the key of `tuple`. */
  readTuple({ localAddress, localPort, remoteAddress, remotePort }: FlowTuple): this {
    this.local0 = localAddress.word0;
    this.local1 = localAddress.word1;
    this.local2 = localAddress.word2;
    this.local3 = localAddress.word3;
    this.remote0 = remoteAddress.word0;
    this.remote1 = remoteAddress.word1;
    this.remote2 = remoteAddress.word2;
    this.remote3 = remoteAddress.word3;
    this.localPort = localPort;
    this.remotePort = remotePort;
    return this;
  }

  /** The same with addresses that may be kept. */
  tuple(): FlowTuple {
    const { local0, local1, local2, local3, remote0, remote1, remote2, remote3 } = this;
    return {
      localAddress: IpAddress.fromWords(local0, local1, local2, local3),
      localPort: this.localPort,
      remoteAddress: IpAddress.fromWords(remote0, remote1, remote2, remote3),
      remotePort: this.remotePort,
    };
  }

  /** Becomes the key of the flow that a packet belongs to which came to us. */
  readIncoming(header: IpHeader, sourcePort: number, destinationPort: number): void {
    this.local0 = header.destination0;
    this.local1 = header.destination1;
    this.local2 = header.destination2;
    this.local3 = header.destination3;
    this.remote0 = header.source0;
    this.remote1 = header.source1;
    this.remote2 = header.source2;
    this.remote3 = header.source3;
    this.localPort = destinationPort;
    this.remotePort = sourcePort;
  }

  /** Becomes the key of the flow that a packet belongs to which we sent. */
  readOutgoing(header: IpHeader, sourcePort: number, destinationPort: number): void {
    this.local0 = header.source0;
    this.local1 = header.source1;
    this.local2 = header.source2;
    this.local3 = header.source3;
    this.remote0 = header.destination0;
    this.remote1 = header.destination1;
    this.remote2 = header.destination2;
    this.remote3 = header.destination3;
    this.localPort = sourcePort;
    this.remotePort = destinationPort;
  }

  equals(other: FlowKey): boolean {
    return (
      this.remotePort === other.remotePort &&
      this.localPort === other.localPort &&
      this.remote3 === other.remote3 &&
      this.local3 === other.local3 &&
      this.remote2 === other.remote2 &&
      this.remote1 === other.remote1 &&
      this.remote0 === other.remote0 &&
      this.local2 === other.local2 &&
      this.local1 === other.local1 &&
      this.local0 === other.local0
    );
  }

  /** 32 bits (signed), different for every `seed`, so that a peer cannot aim at one bucket. */
  hash(seed: number): number {
    let hash = mix(seed, (this.localPort << 16) | this.remotePort);
    hash = mix(hash, this.remote3);
    hash = mix(hash, this.remote2);
    hash = mix(hash, this.remote1);
    hash = mix(hash, this.remote0);
    hash = mix(hash, this.local3);
    hash = mix(hash, this.local0);
    hash = Math.imul(hash ^ (hash >>> 16), FINAL_FACTOR);
    return hash ^ (hash >>> 13);
  }
}

/** One step of MurmurHash3. */
function mix(hash: number, word: number): number {
  const scrambled = Math.imul(word, WORD_FACTOR);
  const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), WORD_FACTOR_2);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + STEP) | 0;
}

const WORD_FACTOR = 0xcc9e_2d51;
const WORD_FACTOR_2 = 0x1b87_3593;
const STEP = 0xe654_6b64;
const FINAL_FACTOR = 0x85eb_ca6b;
