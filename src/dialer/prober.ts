import type { Carriage } from '../netstack/carriage.ts';
import type { EchoClient } from '../netstack/echo.ts';
import type { IpAddress } from '../netstack/ip-address.ts';
import type { Netstack } from '../netstack/netstack.ts';
import type { UdpEndpoint } from '../netstack/udp-endpoint.ts';
import type { OpenProbes, ProbeOutcome } from './open-probes.ts';

/** Sends probes to one host, and tells what became of each. */
export interface Prober {
  /** @throws NetstackError for a payload that cannot be sent */
  probe(payloadBytes: number, carriage: Carriage): Promise<ProbeOutcome>;
  close(): void;
}

/** Probes with ICMP echo requests. An answer is matched by identifier and sequence number. */
export class EchoProber implements Prober {
  readonly #probes: OpenProbes;
  readonly #echo: EchoClient;
  #sent = 0;

  /** @throws NetstackError when there is no way to `remote` */
  constructor(netstack: Netstack, remote: IpAddress, probes: OpenProbes) {
    this.#probes = probes;
    this.#echo = netstack.openEcho(remote, {
      reply: ({ sequence, from, receivedAt }) => {
        probes.settle(sequence, { from, reason: 'reply', mtu: 0 }, receivedAt);
      },
      unreachable: ({ sequence, from, kind, mtu }) => {
        probes.settle(sequence, { from, reason: kind, mtu });
      },
    });
  }

  probe(payloadBytes: number, carriage: Carriage): Promise<ProbeOutcome> {
    this.#sent = (this.#sent + 1) & LAST_SEQUENCE;
    const outcome = this.#probes.begin(this.#sent);
    this.#echo.send(this.#sent, payloadBytes, carriage);
    return outcome;
  }

  close(): void {
    this.#echo.close();
  }
}

/** First port that UDP probes go to: nobody listens there, by the custom of `traceroute`. */
export const FIRST_PROBE_PORT = 33_434;

/**
 * Probes with UDP datagrams to ports where nobody listens. An answer is matched by the two ports
 * of the datagram that it quotes.
 */
export class UdpProber implements Prober {
  readonly #remote: IpAddress;
  readonly #probes: OpenProbes;
  readonly #endpoint: UdpEndpoint;
  #port = FIRST_PROBE_PORT - 1;

  /** @throws NetstackError when there is no way to `remote` */
  constructor(netstack: Netstack, remote: IpAddress, probes: OpenProbes) {
    this.#remote = remote;
    this.#probes = probes;
    this.#endpoint = netstack.openUdp(
      { family: remote.family },
      {
        datagram: (_, from, port) => {
          if (from.equals(remote)) probes.settle(port, { from, reason: 'reply', mtu: 0 });
        },
        unreachable: ({ kind, mtu, from, to, port }) => {
          if (to.equals(remote)) probes.settle(port, { from, reason: kind, mtu });
        },
        failed: () => {},
        drained: () => {},
      },
    );
  }

  probe(payloadBytes: number, { hopLimit }: Carriage): Promise<ProbeOutcome> {
    this.#port = this.#port === LAST_PORT ? FIRST_PROBE_PORT : this.#port + 1;
    const outcome = this.#probes.begin(this.#port);
    this.#endpoint.hopLimit = hopLimit;
    this.#endpoint.send(Buffer.alloc(payloadBytes), this.#remote, this.#port);
    return outcome;
  }

  close(): void {
    this.#endpoint.close();
  }
}

const LAST_SEQUENCE = 0xffff;
const LAST_PORT = 0xffff;
