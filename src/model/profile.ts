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
}

/** What `verify-x509-name` asks for. */
export interface X509NameCheck {
  readonly type: 'subject' | 'name' | 'name-prefix';
  readonly value: string;
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
  /** PEM; undefined only beside `peerFingerprints`. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: Secret | undefined;
  /** `crl-verify`: PEM, one list or several. A certificate without a list of its issuer is refused. */
  readonly crl: string | undefined;
  readonly wrap: ControlWrapOptions;
  /** `remote-cert-tls`: which purpose the peer's certificate must have. */
  readonly remoteCertTls: 'server' | 'client' | undefined;
  readonly verifyX509Name: X509NameCheck | undefined;
  /** SHA-256 digests of certificates, 32 bytes each; any of them is accepted. */
  readonly peerFingerprints: readonly Buffer[];
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
  /** Present when the profile has `auth-user-pass`; credentials where it also has a file or block. */
  readonly authUserPass:
    | { readonly username: string | undefined; readonly password: Secret | undefined }
    | undefined;
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
