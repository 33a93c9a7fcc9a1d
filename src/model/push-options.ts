import type { Secret } from '../core/secret.ts';
import type { NameServer } from './name-server.ts';

/** An address and the length of its prefix. */
export interface Subnet {
  /** As text: `10.8.0.2`, `fd00::2`. */
  readonly address: string;
  /** 0 … 32 or 0 … 128 */
  readonly prefixLength: number;
}

/** A network that lies behind the tunnel. */
export interface Route extends Subnet {
  readonly gateway: string | undefined;
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
  readonly sessionTimeoutMs: number | undefined;
  /** Number of OCC exit messages that a UDP client sends when it leaves. */
  readonly explicitExitNotify: number | undefined;
  /** The framing that the server asks for; undefined: as the profile has it. */
  readonly compression: CompressionFraming | undefined;
  readonly authToken: Secret | undefined;
  readonly authTokenUser: string | undefined;
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
  sessionTimeoutMs: undefined,
  explicitExitNotify: undefined,
  compression: undefined,
  authToken: undefined,
  authTokenUser: undefined,
  texts: [],
  ignored: [],
});
