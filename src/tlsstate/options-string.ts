import type { Role } from '../model/ids.ts';
import type { CompressionFraming } from '../model/push-options.ts';

/** What the options string is made from. */
export interface OptionsStringFacts {
  readonly role: Role;
  readonly protocol: 'udp' | 'tcp';
  /** The profile's own `cipher`, where it is among its data-ciphers; undefined: OpenVPN's default. */
  readonly cipher: string | undefined;
  /** Digest name, upper case. */
  readonly auth: string;
  readonly tunMtu: number;
  readonly compression: CompressionFraming;
}

/**
 * The options ("OCC") string of ssl.c `options_string`: peers compare it with their own and log
 * what differs; its `cipher` is the legacy way to negotiate one.
 */
export function optionsString(facts: OptionsStringFacts): string {
  const cipher = cipherShape(facts.cipher);
  const items = [
    'V4',
    'dev-type tun',
    `link-mtu ${linkMtu(facts, cipher)}`,
    `tun-mtu ${facts.tunMtu}`,
    `proto ${protocolName(facts)}`,
    facts.compression === 'none' ? undefined : 'comp-lzo',
    facts.cipher === undefined ? undefined : `cipher ${facts.cipher}`,
    `auth ${cipher.aead ? '[null-digest]' : facts.auth}`,
    `keysize ${cipher.keyBits}`,
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

function linkMtu(facts: OptionsStringFacts, cipher: CipherShape): number {
  const digest = cipher.aead ? 0 : (DIGEST_BYTES.get(facts.auth) ?? 0);
  const framing = facts.compression === 'none' || facts.compression === 'stub-v2' ? 0 : 1;
  const prefix = facts.protocol === 'tcp' ? 2 : 0;
  return facts.tunMtu + OPCODE_AND_PACKET_ID + cipher.overheadBytes + digest + framing + prefix;
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
const DIGEST_BYTES: ReadonlyMap<string, number> = new Map([
  ['MD5', 16],
  ['SHA1', 20],
  ['SHA224', 28],
  ['SHA256', 32],
  ['SHA384', 48],
  ['SHA512', 64],
]);
