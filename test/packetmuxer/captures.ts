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
  readonly config: { readonly wrap?: RawWrap | null };
  readonly dynamic_tls_crypt_exporter: readonly string[];
  readonly packets: readonly RawPacket[];
}

interface RawWrap {
  readonly kind: RecordedWrap;
  readonly alg?: string;
  readonly keydir?: 0 | 1;
}

export type RecordedWrap = 'none' | 'tls-auth' | 'tls-crypt' | 'tls-crypt-v2';

export interface Capture {
  readonly name: string;
  readonly wrap: RecordedWrap;
  /** Digest of tls-auth, as `auth` spells it. */
  readonly digest: string;
  /** The client's `key-direction`. */
  readonly direction: 0 | 1 | undefined;
  /** What TLS exported for dynamic tls-crypt: 256 bytes, where it is recorded. */
  readonly exported: string | undefined;
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
      const raw = readJson(`${name}/packets.json`) as RawCapture;
      const { config, packets } = raw;
      const hmacDigits = HMAC_HEX_DIGITS[config.wrap?.alg ?? ''];
      const hiddenDigits = hmacDigits === undefined ? 0 : hmacDigits + REPLAY_HEX_DIGITS;
      return {
        name,
        wrap: config.wrap?.kind ?? 'none',
        digest: (config.wrap?.alg ?? 'sha1').toUpperCase(),
        direction: config.wrap?.keydir,
        exported: raw.dynamic_tls_crypt_exporter[0],
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

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, VECTORS), 'utf8'));
}
