import { OvpnUsageError } from '../core/errors.ts';
import { hasControlCharacter } from '../core/log.ts';
import { DATA_CIPHERS } from '../model/ciphers.ts';

/** Bits of IV_PROTO (ssl.h `IV_PROTO_*`) that tundial knows: what a client says it can do. */
export const IvProto = {
  /** Data packets with a peer id. */
  DATA_V2: 0x002,
  /** Takes a PUSH_REPLY that it has not asked for. */
  REQUEST_PUSH: 0x004,
  /** Data keys from the TLS exporter. */
  TLS_KEY_EXPORT: 0x008,
  /** AUTH_PENDING with keywords. */
  AUTH_PENDING_KW: 0x010,
  /** EXIT on the control channel, and `protocol-flags` in a push. */
  CC_EXIT_NOTIFY: 0x080,
  /** AUTH_FAILED,TEMP. */
  AUTH_FAIL_TEMP: 0x100,
  /** A control wrap of their own for renegotiations. */
  DYN_TLS_CRYPT: 0x200,
  /** Data packets with epochs. */
  AEAD_EPOCH: 0x400,
  /** The `dns` option as OpenVPN 2.7 has it; bit 6 was an earlier one. */
  DNS_OPTION_V2: 0x800,
  /** Takes a PUSH_UPDATE while the session lasts. */
  PUSH_UPDATE: 0x1000,
} as const;

/** What our client announces: all that works, and nothing else. A server turns it on at once. */
export const CLIENT_IV_PROTO: number =
  IvProto.DATA_V2 |
  IvProto.REQUEST_PUSH |
  IvProto.TLS_KEY_EXPORT |
  IvProto.AUTH_PENDING_KW |
  IvProto.CC_EXIT_NOTIFY |
  IvProto.AUTH_FAIL_TEMP |
  IvProto.DYN_TLS_CRYPT |
  IvProto.AEAD_EPOCH |
  IvProto.DNS_OPTION_V2 |
  IvProto.PUSH_UPDATE;

/** What a client that has `ivProto` announces beside `dataCiphers`: epochs need an AEAD cipher. */
export function announcedIvProto(ivProto: number, dataCiphers: readonly string[]): number {
  const anyAead = dataCiphers.some((name) => DATA_CIPHERS.get(name)?.aead === true);
  return anyAead ? ivProto : ivProto & ~IvProto.AEAD_EPOCH;
}

export interface PeerInfoFacts {
  /** Version of this package: `0.1.0`. */
  readonly version: string;
  /** As `process.platform`. */
  readonly platform: string;
  /** Largest `tun-mtu` that may be pushed. Unit: bytes. */
  readonly maxTunMtu: number;
  /** Offered ciphers, upper case, best first. */
  readonly dataCiphers: readonly string[];
  /** Bits of {@link IvProto}; 0: none are announced. */
  readonly ivProto: number;
  /** Whether what comes compressed is opened. Default: false. */
  readonly decompresses?: boolean;
  /** Further lines (`UV_*`), as the profile has them. */
  readonly extra: readonly (readonly [name: string, value: string])[];
}

/**
 * The client's peer info, one `NAME=value` a line in OpenVPN's order.
 * @throws OvpnUsageError when a further line has a name or value that would break the format
 */
export function clientPeerInfo(facts: PeerInfoFacts): string {
  const { dataCiphers } = facts;
  const ncp = dataCiphers.includes('AES-128-GCM') && dataCiphers.includes('AES-256-GCM');
  const lines: (readonly [string, string])[] = [
    ['IV_VER', facts.version],
    ['IV_PLAT', PLATFORMS.get(facts.platform) ?? facts.platform],
    ['IV_TCPNL', '1'],
    ['IV_MTU', String(facts.maxTunMtu)],
  ];
  // A 2.4 server takes it as consent to both AES-GCM ciphers and looks no further.
  if (ncp) lines.push(['IV_NCP', '2']);
  lines.push(['IV_CIPHERS', dataCiphers.join(':')]);
  if (facts.ivProto !== 0) lines.push(['IV_PROTO', String(facts.ivProto)]);
  lines.push(...(facts.decompresses ? DECOMPRESSION_LINES : STUB_LINES));
  for (const [name, value] of facts.extra) {
    if (!NAME.test(name) || hasControlCharacter(value)) {
      throw new OvpnUsageError(
        'expected a peer info name of letters, digits and _, and a printable value',
        'tlsstate',
      );
    }
    lines.push([name, value]);
  }
  return lines.map(([name, value]) => `${name}=${value}\n`).join('');
}

/** Most lines of a peer that are kept. */
export const MAX_PEER_INFO_LINES = 128;

/** A peer's lines by name. Lines that are not `NAME=value` are skipped; the first of a name counts. */
export function parsePeerInfo(text: string | undefined): ReadonlyMap<string, string> {
  const lines = new Map<string, string>();
  for (const line of (text ?? '').split('\n')) {
    const at = line.indexOf('=');
    const name = line.slice(0, Math.max(at, 0));
    const value = line.slice(at + 1);
    if (!NAME.test(name) || hasControlCharacter(value) || lines.has(name)) continue;
    if (lines.size >= MAX_PEER_INFO_LINES) break;
    lines.set(name, value);
  }
  return lines;
}

/** The bits of IV_PROTO in a peer's lines; 0 when it has none. */
export function ivProtoOf(peerInfo: ReadonlyMap<string, string>): number {
  const text = peerInfo.get('IV_PROTO') ?? '';
  return DECIMAL.test(text) ? Number(text) : 0;
}

const NAME = /^[A-Za-z0-9_]{1,64}$/;
const DECIMAL = /^\d{1,9}$/;
/** The framings that we understand without compressing. */
const STUB_LINES = [
  ['IV_LZO_STUB', '1'],
  ['IV_COMP_STUB', '1'],
  ['IV_COMP_STUBv2', '1'],
] as const;
/** The same, and what is opened. */
const DECOMPRESSION_LINES = [
  ['IV_LZ4', '1'],
  ['IV_LZ4v2', '1'],
  ['IV_LZO', '1'],
  ['IV_COMP_STUB', '1'],
  ['IV_COMP_STUBv2', '1'],
] as const;
/** Names that OpenVPN sends where they differ from Node's. */
const PLATFORMS: ReadonlyMap<string, string> = new Map([
  ['darwin', 'mac'],
  ['win32', 'win'],
  ['sunos', 'solaris'],
]);
