import { readdirSync, readFileSync } from 'node:fs';

/** A control packet of a recorded session, as `test/vectors/<capture>/packets.json` has it. */
export interface RecordedPacket {
  readonly op: string;
  readonly key_id: number;
  readonly dir: 'C' | 'S';
  readonly hex: string;
  readonly session_id: string;
  readonly acks: readonly number[];
  readonly remote_sid: string | null;
  readonly message_id: number | null;
  readonly payload_len: number;
  /** Named where it is not the capture's own wrap. */
  readonly wrap?: string;
  /** The packet without its wrap, hex. */
  readonly plain: string;
}

/** As the file has it. */
interface RawPacket extends Omit<RecordedPacket, 'plain'> {
  /** What an encrypting wrap hid: all behind the session id. */
  readonly unwrapped?: string;
}

interface RawCapture {
  readonly config: { readonly wrap: { readonly kind: string; readonly alg?: string } | null };
  readonly packets: readonly RawPacket[];
}

export interface Capture {
  readonly name: string;
  /** `none`, `tls-auth`, `tls-crypt`, `tls-crypt-v2` */
  readonly wrap: string;
  readonly control: readonly RecordedPacket[];
  readonly data: readonly { readonly hex: string }[];
}

const VECTORS = new URL('../vectors/', import.meta.url);
const CLEAR_HEX_DIGITS = 18;
const REPLAY_HEX_DIGITS = 16;
const HMAC_HEX_DIGITS: Record<string, number> = { sha1: 40, sha256: 64 };

/** All recorded sessions, control and data packets apart. */
export function readCaptures(): readonly Capture[] {
  return readdirSync(VECTORS, { withFileTypes: true })
    .filter((entry) => /^\d/.test(entry.name))
    .map(({ name }) => {
      const { config, packets } = readJson(`${name}/packets.json`) as RawCapture;
      const hmacDigits = HMAC_HEX_DIGITS[config.wrap?.alg ?? ''];
      const hiddenDigits = hmacDigits === undefined ? 0 : hmacDigits + REPLAY_HEX_DIGITS;
      return {
        name,
        wrap: config.wrap?.kind ?? 'none',
        control: packets
          .filter(({ op }) => !op.startsWith('DATA_'))
          .map((packet) => ({ ...packet, plain: plainHex(packet, hiddenDigits) })),
        data: packets.filter(({ op }) => op.startsWith('DATA_')),
      };
    });
}

/** The packet without its wrap. */
export function plainOf({ plain }: RecordedPacket): Buffer {
  return Buffer.from(plain, 'hex');
}

/** @param hiddenDigits what tls-auth puts between the session id and the rest */
function plainHex({ hex, unwrapped }: RawPacket, hiddenDigits: number): string {
  const rest = unwrapped ?? hex.slice(CLEAR_HEX_DIGITS + hiddenDigits);
  return hex.slice(0, CLEAR_HEX_DIGITS) + rest;
}

/** The static key of the tls-crypt captures: pki/tc.key. */
export function tlsCryptKeyBytes(): Buffer {
  const { static_key_files } = readJson('vectors.json') as {
    static_key_files: Record<string, string>;
  };
  return Buffer.from(static_key_files['pki/tc.key'] ?? '', 'hex');
}

export interface TlsCryptVector {
  readonly dir: 'C' | 'S';
  readonly packet: string;
  readonly replay_id: number;
  readonly net_time: number;
  readonly plaintext: string;
}

/** The packets of vectors.json under tls-crypt. */
export function tlsCryptVectors(): readonly TlsCryptVector[] {
  return (readJson('vectors.json') as { tls_crypt: { packets: TlsCryptVector[] } }).tls_crypt
    .packets;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, VECTORS), 'utf8'));
}
