import { readFileSync } from 'node:fs';

/** A packet of `test/vectors/vectors.json`; all bytes as hex. */
export interface WrapVector {
  /** Sent by the client or by the server. */
  readonly dir: 'C' | 'S';
  readonly packet: string;
}

/** A packet under tls-auth. */
export interface TlsAuthVector extends WrapVector {
  readonly hmac: string;
  readonly replay_id: number;
  readonly net_time: number;
}

interface TlsAuthVectors {
  readonly digest: string;
  readonly client_key_direction: 0 | 1 | null;
  readonly packets: readonly TlsAuthVector[];
}

/** A packet under tls-crypt, maybe with the WKc behind it. */
export interface TlsCryptVector extends WrapVector {
  readonly replay_id: number;
  readonly net_time: number;
  /** What the wrap hid: all behind the session id. */
  readonly plaintext: string;
  readonly wkc: string | null;
}

interface DynamicVectors {
  readonly capture: string;
  readonly exporter: string;
  /** The static key of the opening. */
  readonly xor_base: string | null;
  readonly packets: readonly (WrapVector & { readonly plaintext: string })[];
}

interface WrappedKeyVector {
  readonly file: string;
  readonly server_key_raw: string;
  readonly wkc_len: number;
  readonly metadata_type: number;
  readonly metadata: string;
}

interface VectorFile {
  readonly static_key_files: Record<string, string>;
  readonly tls_auth: readonly TlsAuthVectors[];
  readonly tls_crypt: { readonly packets: readonly TlsCryptVector[] };
  readonly tls_crypt_v2: {
    readonly Kc: string;
    readonly WKc: string;
    readonly packets: readonly TlsCryptVector[];
  };
  readonly tls_crypt_v2_wkc: readonly WrappedKeyVector[];
  readonly dynamic_tls_crypt: readonly DynamicVectors[];
}

const VECTORS = new URL('../vectors/', import.meta.url);
const FILE: VectorFile = JSON.parse(readFileSync(new URL('vectors.json', VECTORS), 'utf8'));
const KEY_BYTES = 256;

/** The static key of the tls-auth captures: pki/ta.key. */
export function tlsAuthKeyBytes(): Buffer {
  return hex(FILE.static_key_files['pki/ta.key'] ?? '');
}

/** The static key of the tls-crypt captures: pki/tc.key. */
export function tlsCryptKeyBytes(): Buffer {
  return hex(FILE.static_key_files['pki/tc.key'] ?? '');
}

/** The client's key of the tls-crypt-v2 captures: pki/tcv2-client.key. */
export function tlsCryptV2Key(): { key: Buffer; wrappedKey: Buffer } {
  const { Kc, WKc } = FILE.tls_crypt_v2;
  return { key: hex(Kc), wrappedKey: hex(WKc) };
}

export function tlsAuthVectors(): readonly TlsAuthVectors[] {
  return FILE.tls_auth;
}

export function tlsCryptVectors(): readonly TlsCryptVector[] {
  return FILE.tls_crypt.packets;
}

export function tlsCryptV2Vectors(): readonly TlsCryptVector[] {
  return FILE.tls_crypt_v2.packets;
}

export function dynamicVectors(): readonly DynamicVectors[] {
  return FILE.dynamic_tls_crypt;
}

/** Client keys as OpenVPN wrapped them, with what its server finds inside. */
export function wrappedKeyVectors() {
  return FILE.tls_crypt_v2_wkc.map((vector) => {
    const file = pemBytes(readFileSync(new URL(vector.file, VECTORS), 'utf8'));
    return {
      file: vector.file,
      serverKey: hex(vector.server_key_raw),
      key: file.subarray(0, KEY_BYTES),
      wrappedKey: file.subarray(KEY_BYTES),
      wrappedKeyBytes: vector.wkc_len,
      metadata: Buffer.concat([Buffer.from([vector.metadata_type]), hex(vector.metadata)]),
    };
  });
}

function pemBytes(text: string): Buffer {
  return Buffer.from(text.replace(/-----.*-----/g, ''), 'base64');
}

function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex');
}
