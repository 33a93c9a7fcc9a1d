import type { ControlWrapOptions, ServerWrapOptions } from '../model/control-wrap-options.ts';
import { DIGESTS } from '../model/digests.ts';
import type { Role } from '../model/ids.ts';
import type { CompressionFraming } from '../model/push-options.ts';

/** What the options string is made from. */
export interface OptionsStringFacts {
  readonly role: Role;
  readonly protocol: 'udp' | 'tcp';
  /** The profile's own `cipher` or `data-ciphers-fallback`; undefined: OpenVPN's default. */
  readonly cipher: string | undefined;
  /** `cipher` is named only where it is one of them. */
  readonly dataCiphers: readonly string[];
  /** A key of `DIGESTS`, or `NONE`. */
  readonly auth: string;
  readonly wrap: ControlWrapOptions | ServerWrapOptions;
  readonly tunMtu: number;
  readonly compression: CompressionFraming;
  /** Whether `fragment` is on. Default: false. */
  readonly fragments?: boolean;
}

/**
 * The options ("OCC") string of ssl.c `options_string`: peers compare it with their own and log
 * what differs; its `cipher` is the legacy way to negotiate one.
 */
export function optionsString(facts: OptionsStringFacts): string {
  const cipher = cipherShape(facts.cipher);
  const digest = cipher.aead ? undefined : DIGESTS.get(facts.auth);
  const tlsAuth = facts.wrap.kind === 'tls-auth' ? facts.wrap : undefined;
  const isNamed = facts.cipher !== undefined && facts.dataCiphers.includes(facts.cipher);
  const items = [
    'V4',
    'dev-type tun',
    `link-mtu ${linkMtu(facts, cipher.overheadBytes + (digest?.bytes ?? 0))}`,
    `tun-mtu ${facts.tunMtu}`,
    `proto ${protocolName(facts)}`,
    facts.compression === 'none' ? undefined : 'comp-lzo',
    facts.fragments ? 'mtu-dynamic' : undefined,
    tlsAuth?.direction === undefined ? undefined : `keydir ${tlsAuth.direction}`,
    isNamed ? `cipher ${facts.cipher}` : undefined,
    `auth ${digest?.name ?? '[null-digest]'}`,
    `keysize ${cipher.keyBits}`,
    tlsAuth === undefined ? undefined : 'tls-auth',
    'key-method 2',
    `tls-${facts.role}`,
  ];
  return items.filter((item) => item !== undefined).join(',');
}

/** The `cipher` item of a peer's options string, upper case; undefined when there is none. */
export function cipherOfOptions(options: string | undefined): string | undefined {
  const item = options?.split(',').find((text) => text.startsWith('cipher '));
  return item?.slice('cipher '.length).trim().toUpperCase();
}

function protocolName({ protocol, role }: OptionsStringFacts): string {
  return protocol === 'udp' ? 'UDPv4' : `TCPv4_${role.toUpperCase()}`;
}

function linkMtu(facts: OptionsStringFacts, cipherBytes: number): number {
  const framing = facts.compression === 'none' || facts.compression === 'stub-v2' ? 0 : 1;
  const fragment = facts.fragments ? FRAGMENT_HEADER_BYTES : 0;
  const prefix = facts.protocol === 'tcp' ? 2 : 0;
  return facts.tunMtu + OPCODE_AND_PACKET_ID + cipherBytes + framing + fragment + prefix;
}

interface CipherShape {
  readonly aead: boolean;
  readonly keyBits: number;
  /** What 2.x counts for IV, tag and padding. */
  readonly overheadBytes: number;
}

/** Unnamed or unknown is counted as OpenVPN's default, BF-CBC. */
function cipherShape(name: string | undefined): CipherShape {
  const aes = /^AES-(\d+)-(GCM|CBC)$/.exec(name ?? '');
  if (aes !== null) {
    const aead = aes[2] === 'GCM';
    return { aead, keyBits: Number(aes[1]), overheadBytes: aead ? 44 : 32 };
  }
  if (name === 'CHACHA20-POLY1305') return { aead: true, keyBits: 256, overheadBytes: 29 };
  return { aead: false, keyBits: 128, overheadBytes: 16 };
}

const OPCODE_AND_PACKET_ID = 5;
const FRAGMENT_HEADER_BYTES = 4;
