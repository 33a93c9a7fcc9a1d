import type { Secret } from '../core/secret.ts';
import type { NameServer } from './name-server.ts';
import type { ClientNat } from './profile.ts';

/** An address and the length of its prefix. */
export interface Subnet {
  /** As text: `10.8.0.2`, `fd00::2`. */
  readonly address: string;
  /** 0 … 32 or 0 … 128 */
  readonly prefixLength: number;
}

/** Where a network lies; the metric of a route is not kept: the most specific prefix decides. */
export interface Route extends Subnet {
  /** The router inside the tunnel, where one was named. Packets go to the server all the same. */
  readonly gateway: string | undefined;
  /** `outside` for `net_gateway` and `remote_host`: the network is reached around the tunnel. */
  readonly via: 'tunnel' | 'outside';
}

/** `redirect-gateway` or `redirect-private`: what is to go into the tunnel beside the routes. */
export interface Redirect {
  /** Everything over IPv4; false for `redirect-private` and with `!ipv4`. */
  readonly ipv4: boolean;
  /** Everything over IPv6; only with `ipv6`, never for `redirect-private`. */
  readonly ipv6: boolean;
  /** All flags of OpenVPN's, as pushed: those about the host's own routes have no effect. */
  readonly flags: readonly string[];
}

/**
 * Which form of in-band compression framing is used: none, or one of those that we send without
 * ever compressing. `comp-lzo-no` for all of `comp-lzo` and `compress lzo`, `stub` for `compress`,
 * `compress stub` and `compress lz4`, `stub-v2` for `compress stub-v2` and `compress lz4-v2`.
 */
export type CompressionFraming = 'none' | 'comp-lzo-no' | 'stub' | 'stub-v2';

/** What a PUSH_REPLY said, in our terms. Absent options are undefined. */
export interface PushOptions {
  readonly ipv4: (Subnet & { readonly peer: string | undefined }) | undefined;
  readonly ipv6: (Subnet & { readonly peer: string | undefined }) | undefined;
  readonly topology: 'subnet' | 'net30' | 'p2p';
  readonly routeGateway: string | undefined;
  readonly routes: readonly Route[];
  readonly redirect: Redirect | undefined;
  /** Nothing goes into the tunnel over this family. */
  readonly blockIpv4: boolean;
  readonly blockIpv6: boolean;
  /** The profile's own rules, then the pushed ones. */
  readonly clientNat: readonly ClientNat[];
  /** The places of {@link nameServers} for people: an address, with its port where it is unusual. */
  readonly dnsServers: readonly string[];
  readonly nameServers: readonly NameServer[];
  readonly searchDomains: readonly string[];
  /** 576 … 9000 */
  readonly tunMtu: number | undefined;
  readonly peerId: number | undefined;
  /** As pushed, upper case. */
  readonly cipher: string | undefined;
  /** Whether `tls-ekm` was granted (`key-derivation` or `protocol-flags`). */
  readonly tlsEkm: boolean;
  /** Whether `cc-exit` was granted. */
  readonly ccExit: boolean;
  /** Whether `dyn-tls-crypt` was granted: renegotiations have a control wrap of their own. */
  readonly dynTlsCrypt: boolean;
  /** Whether `aead-epoch` was granted: data packets have the epoch format. */
  readonly aeadEpoch: boolean;
  /** Unit: milliseconds; 0 switches off. */
  readonly pingMs: number | undefined;
  readonly pingRestartMs: number | undefined;
  readonly pingExitMs: number | undefined;
  readonly inactiveMs: number | undefined;
  /** What must pass in that time, both ways together; undefined: anything. */
  readonly inactiveBytes: number | undefined;
  readonly sessionTimeoutMs: number | undefined;
  /** Number of OCC exit messages that a UDP client sends when it leaves. */
  readonly explicitExitNotify: number | undefined;
  /** The framing that the server asks for; undefined: as the profile has it. */
  readonly compression: CompressionFraming | undefined;
  readonly authToken: Secret | undefined;
  readonly authTokenUser: string | undefined;
  /** `echo` and `parameter`: texts for the program, printable, `%2C` decoded. */
  readonly echoes: readonly string[];
  /** All options, as pushed and in order, made printable and without tokens: for people. */
  readonly texts: readonly string[];
  /** What was not applied, and why. */
  readonly ignored: readonly { readonly option: string; readonly reason: string }[];
}

/** A push without options: what is absent, and OpenVPN's defaults. */
export const NO_PUSH_OPTIONS: PushOptions = Object.freeze({
  ipv4: undefined,
  ipv6: undefined,
  topology: 'net30',
  routeGateway: undefined,
  routes: [],
  redirect: undefined,
  blockIpv4: false,
  blockIpv6: false,
  clientNat: [],
  dnsServers: [],
  nameServers: [],
  searchDomains: [],
  tunMtu: undefined,
  peerId: undefined,
  cipher: undefined,
  tlsEkm: false,
  ccExit: false,
  dynTlsCrypt: false,
  aeadEpoch: false,
  pingMs: undefined,
  pingRestartMs: undefined,
  pingExitMs: undefined,
  inactiveMs: undefined,
  inactiveBytes: undefined,
  sessionTimeoutMs: undefined,
  explicitExitNotify: undefined,
  compression: undefined,
  authToken: undefined,
  authTokenUser: undefined,
  echoes: [],
  texts: [],
  ignored: [],
});
