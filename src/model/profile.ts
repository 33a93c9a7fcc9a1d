import type { Secret } from '../core/secret.ts';
import type { ControlWrapOptions } from './control-wrap-options.ts';
import type { CompressionFraming } from './push-options.ts';

/** One way to reach the server. */
export interface Remote {
  readonly host: string;
  /** 1 … 65535 */
  readonly port: number;
  readonly protocol: 'udp' | 'tcp';
  /** 4 or 6 where the profile asks for one family (`udp4`, `tcp6`), else 0. */
  readonly family: 0 | 4 | 6;
  /** What its `<connection>` block says otherwise than the profile. */
  readonly settings?: Partial<ConnectionSettings>;
}

/** A user name and a password of a profile; undefined where it leaves them to whoever is asked. */
export interface StoredCredentials {
  readonly username: string | undefined;
  readonly password: Secret | undefined;
}

/** `http-proxy` or `socks-proxy`: what stands between us and the server. */
export interface OuterProxy {
  readonly kind: 'http' | 'socks5';
  readonly host: string;
  readonly port: number;
  /** undefined: without a user. */
  readonly credentials: StoredCredentials | undefined;
  /**
   * HTTP: `none` sends no credentials, `basic` at once, `digest` after a challenge, `auto` (and
   * `auto-nct`, which never answers with Basic) what the proxy asks for. SOCKS5: `none` or `basic`.
   */
  readonly auth: 'none' | 'basic' | 'digest' | 'auto' | 'auto-nct';
  /** HTTP only: lines of `http-proxy-option`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** The outer socket's own end: `local`, `lport`, `bind`. */
export interface LocalEnd {
  readonly address: string | undefined;
  /** 0: any. */
  readonly port: number;
}

/** The part of a profile that a `<connection>` block may say for its remote alone. */
export type ConnectionSettings = Pick<
  Profile,
  | 'wrap'
  | 'proxy'
  | 'local'
  | 'float'
  | 'tunMtu'
  | 'mssfix'
  | 'fragment'
  | 'explicitExitNotify'
  | 'serverPollTimeoutMs'
  | 'connectRetry'
>;

/** `scramble`: `xormask` with a key, `xorptrpos`, `reverse`, or `obfuscate` (all of them) with a key. */
export interface Scramble {
  readonly mode: 'xormask' | 'xorptrpos' | 'reverse' | 'obfuscate';
  readonly key: Secret<Buffer> | undefined;
}

/** `static-challenge`: one more question beside the password. */
export interface StaticChallenge {
  readonly text: string;
  /** Whether the answer may be shown while it is typed. */
  readonly echo: boolean;
  /** How it joins the password. */
  readonly format: 'scrv1' | 'concat';
}

export interface PullFilter {
  readonly action: 'accept' | 'ignore' | 'reject';
  /** Begins the options that are meant, words separated by one blank. */
  readonly text: string;
}

/** `client-nat`: `network` and `alias` have the same size. */
export interface ClientNat {
  readonly kind: 'snat' | 'dnat';
  readonly network: string;
  readonly prefixLength: number;
  readonly alias: string;
}

/** What `verify-x509-name` asks for. */
export interface X509NameCheck {
  readonly type: 'subject' | 'name' | 'name-prefix';
  readonly value: string;
  /** `x509-username-field`: the OID of what `name` and `name-prefix` look at. Default: commonName. */
  readonly field?: string;
}

/** A directive that has no effect, and why. */
export interface IgnoredDirective {
  readonly directive: string;
  readonly line: number;
  readonly reason: string;
  /** `warn` is told once to the user; `quiet` only by `tundial check`. */
  readonly level: 'quiet' | 'warn';
}

/**
 * What an `.ovpn` profile says, with OpenVPN's defaults filled in. Made by `readProfile`, frozen.
 * PEM texts may hold several certificates.
 */
export interface Profile {
  readonly remotes: readonly Remote[];
  readonly remoteRandom: boolean;
  /** `remote-random-hostname`: names get a random first label, against caches of resolvers. */
  readonly remoteRandomHostname: boolean;
  /** How long a name may fail to resolve. Unit: milliseconds; `Infinity` for ever (the default). */
  readonly resolvRetryMs: number;
  /** Pause after a round over all remotes; after five rounds each doubles it, up to `maxMs`. Default: 1,000, 300,000. */
  readonly connectRetry: { readonly firstMs: number; readonly maxMs: number };
  /** Rounds over all remotes before a client that is told to go on gives up. Default: `Infinity`. */
  readonly connectRetryMax: number;
  readonly proxy: OuterProxy | undefined;
  readonly local: LocalEnd | undefined;
  /** The profile allows the server's address to change. Only read: a link keeps the one it was opened to. */
  readonly float: boolean;
  /** `persist-tun`: sockets inside the tunnel outlive a reconnect that keeps the addresses. */
  readonly persistTun: boolean;
  /** PEM; undefined only beside `peerFingerprints` or a `pkcs12` that is still locked. */
  readonly ca: string | undefined;
  /** The certificate, then what links it to its authority; beside a locked `pkcs12` only the latter. */
  readonly cert: string | undefined;
  /** PEM, PKCS#1, SEC 1 or PKCS#8; encrypted until `unlockKey` has opened it. */
  readonly key: Secret | undefined;
  /** Whether `key` or `pkcs12` cannot be opened without a passphrase that the profile does not name. */
  readonly needsKeyPassphrase: boolean;
  /** The text of `askpass FILE`. */
  readonly keyPassphrase: Secret | undefined;
  /** DER of a PKCS#12 file that needs a passphrase; opened ones have become `cert`, `key` and `ca`. */
  readonly pkcs12: Secret<Buffer> | undefined;
  /** `crl-verify`: PEM, one list or several. A certificate without a list of its issuer is refused. */
  readonly crl: string | undefined;
  /** `crl-verify DIR dir`: serial numbers, decimal, of all certificates that are revoked. */
  readonly revokedSerials: readonly string[];
  readonly wrap: ControlWrapOptions;
  /** `remote-cert-tls`: which purpose the peer's certificate must have. */
  readonly remoteCertTls: 'server' | 'client' | undefined;
  readonly verifyX509Name: X509NameCheck | undefined;
  /** SHA-256 digests of certificates, 32 bytes each; any of them is accepted. */
  readonly peerFingerprints: readonly Buffer[];
  /** `verify-hash`: digests of the certificate below the leaf in the chain (level 1); any is accepted. */
  readonly verifyHashes: readonly {
    readonly algorithm: 'sha1' | 'sha256';
    readonly digest: Buffer;
  }[];
  /** `remote-cert-ku`: masks as OpenVPN writes them; all bits of one must be set. 0: any key usage. */
  readonly remoteCertKu: readonly number[];
  /** `remote-cert-eku`: an OID, whether it was given as one or by OpenSSL's name. */
  readonly remoteCertEku: string | undefined;
  readonly nsCertType: 'server' | 'client' | undefined;
  /** OpenSSL's list of TLS 1.2 suites, `tls-cert-profile`'s security level in it; undefined: Node's. */
  readonly tlsCipher: string | undefined;
  /** OpenSSL's list of TLS 1.3 suites. */
  readonly tlsCiphersuites: string | undefined;
  /** Named groups, best first, by OpenSSL's names. */
  readonly tlsGroups: string | undefined;
  readonly tlsVersionMin: '1.2' | '1.3';
  readonly tlsVersionMax: '1.2' | '1.3';
  /** Names of `data-ciphers` that we have, in the profile's order. Default: as OpenVPN 2.6. */
  readonly dataCiphers: readonly string[];
  readonly dataCiphersFallback: string | undefined;
  /**
   * The profile's `cipher`, where it is among `dataCiphers` or the fallback: named in the options
   * string. undefined: none was named.
   */
  readonly cipher: string | undefined;
  /**
   * `auth`: the digest of CBC packets and of tls-auth, a key of `DIGESTS`; `NONE` only beside AEAD
   * ciphers. Default: `SHA1`.
   */
  readonly auth: string;
  /** What the profile itself asks for; a push may change it. */
  readonly compression: CompressionFraming;
  /** `allow-compression asym` or `yes`: what comes compressed is opened; nothing is ever compressed. */
  readonly allowDecompression: boolean;
  /** `fragment`: largest outer datagram, without IP and UDP headers; 0 is off. Unit: bytes. */
  readonly fragment: number;
  /** `mtu-test`: looks how long outer datagrams may get, and says so once. */
  readonly mtuTest: boolean;
  /** Tunnelblick's `scramble`: how outer packets are disguised. */
  readonly scramble: Scramble | undefined;
  /** Present when the profile has `auth-user-pass`; credentials where it also has a file or block. */
  readonly authUserPass: StoredCredentials | undefined;
  /** What a client that has been up does about refused credentials. Default: `none`. */
  readonly authRetry: 'none' | 'nointeract' | 'interact';
  /** Passwords are forgotten after use and asked for again. */
  readonly authNocache: boolean;
  readonly staticChallenge: StaticChallenge | undefined;
  /** `push-peer-info`: tells more of the client; a hardware address only where the profile sets one. */
  readonly pushPeerInfo: boolean;
  /** `pull-filter`, in order: the first whose text begins a pushed option decides. */
  readonly pullFilters: readonly PullFilter[];
  /** `route-nopull`: pushed routes, DNS and the like are left out. */
  readonly routeNopull: boolean;
  /**
   * Options about the tunnel that the profile itself sets (`ifconfig`, `route`, `dns`, …), written
   * as a server pushes them: a push is read as if they stood before it.
   */
  readonly localOptions: readonly string[];
  /** `client-nat`: addresses that are exchanged on their way. */
  readonly clientNat: readonly ClientNat[];
  /** `inactive`: leave when less than `bytes` of data passed in `ms`; 0 is off. */
  readonly inactive: { readonly ms: number; readonly bytes: number };
  /** Unit: milliseconds; 0 is off. */
  readonly sessionTimeoutMs: number;
  readonly tunMtu: number;
  /** Largest outer packet that TCP segments should lead to; 0 switches off. Default: 1492. */
  readonly mssfix: number;
  /** Unit: milliseconds; 0 is off. */
  readonly pingMs: number;
  /** Default: 120,000 for UDP, off for TCP. undefined: the default. */
  readonly pingRestartMs: number | undefined;
  readonly pingExitMs: number;
  readonly explicitExitNotify: number | undefined;
  /** Default: 60,000. */
  readonly handWindowMs: number;
  /** Default: 3,600,000. */
  readonly tranWindowMs: number;
  /** First resend of a control packet. Default: 500 (ours; OpenVPN has 2,000). */
  readonly tlsTimeoutMs: number;
  /** Default: 3,600,000; 0 is off. */
  readonly renegSecMs: number;
  /** Default: 0, off. */
  readonly renegBytes: number;
  readonly renegPackets: number;
  /** Time for one remote to answer at all. Default: 120,000. */
  readonly serverPollTimeoutMs: number;
  /** Packets back and milliseconds back that are still accepted. Default: 64, 15,000. */
  readonly replayWindow: { readonly packets: number; readonly ms: number };
  /** `setenv UV_*` and the like for peer info. */
  readonly peerInfo: readonly (readonly [name: string, value: string])[];
  readonly ignored: readonly IgnoredDirective[];
}
