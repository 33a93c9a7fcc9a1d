/**
 * How a name server is asked: over UDP, and TCP where that is not enough; over TLS (RFC 7858); over
 * HTTPS (RFC 8484). Spelled as OpenVPN's `dns server n transport`.
 */
export type NameTransport = 'plain' | 'DoT' | 'DoH';

export const NAME_TRANSPORTS: readonly NameTransport[] = ['plain', 'DoT', 'DoH'];

/** Port of each transport where none is named. */
export const NAME_SERVER_PORTS: Readonly<Record<NameTransport, number>> = {
  plain: 53,
  DoT: 853,
  DoH: 443,
};

/** A name server behind the tunnel. */
export interface NameServer {
  /** As text, IPv4 or IPv6. */
  readonly address: string;
  /** Default: 53 for plain, 853 for DoT, 443 for DoH. */
  readonly port?: number | undefined;
  /** Default: `plain`. */
  readonly transport?: NameTransport | undefined;
  /** The name in the server's certificate, for DoT and DoH. Default: its address. */
  readonly sni?: string | undefined;
  /**
   * Split DNS: the server is asked for these names and all below them only, and before those that
   * are asked for everything. Default: for everything.
   */
  readonly resolveDomains?: readonly string[] | undefined;
  /** It is never asked for these names and all below them. */
  readonly excludeDomains?: readonly string[] | undefined;
}
